// SPDX-License-Identifier: Apache-2.0
#include "formats/value.h"

#include <math.h>

#include "formats/json.h"
#include "tests/check.h"

static struct arena *arena;

static const struct value *parse(const char *json) {
	struct err err = ERR_INIT;
	const struct value *value = json_parse(arena, str_from(json), JSON_DEPTH, &err);
	CHECK_TEXT(err.message, "");
	return value;
}

TEST(members_are_found_by_key) {
	arena = arena_create();
	const struct value *table = parse("{\"a\":1,\"b\":null}");
	CHECK_INT(value_get(table, STR("a"))->integer, 1);
	CHECK_INT(value_get(table, STR("b"))->type, VALUE_NULL);
	CHECK_STR(value_find_member(table, STR("b"))->key, "b");
	CHECK(!value_get(table, STR("c")));
	CHECK(!value_get(NULL, STR("a")));
	CHECK(!value_get(value_get(table, STR("a")), STR("a")));
	arena_destroy(arena);
}

TEST(equality_looks_at_meaning_not_at_writing) {
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {{"1", "1.0", true}, {"1", "1.5", false},
		{"{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true}, {"[1,2]", "[2,1]", false},
		{"[1]", "[1,1]", false}, {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
		{"{\"a\":1}", "{\"b\":1}", false}, {"\"1\"", "1", false}, {"null", "false", false},
		{"true", "true", true}, {"9007199254740993", "9007199254740992.0", false},
		{"9223372036854775807", "9223372036854775808.0", false}, {"-0.0", "0", true}};
	arena = arena_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s %s\n", rows[i].a, rows[i].b);
		const struct value *a = parse(rows[i].a), *b = parse(rows[i].b);
		CHECK(value_equal(a, b) == rows[i].equal);
		CHECK(value_equal(b, a) == rows[i].equal);
	}
	struct value nan = value_of_double(NAN);
	CHECK(value_equal(&nan, &nan));
	arena_destroy(arena);
}

TEST(a_copy_shares_nothing) {
	char text[] = "{\"key\":[\"text\",{\"n\":1}],\"e\":[]}";
	arena = arena_create();
	_cleanup_(arena_destroyp) struct arena *other = arena_create();
	struct value copy = value_copy(other, parse(text));
	arena_destroy(arena);
	memset(text, 'x', sizeof(text) - 1);
	struct buf buf = BUF_INIT;
	json_format(&buf, &copy);
	CHECK_TEXT(buf_text(&buf), "{\"key\":[\"text\",{\"n\":1}],\"e\":[]}");
	buf_finish(&buf);
}

TEST(only_numbers_become_doubles) {
	double number = 42;
	struct value i = value_of_int(3), d = value_of_double(0.5), s = value_of_string(STR("1"));
	CHECK(!value_to_double(&s, &number));
	CHECK(!value_to_double(NULL, &number));
	CHECK_DOUBLE(number, 42);
	CHECK(value_to_double(&i, &number));
	CHECK_DOUBLE(number, 3);
	CHECK(value_to_double(&d, &number));
	CHECK_DOUBLE(number, 0.5);
}

TEST(types_have_names_with_an_article) {
	CHECK_TEXT(value_type_name(VALUE_INT), "an integer");
	CHECK_TEXT(value_type_name(VALUE_TABLE), "a table");
	CHECK_TEXT(value_type_name((enum value_type)99), "an unknown type");
}

int main(void) {
	return TESTS(RUN(members_are_found_by_key), RUN(equality_looks_at_meaning_not_at_writing),
		RUN(a_copy_shares_nothing), RUN(only_numbers_become_doubles),
		RUN(types_have_names_with_an_article));
}
