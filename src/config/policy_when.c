// SPDX-License-Identifier: Apache-2.0
// The condition of a policy rule:
//
//	when  := test { "and" test }
//	test  := name op value
//	name  := figure [ "{" label "}" ] | "event." attribute
//	op    := ">" | "<" | ">=" | "<=" | "==" | "!="
//	value := number [ "%" ] | "text" | 'text' | true | false
//
// One test is of a figure, or one is event.kind == "...": that decides what is listened to.
#include <math.h>

#include "config/policy_parts.h"

struct cursor {
	struct arena *arena;
	struct problems *problems;
	const struct value *text;
	size_t at;
};

enum op {
	OP_GT,
	OP_GE,
	OP_LT,
	OP_LE,
	OP_EQ,
	OP_NE,
	OP_COUNT
};
// As written, and as a mapping's condition calls it. The longer ones first.
static const struct {
	const char *sign;
	enum op op;
} signs[] = {
	{">=", OP_GE}, {"<=", OP_LE}, {"==", OP_EQ}, {"!=", OP_NE}, {">", OP_GT}, {"<", OP_LT}};
static const char *const op_names[OP_COUNT] = {"gt", "ge", "lt", "le", "eq", "ne"};

struct test {
	struct str name, label;
	size_t name_at, op_at, value_at;
	enum op op;
	struct value value; // VALUE_DOUBLE, STRING or BOOL
};

_printf_(3, 4) static bool complain(struct cursor *cursor, size_t at, const char *format, ...) {
	char text[400];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problems_add(cursor->problems, policy_place(cursor->text, at), "%s", text);
	return false;
}

static struct str rest_of(const struct cursor *cursor) {
	return str_skip(cursor->text->string, cursor->at);
}

static void skip_blanks(struct cursor *cursor) {
	struct str rest = rest_of(cursor);
	for (size_t i = 0; i < rest.len && rest.at[i] == ' '; i++) {
		cursor->at++;
	}
}

static bool is_name_char(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '.' || c == '-';
}

// Fields of the predecessor, and what they are called here.
static const char *new_name_of(struct str name) {
	static const char *const names[][2] = {
		{"telemetry.disk_free_pct", "filesystem.used_percent (100 - free)"},
		{"telemetry.cpu_util", "cpu.used_percent"},
		{"telemetry.cpu_load", "load.per_cpu"},
		{"telemetry.mem_used_pct", "memory.used_percent"},
		{"telemetry.cpu_temp", "temperature.celsius"},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_is(name, names[i][0])) {
			return names[i][1];
		}
	}
	return str_starts(name, STR("telemetry."))
		? "a figure like memory.used_percent or disk.busy_percent{sda}"
		: NULL;
}

static bool read_name(struct cursor *cursor, struct test *test) {
	struct str rest = rest_of(cursor);
	size_t n = 0;
	test->name_at = cursor->at;
	while (n < rest.len && is_name_char(rest.at[n])) {
		n++;
	}
	test->name = str_head(rest, n);
	cursor->at += n;
	if (!n) {
		return complain(cursor, cursor->at, "%s",
			rest.len && (rest.at[0] == '(' || rest.at[0] == '!')
				? "parentheses and negation are not read: a condition is tests "
				  "joined by and; write two rules for or"
				: "expected a name: a figure like memory.used_percent, or "
				  "event.ATTRIBUTE");
	}
	const char *known = new_name_of(test->name);
	if (known) {
		struct str shown = str_head(test->name, 60);
		return complain(cursor, test->name_at,
			"\"%" STR_FMT "\" is a name of the predecessor; use %s", STR_ARG(shown),
			known);
	}
	rest = rest_of(cursor);
	if (rest.len && rest.at[0] == '{') {
		ptrdiff_t end = str_find_char(rest, '}');
		if (end <= 1) {
			return complain(cursor, cursor->at,
				"a label stands in braces, like disk.busy_percent{sda}");
		}
		test->label = str_range(rest.at + 1, (size_t)end - 1);
		cursor->at += (size_t)end + 1;
	}
	return true;
}

