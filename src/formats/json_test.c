// SPDX-License-Identifier: Apache-2.0
#include "formats/json.h"

#include <math.h>

#include "tests/check.h"

struct row {
	const char *text;
	const char *expected; // what json_format makes of it, or the error
};

static void check_good(const struct row *rows, size_t n) {
	for (size_t i = 0; i < n; i++) {
		_cleanup_(arena_destroyp) struct arena *arena = arena_create();
		struct err err = ERR_INIT;
		struct buf buf = BUF_INIT;
		print_message("%s\n", rows[i].text);
		const struct value *value = json_parse(
			arena, str_from(rows[i].text), JSON_DEPTH, &err);
		CHECK_TEXT(err.message, "");
		json_format(&buf, value);
		CHECK_TEXT(buf_text(&buf), rows[i].expected);
		buf_finish(&buf);
	}
}

static void check_bad(const struct row *rows, size_t n) {
	for (size_t i = 0; i < n; i++) {
		_cleanup_(arena_destroyp) struct arena *arena = arena_create();
		struct err err = ERR_INIT;
		print_message("%s\n", rows[i].text);
		CHECK(!json_parse(arena, str_from(rows[i].text), 4, &err));
		CHECK_INT(err.code, ERR_PARSE);
		CHECK_TEXT(err.message, rows[i].expected);
	}
}

#define GOOD(...) \
	do { \
		static const struct row rows_[] = {__VA_ARGS__}; \
		check_good(rows_, sizeof(rows_) / sizeof(*rows_)); \
	} while (0)
#define BAD(...) \
	do { \
		static const struct row rows_[] = {__VA_ARGS__}; \
		check_bad(rows_, sizeof(rows_) / sizeof(*rows_)); \
	} while (0)

TEST(values_of_every_kind_are_read) {
	GOOD({" null ", "null"}, {"true", "true"}, {"false", "false"}, {"\"\"", "\"\""},
		{"[]", "[]"}, {"{}", "{}"}, {"[ 1 , [ 2 ] ]", "[1,[2]]"},
		{"\t{ \"a\" : { \"b\" : [ { } ] } }\r\n", "{\"a\":{\"b\":[{}]}}"},
		{"{\"\":1}", "{\"\":1}"});
}

TEST(numbers_keep_their_value) {
	GOOD({"0", "0"}, {"-0", "0"}, {"-0.0", "-0.0"},
		{"9223372036854775807", "9223372036854775807"},
		{"-9223372036854775808", "-9223372036854775808"},
		{"9223372036854775808", "9.223372036854776e+18"}, {"1.50", "1.5"}, {"1e2", "100"},
		{"1E+2", "100"}, {"1e-400", "0"}, {"0.1", "0.1"}, {"-1.25e-3", "-0.00125"});
}

