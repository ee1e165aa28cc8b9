// SPDX-License-Identifier: Apache-2.0
// Rules of one policy file as thresholds and mappings; see policy.h. All mistakes of a file are
// told; a rule with one gives nothing.
#include "config/policy.h"

#include "config/policy_parts.h"
#include "formats/yaml.h"

#define NAME_MAX_BYTES 80
// A figure must hold its side so long: a rule acts, and what acts on a peak of a second acts
// too often.
#define FOR "1m"

struct file {
	struct arena *arena;
	struct problems *problems;
	struct str stem; // "disk" of "/etc/anna/policies.d/disk.yaml"
	struct value thresholds, mappings;
};

struct value policy_table(struct arena *arena, size_t most, struct place place) {
	return (struct value){.type = VALUE_TABLE,
		.place = place,
		.table = {arena_array(arena, most, sizeof(struct member)), 0}};
}

void policy_add(struct value *table, struct str name, struct value value, struct place place) {
	value.place = value.place.line ? value.place : place;
	table->table.members[table->table.n++] = (struct member){name, place, value};
}

static void add_text(struct value *table, const char *name, struct str text, struct place place) {
	policy_add(table, str_from(name), value_of_string(text), place);
}

static void append(struct value *list, const struct value *item) {
	list->array.items[list->array.n++] = *item;
}

// Names stand in messages, which are templates, and in events: plain characters only.
static bool is_name(struct str name) {
	bool is_plain = name.len > 0 && name.len <= NAME_MAX_BYTES;
	for (size_t i = 0; is_plain && i < name.len; i++) {
		char c = name.at[i];
		is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ' ';
	}
	return is_plain;
}

static struct str name_of(struct file *file, const struct value *rule, size_t number) {
	const struct value *name = value_get(rule, STR("name"));
	if (!name) {
		return str_from(arena_printf(
			file->arena, "policy:%" STR_FMT "-%zu", STR_ARG(file->stem), number));
	}
	if (name->type != VALUE_STRING || !is_name(name->string)) {
		problems_add(file->problems, name->place,
			"a name is letters, digits, blanks, - _ and ., at most %d of them",
			NAME_MAX_BYTES);
		return (struct str){NULL, 0};
	}
	return str_from(arena_printf(file->arena, "policy:%" STR_FMT, STR_ARG(name->string)));
}

static bool check_keys(struct file *file, const struct value *rule) {
	static const char *const known[] = {"name", "when", "then", "enabled"};
	size_t errors = file->problems->errors;
	for (size_t i = 0; i < rule->table.n; i++) {
		const struct member *member = &rule->table.members[i];
		bool is_known = false;
		for (size_t j = 0; j < sizeof(known) / sizeof(known[0]); j++) {
			is_known = is_known || str_is(member->key, known[j]);
		}
		if (!is_known) {
			struct str shown = str_head(member->key, 60);
			problems_add(file->problems, member->place,
				"unknown key \"%" STR_FMT
				"\"; a rule has when, then, enabled and name",
				STR_ARG(shown));
		}
	}
	return file->problems->errors == errors;
}

// A text of the rule; NULL, and told, when there is none.
static const struct value *text_of(
	struct file *file, const struct value *rule, const char *key, const char *example) {
	const struct value *value = value_get(rule, str_from(key));
	if (value && value->type == VALUE_STRING && value->string.len) {
		return value;
	}
	problems_add(file->problems, value ? value->place : rule->place,
		"a rule needs \"%s\", like %s", key, example);
	return NULL;
}

static void add_threshold(
	struct file *file, struct str name, const struct policy_when *when, struct value enabled) {
	struct value threshold = policy_table(file->arena, 6, when->place);
	add_text(&threshold, "name", name, when->place);
	add_text(&threshold, "figure", when->figure, when->place);
	policy_add(&threshold, when->is_below ? STR("below") : STR("above"),
		value_of_double(when->limit), when->place);
	add_text(&threshold, "for", STR(FOR), when->place);
	if (when->label.at) {
		add_text(&threshold, "labels", when->label, when->place);
	}
	policy_add(&threshold, STR("enabled"), enabled, when->place);
	append(&file->thresholds, &threshold);
}

