// SPDX-License-Identifier: Apache-2.0
#include "ctl/attributes.h"

#include "formats/json.h"
#include "tests/check.h"

TEST(values_are_guessed_by_their_looks) {
	static const struct {
		const char *text, *json;
	} rows[] = {
		{"1", "1"},
		{"-12", "-12"},
		{"0", "0"},
		{"1.5", "1.5"},
		{"1e3", "1000.0"},
		{"true", "true"},
		{"false", "false"},
		{"True", "\"True\""},
		{"", "\"\""},
		{"null", "\"null\""},
		{"007", "\"007\""},
		{"-01", "\"-01\""},
		{"0.5", "0.5"},
		{"1.2.3", "\"1.2.3\""},
		{"-", "\"-\""},
		{"inf", "\"inf\""},
		{"+5", "\"+5\""},
		{"9223372036854775807", "9223372036854775807"},
		{"a b", "\"a b\""},
		{"0x10", "\"0x10\""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct value value = attribute_guess(str_from(rows[i].text));
		struct buf json = BUF_INIT;
		json_format(&json, &value);
		if (value.type == VALUE_DOUBLE) { // as written is the writer's choice
			double expected;
			CHECK(str_to_double(str_from(rows[i].json), &expected));
			CHECK_DOUBLE(value.number, expected);
		} else {
			CHECK_TEXT(buf_text(&json), rows[i].json);
		}
		buf_finish(&json);
	}
}

static bool parse(struct arena *arena, const char *word, const char *json, struct value *out,
	struct err *err) {
	struct str words[2] = {str_from(word), STR("z=1")};
	return attributes_parse(arena, words, 2, str_from(json), out, err);
}

TEST(raw_json_needs_a_colon_and_a_value_may_hold_equals) {
	struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	struct value value;
	struct buf json = BUF_INIT;
	CHECK(parse(arena, "parts:=[\"a\",{\"b\":null}]", "{\"base\": 1}", &value, &err));
	json_format(&json, &value);
	CHECK_TEXT(buf_text(&json), "{\"base\":1,\"parts\":[\"a\",{\"b\":null}],\"z\":1}");
	CHECK(parse(arena, "expression=a=b:=c", "", &value, &err));
	CHECK_STR(value.table.members[0].value.string, "a=b:=c");
	buf_finish(&json);
	arena_destroy(arena);
}

TEST(what_is_no_attribute_is_refused_with_the_reason) {
	static const struct {
		const char *word, *json, *message;
	} rows[] = {
		{"plain", "", "\"plain\" is not an attribute: it must be key=value or key:=json"},
		{"=1", "", "\"=1\" is not an attribute: it must be key=value or key:=json"},
		{":=1", "", "\":=1\" is not an attribute: it must be key=value or key:=json"},
		{"z=2", "", "attribute \"z\" is given twice"},
		{"a=1", "{\"a\":2}", "attribute \"a\" is given twice"},
		{"a=1", "[1]", "--json-attributes is not a JSON object"},
		{"a=\xff", "", "an attribute is not UTF-8 text"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_create();
		struct err err = ERR_INIT;
		struct value value;
		CHECK(!parse(arena, rows[i].word, rows[i].json, &value, &err));
		CHECK_TEXT(err.message, rows[i].message);
		arena_destroy(arena);
	}
}

int main(void) {
	return TESTS(RUN(values_are_guessed_by_their_looks),
		RUN(raw_json_needs_a_colon_and_a_value_may_hold_equals),
		RUN(what_is_no_attribute_is_refused_with_the_reason));
}