TEST(strings_are_decoded) {
	GOOD({"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
		{"\"a\\u0041\\u00e9\\u20AC\\ud83d\\ude00b\"",
			"\"aA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
			"b\""},
		{"\"\\u0000\\u001f\\u007f\"", "\"\\u0000\\u001f\x7f\""},
		{"\"\xc3\xa9\"", "\"\xc3\xa9\""}, {"{\"\\u0061\":1}", "{\"a\":1}"});
}

TEST(broken_texts_are_refused_with_their_place) {
	BAD({"", "1:1: expected a value, found the end of the text"},
		{"  \n ", "2:2: expected a value, found the end of the text"},
		{"nul", "1:1: expected a value, found 'n'"},
		{"True", "1:1: expected a value, found 'T'"},
		{"1 2", "1:3: expected nothing after the value, found '2'"},
		{"[1,]", "1:4: expected a value, found ']'"},
		{"[1 2]", "1:4: expected ',' or ']' after an item, found '2'"},
		{"[1", "1:3: expected ',' or ']' after an item, found the end of the text"},
		{"{\"a\" 1}", "1:6: expected ':' after the key, found '1'"},
		{"{a:1}", "1:2: expected a key in double quotes, found 'a'"},
		{"{\"a\":1,}", "1:8: expected a key in double quotes, found '}'"},
		{"{\"a\":1", "1:7: expected ',' or '}' after a member, found the end of the text"},
		{"{\"a\":1,\"\\u0061\":2}", "1:8: the key \"a\" is given twice"},
		{"[\n\"\xc3\xa9\" x]", "2:5: expected ',' or ']' after an item, found 'x'"},
		{"\xef\xbb\xbf{}", "1:1: expected a value, found byte 0xef"},
		{"/**/1", "1:1: expected a value, found '/'"},
		{"'a'", "1:1: expected a value, found '\''"});
}

TEST(broken_numbers_are_refused) {
	BAD({"01", "1:1: a number may not begin with 0"},
		{"-", "1:2: expected a digit, found the end of the text"},
		{"+1", "1:1: expected a value, found '+'"},
		{".5", "1:1: expected a value, found '.'"},
		{"1.", "1:3: expected a digit after the decimal point, found the end of the text"},
		{"1e", "1:3: expected a digit in the exponent, found the end of the text"},
		{"1e+", "1:4: expected a digit in the exponent, found the end of the text"},
		{"1e400", "1:1: this number is too large"},
		{"NaN", "1:1: expected a value, found 'N'"},
		{"0x1", "1:2: expected nothing after the value, found 'x'"});
}

TEST(broken_strings_are_refused) {
	BAD({"\"a", "1:1: this string is not closed before the end of the text"},
		{"\"a\\",
			"1:4: expected one of \" \\ / b f n r t u after \\, found the end of the "
			"text"},
		{"\"\\x\"", "1:3: expected one of \" \\ / b f n r t u after \\, found 'x'"},
		{"\"\\u12\"", "1:6: expected four hexadecimal digits after \\u, found '\"'"},
		{"\"\\udc00\"", "1:2: a low surrogate without a high one before it"},
		{"\"\\ud800\"", "1:2: a high surrogate without a low one after it"},
		{"\"\\ud800\\u0041\"", "1:2: a high surrogate without a low one after it"},
		{"\"a\nb\"", "1:3: control character 0x0a in a string; write it as \\u000a"},
		{"\"\\t\x01\"", "1:4: control character 0x01 in a string; write it as \\u0001"},
		{"\"\xff\"", "1:1: this string is not UTF-8"},
		{"\"\\n\xed\xa0\x80\"", "1:1: this string is not UTF-8"});
}

TEST(a_byte_that_ends_or_breaks_a_string_does_so_at_every_place) {
	for (int c = 0; c < 256; c++) {
		for (size_t place = 0; place < 20; place++) {
			char text[22];
			memset(text, 'a', sizeof(text));
			text[0] = text[21] = '"';
			text[place + 1] = (char)c;
			bool is_plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
			bool is_escape = c == '\\' && place == 19; // hides the closing quote
			struct arena *arena = arena_create();
			const struct value *value = json_parse(
				arena, str_range(text, sizeof(text)), 4, NULL);
			CHECK(is_escape ? !value : (value != NULL) == is_plain);
			CHECK(!value ||
				(value->string.len == 20 &&
					memcmp(value->string.at, text + 1, 20) == 0));
			arena_destroy(arena);
		}
	}
}

TEST(a_nul_byte_is_no_end) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	CHECK(!json_parse(arena, str_range("1\0", 2), JSON_DEPTH, &err));
	CHECK(!json_parse(arena, str_range("\"\0\"", 3), JSON_DEPTH, &err));
	CHECK(!json_parse(arena, (struct str){NULL, 0}, JSON_DEPTH, NULL));
}

TEST(depth_is_limited) {
	BAD({"[[[[[1]]]]]", "1:5: nested deeper than 4 levels"},
		{"{\"a\":[{\"a\":[[]]}]}", "1:13: nested deeper than 4 levels"});
	GOOD({"[[[[1]]],[[[2]]]]", "[[[[1]]],[[[2]]]]"});
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	static char deep[200000];
	memset(deep, '[', sizeof(deep));
	CHECK(!json_parse(arena, str_range(deep, sizeof(deep)), 1 << 30, NULL));
}

