// SPDX-License-Identifier: Apache-2.0
// The subset of YAML that policy files are written in, and all that it refuses.
#include "formats/yaml.h"

#include "formats/json.h"
#include "tests/check.h"

// The list as JSON, then the problems.
static void check_parse(struct str text, const char *json, const char *expected_problems) {
	struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	struct buf out = BUF_INIT, told = BUF_INIT;
	const struct value *list = yaml_parse_list(arena, "p.yaml", text, &problems);
	CHECK_INT(list->type, VALUE_ARRAY);
	json_format(&out, list);
	problems_format(&problems, &told);
	if (json) {
		CHECK_TEXT(buf_text(&out), json);
	}
	if (expected_problems[0] == '*') {
		if (!strstr(buf_text(&told), expected_problems + 1)) {
			CHECK_TEXT(buf_text(&told), expected_problems);
		}
	} else {
		CHECK_TEXT(buf_text(&told), expected_problems);
	}
	buf_finish(&out);
	buf_finish(&told);
	problems_finish(&problems);
	arena_destroy(arena);
}

static const struct {
	const char *text, *json;
} good[] = {
	{"", "[]"},
	{"[]\n", "[]"},
	{"# only a comment\n\n  # another\n", "[]"},
	{"- a: b\n", "[{\"a\":\"b\"}]"},
	{"\xef\xbb\xbf---\n- a: b", "[{\"a\":\"b\"}]"},
	{"--- # start\n- a: b", "[{\"a\":\"b\"}]"},
	{"- a: b\r\n  c: d\r\n", "[{\"a\":\"b\",\"c\":\"d\"}]"},
	{"- a: b\n  c: true\n- a: false\n", "[{\"a\":\"b\",\"c\":true},{\"a\":false}]"},
	{"  -   a: 1\n      b: 2.5   # why\n", "[{\"a\":\"1\",\"b\":\"2.5\"}]"},
	{"-\n  a: b\n  c: d\n", "[{\"a\":\"b\",\"c\":\"d\"}]"},
	{"- # comment\n  a: b\n", "[{\"a\":\"b\"}]"},
	{"- a: \"x: y # z\\n\\\"q\\\"\\\\\\/\"\n", "[{\"a\":\"x: y # z\\n\\\"q\\\"\\\\/\"}]"},
	{"- a: 'it''s: \\n' # c\n", "[{\"a\":\"it's: \\\\n\"}]"},
	{"- a: ''\n  b: \"\"\n", "[{\"a\":\"\",\"b\":\"\"}]"},
	{"- a: exec [\"x\", \"y\"]\n", "[{\"a\":\"exec [\\\"x\\\", \\\"y\\\"]\"}]"},
	{"- a: x#y\n  b: a:b\n  c: -5\n", "[{\"a\":\"x#y\",\"b\":\"a:b\",\"c\":\"-5\"}]"},
	{"- a: \"true\"\n  b: True\n  c: yes\n", "[{\"a\":\"true\",\"b\":\"True\",\"c\":\"yes\"}]"},
	{"- a: gr\xc3\xbc\xc3\x9f\n", "[{\"a\":\"gr\xc3\xbc\xc3\x9f\"}]"},
};

TEST(a_list_of_maps_of_scalars_is_read) {
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		check_parse(str_from(good[i].text), good[i].json, "");
	}
}

