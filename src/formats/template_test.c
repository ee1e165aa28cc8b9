// SPDX-License-Identifier: Apache-2.0
#include "formats/template.h"

#include "tests/check.h"

// {x} is "value", {brace} is "{x}", {long} is 1000 times e-acute; all else is missing.
static bool lookup(void *arg, struct str name, struct buf *out) {
	int *calls = arg;
	++*calls;
	if (str_is(name, "x")) {
		buf_append_text(out, "value");
		return true;
	}
	if (str_is(name, "brace")) {
		buf_append_text(out, "{x}");
		return true;
	}
	for (int i = 0; i < 1000 && str_is(name, "long"); i++) {
		buf_append_text(out, "\xc3\xa9");
	}
	buf_append_text(out, str_is(name, "failing") ? "rubbish" : "");
	return str_is(name, "long");
}

static void check_expansion(const char *text, size_t limit, const char *expected) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	struct buf buf = BUF_INIT;
	int calls = 0;
	const struct template *template = template_compile(arena, str_from(text), &err);
	CHECK_TEXT(err.message, "");
	buf_append_text(&buf, ">");
	template_expand(template, lookup, &calls, limit, &buf);
	CHECK_STR(str_skip(buf_str(&buf), 1), expected);
	CHECK_INT(buf.len, strlen(expected) + 1);
	buf_finish(&buf);
}

TEST(names_are_replaced) {
	check_expansion("", 100, "");
	check_expansion("plain", 100, "plain");
	check_expansion("{x}", 100, "value");
	check_expansion("a {x} b {x}{x}", 100, "a value b valuevalue");
	check_expansion("[{a.b_C9}]", 100, "[]");
	check_expansion("[{failing}]", 100, "[]");
}

TEST(doubled_braces_are_braces) {
	check_expansion("{{}}", 100, "{}");
	check_expansion("{{x}}", 100, "{x}");
	check_expansion("{{{x}}}", 100, "{value}");
	check_expansion("{{{{", 100, "{{");
}

TEST(values_are_not_expanded_again) {
	check_expansion("{brace}", 100, "{x}");
}

TEST(expansion_is_cut_at_a_character) {
	check_expansion("ab{x}cd", 4, "abva");
	check_expansion("ab{x}cd", 0, "");
	check_expansion("ab{x}", 7, "abvalue");
	check_expansion("{long}", 5, "\xc3\xa9\xc3\xa9");
	check_expansion("a\xf0\x9f\x98\x80z", 4, "a");
}

TEST(braces_that_do_not_pair_are_refused) {
	static const struct {
		const char *text, *message;
	} rows[] = {{"ab{x", "column 3: '{' without '}' after it; write '{{' for a brace itself"},
		{"\xc3\xa9}", "column 2: '}' without '{' before it; write '}}' for a brace itself"},
		{"{x}}", "column 4: '}' without '{' before it; write '}}' for a brace itself"},
		{"{}",
			"column 1: there is no name between '{' and '}'; write '{{}}' for the "
			"braces themselves"},
		{"{a b}",
			"column 3: a name is letters, digits, '_' and '.'; write '{{' for a "
			"brace itself"},
		{"{", "column 1: '{' without '}' after it; write '{{' for a brace itself"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		_cleanup_(arena_destroyp) struct arena *arena = arena_create();
		struct err err = ERR_INIT;
		CHECK(!template_compile(arena, str_from(rows[i].text), &err));
		CHECK_INT(err.code, ERR_INVALID);
		CHECK_TEXT(err.message, rows[i].message);
	}
}

static void add_name(void *arg, struct str name) {
	buf_append_str(arg, name);
	buf_append_char(arg, ';');
}

TEST(the_names_used_are_listed_in_order) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct buf names = BUF_INIT;
	template_names(template_compile(arena, STR("{b} {a}{{c}} {b}"), NULL), add_name, &names);
	CHECK_TEXT(buf_text(&names), "b;a;b;");
	buf_finish(&names);
}

int main(void) {
	return TESTS(RUN(names_are_replaced), RUN(doubled_braces_are_braces),
		RUN(values_are_not_expanded_again), RUN(expansion_is_cut_at_a_character),
		RUN(braces_that_do_not_pair_are_refused), RUN(the_names_used_are_listed_in_order));
}
