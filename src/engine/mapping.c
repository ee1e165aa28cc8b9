// SPDX-License-Identifier: Apache-2.0
// [[mappings]]: the rows, their checks, and what a mapping listens to. Pure: running state is the
// lanes' (lane.c), so a mapping never changes once its snapshot is made.
#include "engine/mapping.h"

#include "base/clock.h"

static const char *const class_names[] = {"assured", "reflex", NULL};

static const struct option mapping_rows[] = {
	{"name", OPTION_STRING, offsetof(struct mapping, name), NULL, 1, 100, .is_required = true,
		.help = "How events, logs and why call this mapping; unique."},
	{"on", OPTION_STRINGS, offsetof(struct mapping, on), NULL, 1, 32, .is_required = true,
		.help = "Kinds of event it listens to; * stands for anything. Anna's own action.* "
			"and"
			" mapping.* are heard only when named so."},
	{"where", OPTION_VALUE, offsetof(struct mapping, where),
		.help = "What must hold of the event's fields and attributes; nothing given: "
			"always."},
	{"action", OPTION_TAGGED, offsetof(struct mapping, action), .variants = "action",
		.is_required = true, .help = "What is done."},
	{"class", OPTION_CHOICE, offsetof(struct mapping, class), "assured", .choices = class_names,
		.help = "assured: after the event is durable, at least once, repeated after a "
			"crash;"
			" reflex: at once, at most once."},
	{"stop", OPTION_BOOL, offsetof(struct mapping, stop), "false",
		.help = "When it matched, mappings further down are not looked at."},
	{"enabled", OPTION_BOOL, offsetof(struct mapping, enabled), "true",
		.help = "False: as if it were not there."},
	{"max_depth", OPTION_INT, offsetof(struct mapping, max_depth), "8", 0, 100,
		.help = "It does not act on events that are further than this from their root "
			"cause."},
	{"budget", OPTION_INT, offsetof(struct mapping, budget), "1000", 1, 1000000, .unit = "runs",
		.help = "Runs per budget_per. Over it assured runs wait and reflexes are refused."},
	{"budget_per", OPTION_DURATION, offsetof(struct mapping, budget_per_ns), "1s",
		(double)NS_PER_MS, (double)NS_PER_DAY, .help = "The time the budget is for."},
	{"concurrency", OPTION_INT, offsetof(struct mapping, concurrency), "16", 1, 1000,
		.unit = "runs", .help = "Runs at the same time; more wait in order."},
	{NULL},
};

static bool is_pattern_char(char c) {
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
		c == '.' || c == '*' || c == '?';
}

static void check_pattern(struct str pattern, struct place place, struct problems *problems) {
	bool is_fine = pattern.len > 0 && pattern.len <= 100;
	for (size_t i = 0; is_fine && i < pattern.len; i++) {
		is_fine = is_pattern_char(pattern.at[i]);
	}
	if (!is_fine) {
		struct str shown = str_head(pattern, 60);
		problems_add(problems, place,
			"on: \"%" STR_FMT
			"\" cannot match a kind of event; kinds are lower-case letters,"
			" digits, _ and - in parts joined by dots, with * and ? for anything",
			STR_ARG(shown));
	}
}

static void check_name(struct str name, struct place place, struct problems *problems) {
	for (size_t i = 0; i < name.len; i++) {
		if ((unsigned char)name.at[i] < 0x20 || name.at[i] == 0x7f) {
			problems_add(problems, place, "name: control characters are not allowed");
			return;
		}
	}
}

static void mapping_check(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	struct mapping *mapping = config;
	check_name(mapping->name, place, problems);
	for (size_t i = 0; i < mapping->on.n; i++) {
		check_pattern(mapping->on.items[i], place, problems);
	}
	mapping->condition = condition_compile(arena, mapping->where, place, problems);
	if (!mapping->action.variant) {
		return; // reported by the rows
	}
	const struct action *action = mapping_action(mapping);
	if (action->check) {
		action->check(mapping->action.config, mapping->action.place, arena, problems);
	}
}

const struct action *mapping_action(const struct mapping *mapping) {
	return mapping->action.variant->descriptor;
}

bool mapping_pattern_matches(struct str pattern, struct str kind) {
	static const struct str own[] = {STR_INIT("action."), STR_INIT("mapping.")};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (str_starts(kind, own[i]) && !str_starts(pattern, own[i])) {
			return false;
		}
	}
	return str_glob(pattern, kind);
}

bool mapping_listens(const struct mapping *mapping, struct str kind) {
	for (size_t i = 0; i < mapping->on.n; i++) {
		if (mapping_pattern_matches(mapping->on.items[i], kind)) {
			return true;
		}
	}
	return false;
}

const char *mapping_class_name(int class) {
	return class_names[class == CLASS_REFLEX];
}

// Of an action without options.
static const struct option no_options[] = {{0}};

struct variants mapping_action_variants(
	struct arena *arena, const struct action *const *actions, size_t n) {
	struct variant *items = arena_array(arena, n, sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		items[i] = (struct variant){.name = actions[i]->name,
			.summary = actions[i]->summary,
			.rows = actions[i]->rows ? actions[i]->rows : no_options,
			.size = actions[i]->size,
			.descriptor = actions[i]};
	}
	return (struct variants){"action", items, n};
}

const struct section mappings_section = {
	.name = "mappings",
	.summary =
		"What Anna does because of an event: all mappings that match act, in this order.",
	.is_list = true,
	.rows = mapping_rows,
	.size = sizeof(struct mapping),
	.check = mapping_check,
	.example = "[[mappings]]\n"
		   "name = \"disk-full\"\n"
		   "on = \"host.filesystem\"\n"
		   "where = { used_percent = { gt = 90 } }\n"
		   "action = { type = \"log\", message = \"{mount} at {used_percent} %\" }\n",
};