static const struct {
	const char *text, *message;
} bad[] = {
	{"a: b\n", "*p.yaml:1:1: error: a policy file is a list: begin each rule with \"- \""},
	{"- a: &x b\n", "*p.yaml:1:6: error: anchors and aliases"},
	{"- a: *x\n", "*p.yaml:1:6: error: anchors and aliases"},
	{"- a: !!str b\n", "*1:6: error: tags (!)"},
	{"- a: |\n    b\n", "*1:6: error: values of several lines"},
	{"- a: >-\n", "*1:6: error: values of several lines"},
	{"- a: {b: c}\n", "*1:6: error: maps inside a value"},
	{"- a: [b]\n", "*1:6: error: lists inside a value"},
	{"- a: - b\n", "*1:6: error: lists and complex keys"},
	{"- - a: b\n", "*1:3: error: expected a key and a value"},
	{"- ? a\n", "*1:3: error: expected a key and a value"},
	{"- a\n", "*1:3: error: expected a key and a value"},
	{"- \"a\": b\n", "*1:3: error: expected a key and a value"},
	{"- a:b\n", "*1:3: error: expected a key and a value"},
	{"- <<: b\n", "*1:3: error: expected a key and a value"},
	{"- a:\n    b: c\n", "*1:4: error: this key has no value on its line"},
	{"- a: # c\n", "*1:5: error: this key has no value on its line"},
	{"- a: ~\n", "*1:6: error: this key has no value; leave it out"},
	{"- a: b: c\n", "*1:6: error: a colon and a blank inside a value"},
	{"- a: b\n  a: c\n", "*2:3: error: the key \"a\" stands in this item already, at line 1"},
	{"- a: b\n    c: d\n",
		"*2:5: error: the keys of a rule stand in one column, this one's in "
		"column 3"},
	{"- a: b\n c: d\n", "*2:2: error: the keys of a rule stand in one column"},
	{"- a: b\nc: d\n", "*2:1: error: this belongs to no rule"},
	{"- a: b\n  - c: d\n", "*2:3: error: this \"-\" is not below the one of the first rule"},
	{"- a: b\n\tc: d\n", "*2:1: error: YAML is indented with blanks"},
	{"- a: b\tc\n", "*1:6: error: a tab inside a value"},
	{"- a: \"b\n", "*1:6: error: the quote is not closed"},
	{"- a: 'b''\n", "*1:6: error: the quote is not closed"},
	{"- a: \"b\" c\n", "*1:10: error: nothing may follow the closing quote"},
	{"- a: \"b\"#c\n", "*1:9: error: nothing may follow the closing quote"},
	{"- a: \"\\x41\"\n", "*1:7: error: this escape is not read"},
	{"- a: \"\\\n", "*1:7: error: this escape is not read"},
	{"---\n- a: b\n---\n- a: c\n", "*3:1: error: one file is one document"},
	{"- a: b\n...\n", "*2:1: error: one file is one document"},
	{"--- a\n", "*1:1: error: nothing may follow \"---\""},
	{"%YAML 1.2\n---\n", "*1:1: error: directives"},
	{"- a: \x01\n", "*1:6: error: control characters"},
	{"- a: \xff\n", "*1:1: error: this line is not UTF-8"},
	{"- a: %x\n", "*1:6: error: a value cannot begin with this character"},
};

TEST(all_else_is_refused_at_its_place_with_what_to_write) {
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		check_parse(str_from(bad[i].text), NULL, bad[i].message);
	}
}

TEST(all_mistakes_of_a_file_are_told_and_the_rest_is_read) {
	check_parse(STR("- a: &x b\n  b: c\n- a: {}\n  d: e\n"), "[{\"b\":\"c\"},{\"d\":\"e\"}]",
		"p.yaml:1:6: error: anchors and aliases (& and *) are not read: write the value "
		"out\n"
		"p.yaml:3:6: error: maps inside a value are not read: `then` is one text, like "
		"then: "
		"log\n");
}

TEST(a_nul_byte_is_a_control_character) {
	check_parse(STR("- a: b\0c\n"), "[]", "*control characters");
}

TEST(columns_count_characters_and_values_begin_behind_their_quote) {
	struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	const struct value *list = yaml_parse_list(
		arena, "p.yaml", STR("- a: b # \xc3\xbc\n  c: \"d\"\n"), &problems);
	const struct value *item = &list->array.items[0];
	CHECK_INT(value_get(item, STR("a"))->place.column, 6);
	CHECK_INT(value_get(item, STR("c"))->place.line, 2);
	CHECK_INT(value_get(item, STR("c"))->place.column, 7);
	check_parse(STR("- a: '\xc3\xbc' x\n"), NULL, "*1:10: error: nothing may follow");
	arena_destroy(arena);
}

TEST(items_keys_and_lengths_are_bounded) {
	struct buf text = BUF_INIT;
	for (int i = 0; i < YAML_ITEMS_MAX + 5; i++) {
		buf_append_text(&text, "- a: b\n");
	}
	check_parse(buf_str(&text), NULL, "*p.yaml:1001:1: error: a file holds at most 1000 items");
	buf_clear(&text);
	buf_append_text(&text, "- a: b\n");
	for (int i = 0; i < YAML_KEYS_MAX; i++) {
		buf_appendf(&text, "  k%d: b\n", i);
	}
	check_parse(buf_str(&text), NULL, "*an item has at most 16 keys");
	buf_clear(&text);
	buf_append_text(&text, "- a: ");
	for (int i = 0; i <= YAML_SCALAR_MAX; i++) {
		buf_append_char(&text, 'x');
	}
	check_parse(buf_str(&text), NULL, "*longer than 4096 bytes");
	buf_finish(&text);
}

int main(void) {
	return TESTS(RUN(a_list_of_maps_of_scalars_is_read),
		RUN(all_else_is_refused_at_its_place_with_what_to_write),
		RUN(all_mistakes_of_a_file_are_told_and_the_rest_is_read),
		RUN(a_nul_byte_is_a_control_character),
		RUN(columns_count_characters_and_values_begin_behind_their_quote),
		RUN(items_keys_and_lengths_are_bounded));
}