static bool read_op(struct cursor *cursor, struct test *test) {
	skip_blanks(cursor);
	struct str rest = rest_of(cursor);
	test->op_at = cursor->at;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (str_starts(rest, str_from(signs[i].sign))) {
			test->op = signs[i].op;
			cursor->at += strlen(signs[i].sign);
			return true;
		}
	}
	return complain(cursor, cursor->at, "%s",
		rest.len && rest.at[0] == '=' ? "\"=\" is no operator here; use =="
					      : "expected one of > < >= <= == != after the name");
}

static bool read_quoted(struct cursor *cursor, struct test *test, char quote) {
	struct str inner = str_skip(rest_of(cursor), 1);
	ptrdiff_t end = str_find_char(inner, quote);
	if (end < 0) {
		return complain(cursor, cursor->at, "the quote is not closed");
	}
	test->value = value_of_string(str_head(inner, (size_t)end));
	cursor->at += (size_t)end + 2;
	return true;
}

static bool read_value(struct cursor *cursor, struct test *test) {
	skip_blanks(cursor);
	struct str rest = rest_of(cursor);
	double number;
	size_t n = 0;
	test->value_at = cursor->at;
	if (rest.len && (rest.at[0] == '"' || rest.at[0] == '\'')) {
		return read_quoted(cursor, test, rest.at[0]);
	}
	while (n < rest.len && rest.at[n] != ' ' && rest.at[n] != '&' && rest.at[n] != '|') {
		n++;
	}
	struct str word = str_head(rest, n);
	cursor->at += n;
	struct str digits = str_ends(word, STR("%")) ? str_head(word, word.len - 1) : word;
	if (str_is(word, "true") || str_is(word, "false")) {
		test->value = value_of_bool(str_is(word, "true"));
	} else if (str_to_double(digits, &number) && isfinite(number)) {
		test->value = value_of_double(number);
	} else {
		struct str shown = str_head(word, 60);
		return complain(cursor, test->value_at,
			"\"%" STR_FMT
			"\" is no value; values are numbers like 90 or 90%%, \"text\" in "
			"quotes, true and false",
			STR_ARG(shown));
	}
	return true;
}

// True at the end, or with the cursor behind an "and".
static bool read_joint(struct cursor *cursor) {
	skip_blanks(cursor);
	struct str rest = rest_of(cursor), word;
	struct str copy = rest;
	if (!rest.len) {
		return true;
	}
	(void)str_word(&copy, &word);
	if (str_is(word, "and")) {
		cursor->at += 3;
		skip_blanks(cursor);
		return rest_of(cursor).len ||
			complain(cursor, cursor->at, "expected a test after \"and\"");
	}
	bool is_or = str_starts(rest, STR("||")) || str_is(word, "or");
	return complain(cursor, cursor->at, "%s",
		str_starts(rest, STR("&")) ? "tests are joined by the word and, not by &&"
			: is_or		   ? "there is no or: write one rule for each case"
					   : "expected \"and\", or the end of the condition");
}

// A figure is over a limit when it is on that side of it. For >= and <= the limit moves by the
// smallest step a number can make, so that the value itself counts.
static bool take_figure(struct cursor *cursor, const struct test *test, struct policy_when *out) {
	if (out->figure.at) {
		return complain(cursor, test->name_at,
			"a rule judges one figure, and this is the second: write two rules, or one "
			"mapping on the events of two thresholds");
	}
	bool is_bool = test->value.type == VALUE_BOOL;
	bool is_equality = test->op == OP_EQ || test->op == OP_NE;
	if (test->value.type == VALUE_STRING || is_bool != is_equality) {
		return complain(cursor, test->value_at, "%s",
			test->value.type == VALUE_STRING
				? "a figure is a number: compare it with > or < and a number"
				: is_bool
				? "true and false are compared with == or !="
				: "a measured figure is hardly ever exactly equal: use > or <; a "
				  "figure that says yes or no takes true or false");
	}
	out->figure = test->name;
	out->label = test->label;
	out->place = policy_place(cursor->text, test->name_at);
	if (is_bool) { // figures that say yes or no are 1 or 0
		bool wants_true = test->value.boolean == (test->op == OP_EQ);
		out->is_below = !wants_true;
		out->limit = wants_true ? 0 : 1;
		return true;
	}
	out->is_below = test->op == OP_LT || test->op == OP_LE;
	out->limit = test->op == OP_GE ? nextafter(test->value.number, -INFINITY)
		: test->op == OP_LE    ? nextafter(test->value.number, INFINITY)
				       : test->value.number;
	return true;
}