TEST(large_objects_and_arrays_are_read_and_checked) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;
	buf_append_text(&text, "{\"list\":[");
	for (int i = 0; i < 1000; i++) {
		buf_appendf(&text, "%s{\"n\":%d}", i ? "," : "", i);
	}
	buf_append_text(&text, "]");
	for (int i = 0; i < 1000; i++) {
		buf_appendf(&text, ",\"key%d\":%d", i, i);
	}
	buf_append_text(&text, "}");
	const struct value *value = json_parse(arena, buf_str(&text), JSON_DEPTH, &err);
	CHECK_TEXT(err.message, "");
	CHECK_INT(value_get(value, STR("list"))->array.n, 1000);
	CHECK_INT(value_get(value, STR("key999"))->integer, 999);
	text.at[--text.len] = ',';
	text.len++;
	buf_append_text(&text, "\"key500\":1}");
	CHECK(!json_parse(arena, buf_str(&text), JSON_DEPTH, &err));
	CHECK(strstr(err.message, "the key \"key500\" is given twice"));
	buf_finish(&text);
}

TEST(strings_without_escapes_borrow_from_the_text) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct str text = STR("\"abc\"");
	const struct value *value = json_parse(arena, text, JSON_DEPTH, NULL);
	CHECK(value->string.at == text.at + 1);
}

TEST(the_writer_places_commas) {
	struct buf buf = BUF_INIT;
	struct json_writer writer;
	struct value list = value_of_int(7);
	json_writer_init(&writer, &buf);
	json_begin_object(&writer);
	json_member_int(&writer, "i", -1);
	json_member_uint(&writer, "u", UINT64_MAX);
	json_member_double(&writer, "d", 0.5);
	json_member_double(&writer, "nan", NAN);
	json_member_bool(&writer, "b", true);
	json_member_text(&writer, "none", NULL);
	json_member_time(&writer, "t", 0);
	json_key(&writer, "empty");
	json_begin_array(&writer);
	json_end_array(&writer);
	json_key(&writer, "list");
	json_begin_array(&writer);
	json_begin_object(&writer);
	json_end_object(&writer);
	json_value(&writer, &list);
	json_raw(&writer, STR("[1]"));
	json_str(&writer, STR("x\"y"));
	json_end_array(&writer);
	json_end_object(&writer);
	CHECK_TEXT(buf_text(&buf),
		"{\"i\":-1,\"u\":18446744073709551615,\"d\":0.5,\"nan\":null,\"b\":true,"
		"\"none\":null,\"t\":\"1970-01-01T00:00:00.000000Z\",\"empty\":[],"
		"\"list\":[{},7,[1],\"x\\\"y\"]}");
	buf_finish(&buf);
}

TEST(bytes_that_are_not_utf8_are_replaced) {
	struct buf buf = BUF_INIT;
	struct json_writer writer;
	json_writer_init(&writer, &buf);
	json_str(&writer, STR("a\xff\xe2\x82z\xed\xa0\x80\xc3\xa9\xf0\x9f\x98"));
#define BAD_BYTE "\xef\xbf\xbd"
	CHECK_TEXT(buf_text(&buf),
		"\"a" BAD_BYTE BAD_BYTE BAD_BYTE "z" BAD_BYTE BAD_BYTE BAD_BYTE
		"\xc3\xa9" BAD_BYTE BAD_BYTE BAD_BYTE "\"");
	buf_finish(&buf);
}

int main(void) {
	return TESTS(RUN(values_of_every_kind_are_read), RUN(numbers_keep_their_value),
		RUN(strings_are_decoded), RUN(broken_texts_are_refused_with_their_place),
		RUN(broken_numbers_are_refused), RUN(broken_strings_are_refused),
		RUN(a_byte_that_ends_or_breaks_a_string_does_so_at_every_place),
		RUN(a_nul_byte_is_no_end), RUN(depth_is_limited),
		RUN(large_objects_and_arrays_are_read_and_checked),
		RUN(strings_without_escapes_borrow_from_the_text), RUN(the_writer_places_commas),
		RUN(bytes_that_are_not_utf8_are_replaced));
}