static void add_mapping(struct file *file, struct str name, const struct policy_when *when,
	const struct value *action, struct value enabled, struct place place) {
	struct value mapping = policy_table(file->arena, 5, place);
	struct value where = policy_table(file->arena, POLICY_TESTS_MAX + 2, place);
	for (size_t i = 0; i < when->where.table.n; i++) {
		const struct member *member = &when->where.table.members[i];
		policy_add(&where, member->key, member->value, member->place);
	}
	add_text(&mapping, "name", name, place);
	if (when->figure.at) {
		add_text(&mapping, "on", STR("host.threshold"), when->place);
		if (!value_get(&where, STR("threshold"))) {
			add_text(&where, "threshold", name, when->place);
		}
		if (!value_get(&where, STR("raised"))) {
			policy_add(&where, STR("raised"), value_of_bool(true), when->place);
		}
	} else {
		add_text(&mapping, "on", when->kind, place);
	}
	if (where.table.n) {
		policy_add(&mapping, STR("where"), where, place);
	}
	policy_add(&mapping, STR("action"), *action, action->place);
	policy_add(&mapping, STR("enabled"), enabled, place);
	append(&file->mappings, &mapping);
}

static void read_rule(struct file *file, const struct value *rule, size_t number) {
	struct policy_when when;
	struct value action;
	struct str name = name_of(file, rule, number);
	bool is_well = check_keys(file, rule) && name.at;
	const struct value *when_text = text_of(
		file, rule, "when", "when: \"memory.used_percent > 90\"");
	const struct value *then_text = text_of(file, rule, "then", "then: log");
	const struct value *enabled = value_get(rule, STR("enabled"));
	if (enabled && enabled->type != VALUE_BOOL) {
		problems_add(file->problems, enabled->place, "enabled is true or false");
		is_well = false;
	}
	if (!when_text || !then_text ||
		!policy_parse_when(file->arena, when_text, &when, file->problems) ||
		!policy_parse_then(file->arena, then_text, name, &when, &action, file->problems) ||
		!is_well) {
		return;
	}
	struct value is_on = enabled ? *enabled : value_of_bool(true);
	if (when.figure.at) {
		add_threshold(file, name, &when, is_on);
	}
	add_mapping(file, name, &when, &action, is_on, rule->place);
}

static struct str stem_of(struct str path) {
	size_t at = path.len;
	while (at > 0 && path.at[at - 1] != '/') {
		at--;
	}
	struct str name = str_skip(path, at);
	struct str stem = str_ends(name, STR(".yaml")) ? str_head(name, name.len - 5) : name;
	return is_name(stem) ? stem : STR("rule");
}

static struct value list_of(struct arena *arena, size_t most, struct place place) {
	return (struct value){.type = VALUE_ARRAY,
		.place = place,
		.array = {arena_array(arena, most, sizeof(struct value)), 0}};
}

const struct value *policy_parse(
	struct arena *arena, const char *path, struct str text, struct problems *problems) {
	const struct value *rules = yaml_parse_list(arena, path, text, problems);
	struct place place = rules->place;
	struct file file = {arena, problems, stem_of(str_from(place.file)),
		list_of(arena, rules->array.n, place), list_of(arena, rules->array.n, place)};
	for (size_t i = 0; i < rules->array.n && !arena_is_over(arena); i++) {
		read_rule(&file, &rules->array.items[i], i + 1);
	}
	struct value *root = ARENA_NEW(arena, struct value);
	*root = policy_table(arena, 2, place);
	if (file.thresholds.array.n) {
		policy_add(root, STR("thresholds"), file.thresholds, place);
	}
	if (file.mappings.array.n) {
		policy_add(root, STR("mappings"), file.mappings, place);
	}
	return root;
}
