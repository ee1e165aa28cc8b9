// SPDX-License-Identifier: Apache-2.0
// What a policy rule does: log, send_alert, run_doctor, restart_service NAME, exec [argv…], each as
// the action of a mapping. The predecessor's other words are refused with what to do instead.
#include "config/policy_parts.h"
#include "formats/json.h"

#define UNIT_MAX 255 // systemd.unit(5)

struct call {
	struct arena *arena;
	const struct value *text;
	struct str rest; // behind the word, trimmed
	struct str rule;
	const struct policy_when *when;
	struct value *out;
	struct problems *problems;
};

static bool complain(struct call *call, const char *message) {
	size_t at = call->rest.len ? (size_t)(call->rest.at - call->text->string.at) : 0;
	problems_add(call->problems, policy_place(call->text, at), "%s", message);
	return false;
}

static void add_text(struct call *call, const char *name, const char *text) {
	policy_add(call->out, str_from(name), value_of_string(str_from(text)), call->text->place);
}

static void add_line(struct call *call, const char *level, const char *word) {
	const char *what = call->when->figure.at
		? "{figure} {label} is {value} {unit} (limit {limit}); {culprit_kind} {culprit}"
		: "{kind} {subject}";
	add_text(call, "type", "log");
	add_text(call, "level", level);
	add_text(call, "message",
		arena_printf(call->arena, "%s%" STR_FMT ": %s", word, STR_ARG(call->rule), what));
}

static bool refuse_rest(struct call *call) {
	return !call->rest.len || complain(call, "nothing may follow this word");
}

static bool make_log(struct call *call) {
	add_line(call, "warn", "policy ");
	return refuse_rest(call);
}

static bool make_alert(struct call *call) {
	add_line(call, "error", "ALERT of policy ");
	return refuse_rest(call);
}

static void add_argv(struct call *call, const struct value *argv) {
	add_text(call, "type", "exec");
	policy_add(call->out, STR("argv"), *argv, call->text->place);
}

static bool make_doctor(struct call *call) {
	struct value *items = arena_array(call->arena, 2, sizeof(*items));
	items[0] = value_of_string(STR("annactl"));
	items[1] = value_of_string(STR("doctor"));
	items[0].place = items[1].place = call->text->place;
	const struct value argv = {
		.type = VALUE_ARRAY, .place = call->text->place, .array = {items, 2}};
	add_argv(call, &argv);
	return refuse_rest(call);
}

static bool is_unit_char(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		strchr(":-_.\\@", c);
}

static bool make_restart(struct call *call) {
	bool is_name = call->rest.len > 0 && call->rest.len <= UNIT_MAX - strlen(".service");
	for (size_t i = 0; is_name && i < call->rest.len; i++) {
		is_name = call->rest.at[i] && is_unit_char(call->rest.at[i]);
	}
	if (!is_name) {
		return complain(call,
			"restart_service needs the name of one unit: restart_service "
			"nginx.service");
	}
	bool is_whole = str_find_char(call->rest, '.') >= 0;
	add_text(call, "type", "unit");
	add_text(call, "unit",
		arena_printf(call->arena, "%" STR_FMT "%s", STR_ARG(call->rest),
			is_whole ? "" : ".service"));
	add_text(call, "do", "restart");
	return true;
}

static bool make_exec(struct call *call) {
	struct err err = ERR_INIT;
	struct str text = call->rest;
	const struct value *argv = text.len ? json_parse(call->arena, text, 2, &err) : NULL;
	bool is_list = argv && argv->type == VALUE_ARRAY && argv->array.n > 0;
	for (size_t i = 0; is_list && i < argv->array.n; i++) {
		is_list = argv->array.items[i].type == VALUE_STRING;
	}
	if (!is_list) {
		return complain(call,
			"exec needs a list of texts, the program first: exec [\"/usr/bin/logger\", "
			"\"full\"]");
	}
	// Places of the list are those of its own text; problems are to name the file's.
	struct value *items = arena_array(call->arena, argv->array.n, sizeof(*items));
	for (size_t i = 0; i < argv->array.n; i++) {
		items[i] = argv->array.items[i];
		items[i].place = call->text->place;
	}
	const struct value placed = {
		.type = VALUE_ARRAY, .place = call->text->place, .array = {items, argv->array.n}};
	add_argv(call, &placed);
	return true;
}

static const struct {
	const char *word;
	bool (*make)(struct call *call);
	const char *refusal;
} words[] = {
	{"log", make_log, NULL},
	{"send_alert", make_alert, NULL},
	{"run_doctor", make_doctor, NULL},
	{"restart_service", make_restart, NULL},
	{"exec", make_exec, NULL},
	{"disable_autonomy", NULL,
		"there is no level of autonomy to change: what Anna may do is what mappings say; "
		"set "
		"enabled: false in a rule, or enabled = false in a mapping"},
	{"enable_autonomy", NULL,
		"there is no level of autonomy to change: what Anna may do is what mappings say; "
		"set "
		"enabled: true in a rule, or enabled = true in a mapping"},
	{"alert", NULL, "alert is not a word here; use send_alert"},
	{"custom", NULL, "a command is written exec [\"program\", \"argument\"]"},
};

bool policy_parse_then(struct arena *arena, const struct value *text, struct str rule,
	const struct policy_when *when, struct value *out, struct problems *problems) {
	struct str rest = text->string, word = {NULL, 0};
	(void)str_word(&rest, &word);
	struct call call = {arena, text, str_trim(rest), rule, when, out, problems};
	*out = policy_table(arena, 4, text->place);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!str_is(word, words[i].word)) {
			continue;
		}
		if (words[i].make) {
			return words[i].make(&call);
		}
		call.rest = word;
		return complain(&call, words[i].refusal);
	}
	struct str shown = str_head(word, 60);
	problems_add(problems, text->place,
		"\"%" STR_FMT "\" is nothing a policy can do; it can log, send_alert, run_doctor, "
		"restart_service NAME and exec [\"program\", \"argument\"]",
		STR_ARG(shown));
	return false;
}