static bool take_kind(struct cursor *cursor, const struct test *test, struct policy_when *out) {
	if (test->op != OP_EQ || test->value.type != VALUE_STRING || !test->value.string.len) {
		return complain(cursor, test->op_at,
			"event.kind is compared with == and the name of a kind, like event.kind == "
			"\"file.modified\"; * stands for anything");
	}
	if (out->kind.at) {
		return complain(cursor, test->name_at,
			"event.kind stands here twice: write one rule for each kind");
	}
	out->kind = test->value.string;
	return true;
}

// {attribute = {op = value}}; two tests of one attribute share its table.
static bool take_attribute(
	struct cursor *cursor, const struct test *test, struct policy_when *out) {
	struct str name = str_skip(test->name, strlen("event."));
	struct place place = policy_place(cursor->text, test->name_at);
	struct str op = str_from(op_names[test->op]);
	if (!name.len || test->label.at) {
		return complain(cursor, test->name_at, "event. is followed by an attribute's name");
	}
	bool is_order = test->op != OP_EQ && test->op != OP_NE;
	if (is_order && test->value.type != VALUE_DOUBLE) {
		return complain(cursor, test->value_at, "> and < compare numbers; use == or !=");
	}
	struct value *ops = (struct value *)(uintptr_t)value_get(&out->where, name);
	if (!ops) {
		policy_add(&out->where, name, policy_table(cursor->arena, OP_COUNT, place), place);
		ops = &out->where.table.members[out->where.table.n - 1].value;
	}
	if (value_find_member(ops, op)) {
		return complain(cursor, test->name_at,
			"this attribute is tested twice with the same operator");
	}
	policy_add(ops, op, test->value, policy_place(cursor->text, test->value_at));
	return true;
}

static bool take_test(struct cursor *cursor, const struct test *test, struct policy_when *out) {
	if (!str_starts(test->name, STR("event."))) {
		return take_figure(cursor, test, out);
	}
	return str_is(test->name, "event.kind") && !test->label.at
		? take_kind(cursor, test, out)
		: take_attribute(cursor, test, out);
}

static bool check_whole(struct cursor *cursor, struct policy_when *out) {
	if (out->figure.at && out->kind.at) {
		return complain(cursor, 0,
			"a rule judges a figure or waits for an event, not both: leave out "
			"event.kind, or the figure");
	}
	return out->figure.at || out->kind.at ||
		complain(cursor, 0,
			"which event? add event.kind == \"...\" (annactl events shows kinds), or "
			"judge a "
			"figure like memory.used_percent > 90");
}

bool policy_parse_when(struct arena *arena, const struct value *text, struct policy_when *out,
	struct problems *problems) {
	struct cursor cursor = {arena, problems, text, 0};
	*out = (struct policy_when){.where = policy_table(arena, POLICY_TESTS_MAX, text->place)};
	skip_blanks(&cursor);
	size_t n = 0;
	do {
		struct test test = {0};
		size_t from = cursor.at;
		if (n++ == POLICY_TESTS_MAX) {
			return complain(&cursor, from, "a condition has at most %d tests",
				POLICY_TESTS_MAX);
		}
		if (!read_name(&cursor, &test) || !read_op(&cursor, &test) ||
			!read_value(&cursor, &test) || !take_test(&cursor, &test, out) ||
			!read_joint(&cursor)) {
			return false;
		}
	} while (rest_of(&cursor).len);
	return check_whole(&cursor, out);
}
