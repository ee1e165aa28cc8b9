// SPDX-License-Identifier: Apache-2.0
// Good documents against the JSON of what they mean, bad ones against every line of complaint.
#include "formats/toml.h"

#include <math.h>

#include "base/random.h"
#include "formats/json.h"
#include "tests/check.h"

struct row {
	const char *text;
	const char *expected;
};

// The document as JSON, or all that is wrong with it.
static void check_rows(const struct row *rows, size_t n) {
	for (size_t i = 0; i < n; i++) {
		_cleanup_(arena_destroyp) struct arena *arena = arena_create();
		struct problems problems = PROBLEMS_INIT;
		struct buf buf = BUF_INIT;
		print_message("%s\n", rows[i].text);
		const struct value *root = toml_parse(
			arena, NULL, str_from(rows[i].text), &problems);
		if (problems.n) {
			problems_format(&problems, &buf);
		} else {
			json_format(&buf, root);
		}
		CHECK_TEXT(buf_text(&buf), rows[i].expected);
		buf_finish(&buf);
		problems_finish(&problems);
	}
}

#define ROWS(...) \
	do { \
		static const struct row rows_[] = {__VA_ARGS__}; \
		check_rows(rows_, sizeof(rows_) / sizeof(*rows_)); \
	} while (0)

TEST(documents_of_comments_and_blanks_are_empty) {
	ROWS({"", "{}"}, {"\n\r\n \t\n", "{}"}, {"# only a comment", "{}"},
		{"\xef\xbb\xbf# after a BOM \xc3\xa9\t\n", "{}"});
}

TEST(keys_of_all_kinds_are_read) {
	ROWS({"a = 1\n", "{\"a\":1}"}, {"a=1", "{\"a\":1}"}, {"a-B_9 = 1", "{\"a-B_9\":1}"},
		{"1234 = 1", "{\"1234\":1}"}, {"\"a b\" = 1", "{\"a b\":1}"},
		{"\"\" = 1", "{\"\":1}"}, {"'' = 1", "{\"\":1}"},
		{"'a\"\\n' = 1", "{\"a\\\"\\\\n\":1}"}, {"\"\\u00e9\" = 1", "{\"\xc3\xa9\":1}"},
		{"a . b.\"c.d\" = 1", "{\"a\":{\"b\":{\"c.d\":1}}}"},
		{"3.14 = 1", "{\"3\":{\"14\":1}}"},
		{"a.b = 1\na.c = 2", "{\"a\":{\"b\":1,\"c\":2}}"},
		{"a.x = 1\nb.x = 2\na.y = 3", "{\"a\":{\"x\":1,\"y\":3},\"b\":{\"x\":2}}"},
		{"true = 1", "{\"true\":1}"});
}

TEST(integers_of_every_base_are_read) {
	ROWS({"a = +99", "{\"a\":99}"}, {"a = 0", "{\"a\":0}"}, {"a = -0", "{\"a\":0}"},
		{"a = -17", "{\"a\":-17}"}, {"a = 1_000", "{\"a\":1000}"},
		{"a = 1_2_3", "{\"a\":123}"},
		{"a = 9223372036854775807", "{\"a\":9223372036854775807}"},
		{"a = -9223372036854775808", "{\"a\":-9223372036854775808}"},
		{"a = 0xDEAD_beef", "{\"a\":3735928559}"}, {"a = 0o755", "{\"a\":493}"},
		{"a = 0b1101_0110", "{\"a\":214}"}, {"a = 0x00", "{\"a\":0}"},
		{"a = 0x7fffffffffffffff", "{\"a\":9223372036854775807}"},
		{"a = 0o777777777777777777777", "{\"a\":9223372036854775807}"});
}

TEST(broken_integers_are_refused) {
	ROWS({"a = 01",
		     "1:5: error: '01' is not a valid number: a number may not begin with 0 "
		     "(octal is written 0o17)\n"},
		{"a = 1_",
			"1:5: error: '1_' is not a valid number: an underscore must stand "
			"between two digits\n"},
		{"a = 1__0",
			"1:5: error: '1__0' is not a valid number: an underscore must stand "
			"between two digits\n"},
		{"a = _1", "1:5: error: expected a value, found '_1'; text is put in \"quotes\"\n"},
		{"a = +0x1",
			"1:5: error: '+0x1' is not a valid number: a number in another base "
			"has no sign\n"},
		{"a = 0x",
			"1:5: error: '0x' is not a valid number: expected hexadecimal digits "
			"after 0x\n"},
		{"a = 0o8",
			"1:5: error: '0o8' is not a valid number: expected digits 0 to 7 after "
			"0o\n"},
		{"a = 0b_1",
			"1:5: error: '0b_1' is not a valid number: expected digits 0 and 1 "
			"after 0b\n"},
		{"a = 0X1",
			"1:5: error: '0X1' is not a valid number: only digits, '_', '.', 'e' "
			"and a sign make a number\n"},
		{"a = 9223372036854775808",
			"1:5: error: '9223372036854775808' is not a valid number: it does not fit "
			"into 64 bits\n"},
		{"a = 0x8000000000000000",
			"1:5: error: '0x8000000000000000' is not a valid number: it does not fit "
			"into 64 bits\n"},
		{"a = 12px",
			"1:5: error: '12px' is not a valid number: only digits, '_', '.', 'e' "
			"and a sign make a number\n"},
		{"a = --1",
			"1:5: error: '--1' is not a valid number: a number begins with a "
			"digit\n"});
}

TEST(floats_are_read) {
	ROWS({"a = 3.1415", "{\"a\":3.1415}"}, {"a = -0.01", "{\"a\":-0.01}"},
		{"a = 5e+22", "{\"a\":5e+22}"}, {"a = 1E06", "{\"a\":1000000}"},
		{"a = 6.5e-3", "{\"a\":0.0065}"}, {"a = 2_24.6_17_5", "{\"a\":224.6175}"},
		{"a = 1e1_0", "{\"a\":10000000000}"}, {"a = +0.0", "{\"a\":0}"},
		{"a = inf", "{\"a\":null}"}, {"a = -nan", "{\"a\":null}"});
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	const struct value *root = toml_parse(
		arena, NULL, STR("a=+inf\nb=-inf\nc=nan\nd=1.0"), &problems);
	CHECK_DOUBLE(value_get(root, STR("a"))->number, INFINITY);
	CHECK_DOUBLE(value_get(root, STR("b"))->number, -INFINITY);
	CHECK(isnan(value_get(root, STR("c"))->number));
	CHECK_INT(value_get(root, STR("d"))->type, VALUE_DOUBLE);
}

TEST(broken_floats_are_refused) {
	static const char *const rows[] = {"1.", ".1", "1.e5", "1e", "1e+", "1._5", "1_.5", "1.5_",
		"1e_5", "01.5", "00.5", "1.5.2", "+.5", "1e5.2", "1e400", "infinity", "+Inf", "NaN",
		"1e+-5", "+", "-", "0.e1", "e5"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		_cleanup_(arena_destroyp) struct arena *arena = arena_create();
		struct problems problems = PROBLEMS_INIT;
		char *text = arena_printf(arena, "a = %s", rows[i]);
		print_message("%s\n", text);
		(void)toml_parse(arena, NULL, str_from(text), &problems);
		CHECK_INT(problems.errors, 1);
		CHECK_INT(problems.items[0].column, 5);
		problems_finish(&problems);
	}
}

TEST(booleans_are_lower_case) {
	ROWS({"a = true\nb = false", "{\"a\":true,\"b\":false}"},
		{"a = True", "1:5: error: expected a value, found 'True'; it is written 'true'\n"},
		{"a = falsey",
			"1:5: error: expected a value, found 'falsey'; text is put in "
			"\"quotes\"\n"});
}

TEST(basic_strings_are_decoded) {
	ROWS({"a = \"\"", "{\"a\":\"\"}"}, {"a = \"x # y\" # z", "{\"a\":\"x # y\"}"},
		{"a = \"\\b\\t\\n\\f\\r\\\"\\\\\"", "{\"a\":\"\\b\\t\\n\\f\\r\\\"\\\\\"}"},
		{"a = \"x\\u00e9\\U0001F600y\"", "{\"a\":\"x\xc3\xa9\xf0\x9f\x98\x80y\"}"},
		{"a = \"tab\there\"", "{\"a\":\"tab\\there\"}"}, {"a = \"'\"", "{\"a\":\"'\"}"});
}

TEST(literal_strings_are_taken_as_they_are) {
	ROWS({"a = ''", "{\"a\":\"\"}"},
		{"a = 'C:\\new\\\"x\"'", "{\"a\":\"C:\\\\new\\\\\\\"x\\\"\"}"},
		{"a = '''one\n'two' \\n\n'''", "{\"a\":\"one\\n'two' \\\\n\\n\"}"},
		{"a = ''''x'''''", "{\"a\":\"'x''\"}"});
}

TEST(strings_of_several_lines_are_read) {
	ROWS({"a = \"\"\"\none\ntwo\"\"\"\nb=1", "{\"a\":\"one\\ntwo\",\"b\":1}"},
		{"a = \"\"\"\"\"\"", "{\"a\":\"\"}"},
		{"a = \"\"\"\r\none\r\ntwo\"\"\"", "{\"a\":\"one\\ntwo\"}"},
		{"a = \"\"\"one \\\n\n   \t two\\\n\"\"\"", "{\"a\":\"one two\"}"},
		{"a = \"\"\"one\\  \n two\"\"\"", "{\"a\":\"onetwo\"}"},
		{"a = \"\"\"\"\"two\"\"\"\"\"", "{\"a\":\"\\\"\\\"two\\\"\\\"\"}"},
		{"a = \"\"\"x\\\"\"\"y\"\"\"", "{\"a\":\"x\\\"\\\"\\\"y\"}"},
		{"a = \"\"\"\\\\\"\"\"", "{\"a\":\"\\\\\"}"});
}

TEST(broken_strings_are_refused_once) {
	ROWS({"a = \"x\nb = 1\nb = 2",
		     "1:5: error: this string is not closed before the end of the line; close it "
		     "with \", or use \"\"\" for text of several lines\n"
		     "3:1: error: the key 'b' is already set at line 2\n"},
		{"a = 'x\nb=1",
			"1:5: error: this string is not closed before the end of the line; "
			"close it with ', or use ''' for text of several lines\n"},
		{"a = \"\"\"x\nb = 1\n",
			"1:5: error: this string of several lines is never closed "
			"with \"\"\"\n"},
		{"a = \"\\",
			"1:5: error: this string is not closed before the end of the line; "
			"close it with \", or use \"\"\" for text of several lines\n"},
		{"a = \"\\q\" \nb = '\\q'",
			"1:7: error: expected one of b t n f r \" \\ u U after \\ (or put the "
			"text in 'single quotes'), found 'q'\n"},
		{"a = \"\\u00g0\"",
			"1:10: error: expected 4 hexadecimal digits after \\u, found "
			"'g0'\n"},
		{"a = \"\\ud800\"",
			"1:6: error: '\\ud800' is not a character: use 0 to D7FF or "
			"E000 to 10FFFF\n"},
		{"a = \"\\U00110000\"",
			"1:6: error: '\\U00110000' is not a character: use 0 to "
			"D7FF or E000 to 10FFFF\n"},
		{"a = \"\"\"\n\\q\n\\u12\n\"\"\"\nb = 1 1",
			"2:2: error: expected one of b t n f r \" \\ u U after \\ (or put the "
			"text in 'single quotes'), found 'q'\n"
			"3:5: error: expected 4 hexadecimal digits after \\u, found end of line\n"
			"5:7: error: expected end of line, found '1'\n"},
		{"a = \"x\" y", "1:9: error: expected end of line, found 'y'\n"});
}

TEST(dates_and_times_stay_as_written) {
	static const char *const rows[] = {"1979-05-27T07:32:00Z", "1979-05-27t00:32:00-07:00",
		"1979-05-27 07:32:00.999999z", "1979-05-27T07:32:00", "1979-05-27", "07:32:00",
		"00:32:00.5", "2000-02-29", "2024-02-29T23:59:60Z", "0000-01-01"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		_cleanup_(arena_destroyp) struct arena *arena = arena_create();
		struct problems problems = PROBLEMS_INIT;
		char *text = arena_printf(arena, "a = [%s , %s]#x", rows[i], rows[i]);
		print_message("%s\n", text);
		const struct value *root = toml_parse(arena, NULL, str_from(text), &problems);
		CHECK_INT(problems.n, 0);
		const struct value *time = &value_get(root, STR("a"))->array.items[1];
		CHECK_INT(time->type, VALUE_TIME);
		CHECK_STR(time->string, rows[i]);
	}
}

TEST(dates_and_times_that_do_not_exist_are_refused) {
	static const struct row rows[] = {{"2023-02-29", "that month has no such day"},
		{"1900-02-29", "that month has no such day"},
		{"2023-04-31", "that month has no such day"},
		{"2023-01-00", "that month has no such day"},
		{"2023-13-01", "the month is 01 to 12"}, {"2023-00-01", "the month is 01 to 12"},
		{"2023-1-01", "a date is written 2026-01-31"},
		{"2023-01-1", "a date is written 2026-01-31"},
		{"2023-01-01T24:00:00Z", "a time is 00:00:00 to 23:59:59"},
		{"23:60:00", "a time is 00:00:00 to 23:59:59"},
		{"23:59:61", "a time is 00:00:00 to 23:59:59"}, {"7:32:00", NULL},
		{"07:32", "a time is written 07:32:00"}, {"07:32:0", "a time is written 07:32:00"},
		{"07:32:00.", "there must be a digit after the point"},
		{"07:32:00Z", "a time alone has no offset and nothing after it"},
		{"2023-01-01T", "a time is written 07:32:00"},
		{"2023-01-01T07:32:00+01", "an offset is written Z or +01:30"},
		{"2023-01-01T07:32:00+0100", "an offset is written Z or +01:30"},
		{"2023-01-01T07:32:00+24:00", "an offset is at most 23:59"},
		{"2023-01-01T07:32:00Zx", "nothing may follow it"},
		{"2023-01-01x", "a time follows it after T or a blank"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		_cleanup_(arena_destroyp) struct arena *arena = arena_create();
		struct problems problems = PROBLEMS_INIT;
		char *text = arena_printf(arena, "a = %s", rows[i].text);
		print_message("%s\n", text);
		(void)toml_parse(arena, NULL, str_from(text), &problems);
		CHECK_INT(problems.errors, 1);
		CHECK(!rows[i].expected ||
			str_ends(str_from(problems.items[0].message), str_from(rows[i].expected)));
		problems_finish(&problems);
	}
}

TEST(arrays_go_over_lines_with_comments) {
	ROWS({"a = []", "{\"a\":[]}"}, {"a = [1, 'x', [2.5, []],]", "{\"a\":[1,\"x\",[2.5,[]]]}"},
		{"a = [ # one\n 1 # two\n , # three\n\n 2,\n # end\n]\nb=1",
			"{\"a\":[1,2],\"b\":1}"},
		{"a = [{b = 1}, {b = 2, c = [\n1\n]}]", "{\"a\":[{\"b\":1},{\"b\":2,\"c\":[1]}]}"});
}

TEST(broken_arrays_are_refused_and_passed_over) {
	ROWS({"a = [,1]\nb = 1 1",
		     "1:6: error: expected a value, found ','; text is put in \"quotes\"\n"
		     "2:7: error: expected end of line, found '1'\n"},
		{"a = [1 2]\nb = x",
			"1:8: error: expected ',' or ']' in the array that begins at line 1, "
			"found '2'\n"
			"2:5: error: expected a value, found 'x'; text is put in \"quotes\"\n"},
		{"a = [\n1\n2,\n3,\n]\nb = x",
			"3:1: error: expected ',' or ']' in the array that begins at line 1, "
			"found '2'\n"
			"6:5: error: expected a value, found 'x'; text is put in \"quotes\"\n"},
		{"a = [1,\nb = x",
			"2:1: error: expected a value, found 'b'; text is put in "
			"\"quotes\"\n"
			"2:5: error: expected a value, found 'x'; text is put in "
			"\"quotes\"\n"},
		{"a = [1\n[t]\nb = 1\nb = 2",
			"2:1: error: expected ',' or ']' in the array that begins at line 1, "
			"found '['\n"
			"4:1: error: the key 'b' is already set at line 3\n"},
		{"a = [1 2,\nb = x",
			"1:8: error: expected ',' or ']' in the array that begins at line 1, "
			"found '2'\n"
			"2:5: error: expected a value, found 'x'; text is put in \"quotes\"\n"},
		{"a = [[1, x],\n[2, y],\n]\nb = x",
			"1:10: error: expected a value, found 'x'; text is put in \"quotes\"\n"
			"4:5: error: expected a value, found 'x'; text is put in \"quotes\"\n"},
		{"a = [1,\n", "1:5: error: this array is never closed with ']'\n"},
		{"a = [1", "1:5: error: this array is never closed with ']'\n"});
}

TEST(inline_tables_are_read) {
	ROWS({"a = {}", "{\"a\":{}}"},
		{"a = { b = 1, 'c d' = {e.f = 2} }", "{\"a\":{\"b\":1,\"c d\":{\"e\":{\"f\":2}}}}"},
		{"a = {b.c = 1, b.d = 2}", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}"},
		{"a = {b = \"\"\"\nx\n\"\"\"}", "{\"a\":{\"b\":\"x\\n\"}}"});
}

TEST(broken_inline_tables_are_refused) {
	ROWS({"a = {b = 1,}", "1:11: error: an inline table may not end with a comma\n"},
		{"a = {b = 1\n}\n",
			"1:11: error: expected ',' or '}' in the inline table, found end of line\n"
			"2:1: error: expected a key, found '}'\n"},
		{"a = {",
			"1:6: error: an inline table ends with '}' on the line where it began; a "
			"long one is written under a [header]\n"},
		{"a = {b = 1 c = 2}",
			"1:12: error: expected ',' or '}' in the inline table, "
			"found 'c'\n"},
		{"a = {b}", "1:7: error: expected '=' after the key 'b', found '}'\n"},
		{"a = {,}", "1:6: error: expected a key, found ','\n"},
		{"a = {b = 1, b = 2}", "1:13: error: the key 'b' is already set at line 1\n"},
		{"a = {b = {c = 1}, b.d = 2}",
			"1:19: error: the table 'b' is complete (line 1); write this key there\n"},
		{"a = {b = 1}\na.c = 1",
			"2:1: error: the table 'a' is complete (line 1); write this key there\n"},
		{"a = {b = 1}\n[a]",
			"2:2: error: the table 'a' is written inline at line 1 and "
			"cannot be added to\n"},
		{"a = {b.c = 1}\n[a.b.d]",
			"2:2: error: the table 'a' is written inline at line 1 "
			"and cannot be added to\n"});
}

TEST(tables_are_read) {
	ROWS({"[a]\nb = 1\n[ c . 'd' ] # x\ne = 2", "{\"a\":{\"b\":1},\"c\":{\"d\":{\"e\":2}}}"},
		{"[x.y.z]\n[x]\na=1", "{\"x\":{\"y\":{\"z\":{}},\"a\":1}}"},
		{"[f]\na.b = 1\n[f.a.c]\nd = 2", "{\"f\":{\"a\":{\"b\":1,\"c\":{\"d\":2}}}}"},
		{"[a.b.c]\nz=9\n[a]\nb.d = 1", "{\"a\":{\"b\":{\"c\":{\"z\":9},\"d\":1}}}"});
}

TEST(lists_of_tables_are_read) {
	ROWS({"[[a]]\nb = 1\n[[a]]\n[[a]]\nb = 3", "{\"a\":[{\"b\":1},{},{\"b\":3}]}"},
		{"[[f]]\nn='x'\n[f.p]\nc=1\n[[f.v]]\nn=1\n[[f.v]]\nn=2\n[[f]]\nn='y'\n[[f.v]]\nn=3",
			"{\"f\":[{\"n\":\"x\",\"p\":{\"c\":1},\"v\":[{\"n\":1},{\"n\":2}]},"
			"{\"n\":\"y\",\"v\":[{\"n\":3}]}]}"},
		{"[[a.b]]\nx=1\n[a.b.c]\ny=2\n[[a.b]]",
			"{\"a\":{\"b\":[{\"x\":1,\"c\":{\"y\":2}},{}]}}"});
}

TEST(broken_headers_are_refused) {
	ROWS({"[a\nb = 1",
		     "1:3: error: expected ']' after the name of the table, found end of "
		     "line\n"},
		{"[]", "1:2: error: expected a key, found ']'\n"},
		{"[a.]", "1:4: error: expected a key, found ']'\n"},
		{"[.a]", "1:2: error: expected a key, found '.a'\n"},
		{"[[a]", "1:4: error: expected ']]' after the name of the table, found ']'\n"},
		{"[[a] ]", "1:4: error: expected ']]' after the name of the table, found ']'\n"},
		{"[ [a]]", "1:3: error: expected a key, found '['\n"},
		{"[a]]", "1:4: error: expected end of line, found ']'\n"},
		{"[a] b = 1", "1:5: error: expected end of line, found 'b'\n"},
		{"[a b]", "1:4: error: expected ']' after the name of the table, found 'b'\n"},
		{"[\xc3\xa9]", "1:2: error: expected a key (in quotes), found '\xc3\xa9'\n"});
}

TEST(nothing_is_defined_twice) {
	ROWS({"a = 1\na = 2", "2:1: error: the key 'a' is already set at line 1\n"},
		{"a = 1\n\"a\" = 2", "2:1: error: the key 'a' is already set at line 1\n"},
		{"a.b = 1\na = 2", "2:1: error: the key 'a' is already set at line 1\n"},
		{"a = 1\na.b = 2",
			"2:1: error: 'a' is an integer (line 1), so it cannot have keys "
			"below it\n"},
		{"a = [1]\na.b = 2",
			"2:1: error: 'a' is an array (line 1), so it cannot have keys "
			"below it\n"},
		{"[a]\n[a]", "2:2: error: the table 'a' is already defined at line 1\n"},
		{"[a]\nb=1\n[a.b]",
			"3:4: error: 'a.b' is already an integer at line 2, so it cannot "
			"be a table\n"},
		{"[a]\nb=1\n[a.b.c]",
			"3:4: error: 'a.b' is already an integer at line 2, so it "
			"cannot be a table\n"},
		{"[f]\na.b.c = 1\n[f.a]",
			"3:4: error: the table 'f.a' is already defined at line "
			"2\n"},
		{"[f]\na.b.c = 1\n[f.a.b]",
			"3:6: error: the table 'f.a.b' is already defined at "
			"line 2\n"},
		{"[a.b.c]\nz=9\n[a]\nb.c.t = 1",
			"4:3: error: the table 'b.c' is complete (line "
			"1); write this key there\n"},
		{"[[a.b]]\n[a]\nb.y = 2",
			"3:1: error: 'b' is an array (line 1), so it cannot have "
			"keys below it\n"},
		{"[a.b.c]\n[a]\nb.d = 1\n[a.b]",
			"4:4: error: the table 'a.b' is already defined "
			"at line 1\n"},
		{"a = []\n[[a]]",
			"2:3: error: 'a' is already an array at line 1, so it cannot be "
			"a list of tables\n"},
		{"a = [{b = 1}]\n[a.c]",
			"2:2: error: 'a' is already an array at line 1, so it "
			"cannot be a table\n"},
		{"[a]\n[[a]]",
			"2:3: error: 'a' is already a table at line 1, so it cannot be a "
			"list of tables\n"},
		{"[a.b]\n[[a]]",
			"2:3: error: 'a' is already a table at line 1, so it cannot be a "
			"list of tables\n"},
		{"[[a]]\n[a]", "2:2: error: 'a' is a list of tables since line 1: write [[a]]\n"},
		{"[[a]]\nb=[]\n[[a.b]]",
			"3:5: error: 'a.b' is already an array at line 2, so it "
			"cannot be a list of tables\n"},
		{"a.b.c = 1\n[a]\nx = 1\nx = 2",
			"2:2: error: the table 'a' is already defined at line 1\n"
			"4:1: error: the key 'x' is already set at line 3\n"});
}

TEST(pairs_that_are_not_complete_are_refused) {
	ROWS({"a", "1:2: error: expected '=' after the key 'a', found end of file\n"},
		{"a\nb = 1", "1:2: error: expected '=' after the key 'a', found end of line\n"},
		{"a b = 1", "1:3: error: expected '=' after the key 'a', found 'b'\n"},
		{"key = ", "1:7: error: expected a value after '=', found end of file\n"},
		{"key = # x", "1:7: error: expected a value after '=', found a comment\n"},
		{"= 1", "1:1: error: expected a key, found '='\n"},
		{"a = = 1", "1:5: error: expected a value, found '='; text is put in \"quotes\"\n"},
		{"a. = 1", "1:4: error: expected a key, found '='\n"},
		{"a..b = 1", "1:3: error: expected a key, found '.b'\n"},
		{"\"\"\"a\"\"\" = 1", "1:1: error: a key cannot be a string of several lines\n"},
		{"a = 1 b = 2", "1:7: error: expected end of line, found 'b'\n"},
		{"a = hello world",
			"1:5: error: expected a value, found 'hello'; text is put in "
			"\"quotes\"\n"},
		{"a : 1", "1:3: error: expected '=' after the key 'a', found ':'\n"},
		{"\xc3\xa9 = 1", "1:1: error: expected a key (in quotes), found '\xc3\xa9'\n"});
}

TEST(bytes_that_may_not_stand_in_a_text_are_refused) {
	ROWS({"a = \"\xff\xfe\"\nb = 1", "1:6: error: byte 0xff is not UTF-8\n"},
		{"# \xed\xa0\x80", "1:3: error: byte 0xed is not UTF-8\n"},
		{"# \x01",
			"1:3: error: control character 0x01 is not allowed (in a string: "
			"\\u0001)\n"},
		{"a = 'x\x7f'",
			"1:7: error: control character 0x7f is not allowed (in a string: "
			"\\u007f)\n"},
		{"a = 1\rb = 2",
			"1:6: error: a carriage return (0x0d) may only stand at the end "
			"of a line\n"},
		{"a = 1\r",
			"1:6: error: a carriage return (0x0d) may only stand at the end of a "
			"line\n"},
		{"a = 1\r\r\n",
			"1:6: error: a carriage return (0x0d) may only stand at the end of "
			"a line\n"},
		{"a = \"\xc3\xa9\" x", "1:9: error: expected end of line, found 'x'\n"});
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	(void)toml_parse(arena, NULL, str_range("a = 1\0\nb", 8), &problems);
	CHECK_INT(problems.errors, 2);
	CHECK_TEXT(problems.items[0].message,
		"control character 0x00 is not allowed (in a string: \\u0000)");
	problems_finish(&problems);
}

TEST(a_binary_file_is_given_up_soon) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	struct random random;
	static char bytes[100000];
	random_init(&random, 3);
	random_fill(&random, bytes, sizeof(bytes));
	const struct value *root = toml_parse(
		arena, "f", str_range(bytes, sizeof(bytes)), &problems);
	CHECK_INT(root->table.n, 0);
	CHECK_INT(problems.errors, 21);
	CHECK_TEXT(problems.items[20].message,
		"this does not look like a text file; nothing of it was read");
	problems_finish(&problems);
}

TEST(depth_is_limited) {
	struct problems problems = PROBLEMS_INIT;
	struct buf text = BUF_INIT;
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	for (int shape = 0; shape < 4; shape++) {
		buf_clear(&text);
		buf_append_text(&text, shape == 2 ? "[" : shape == 3 ? "[[" : "a = ");
		for (int i = 0; i < 100000; i++) {
			buf_append_text(&text, shape == 0 ? "[" : shape == 1 ? "{a=" : "a.");
		}
		(void)toml_parse(arena, NULL, buf_str(&text), &problems);
		CHECK_INT(problems.errors, shape + 1);
		CHECK_TEXT(problems.items[shape].message, "nested deeper than 64 levels");
	}
	problems_finish(&problems);
	buf_finish(&text);
}

TEST(sixty_four_levels_are_fine) {
	struct problems problems = PROBLEMS_INIT;
	struct buf text = BUF_INIT;
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	buf_append_text(&text, "a = ");
	for (int i = 0; i < 64; i++) {
		buf_append_text(&text, "[");
	}
	for (int i = 0; i < 64; i++) {
		buf_append_text(&text, "]");
	}
	(void)toml_parse(arena, NULL, buf_str(&text), &problems);
	CHECK_INT(problems.errors, 0);
	buf_finish(&text);
}

TEST(a_document_over_the_limit_is_a_problem_not_a_crash) {
	struct problems problems = PROBLEMS_INIT;
	struct buf text = BUF_INIT;
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	memset(buf_reserve(&text, (8 << 20) + 1), '\n', (8 << 20) + 1);
	text.len = 8 << 20;
	(void)toml_parse(arena, "f", buf_str(&text), &problems);
	CHECK_INT(problems.errors, 0);
	text.len++;
	(void)toml_parse(arena, "f", buf_str(&text), &problems);
	CHECK_INT(problems.errors, 1);
	CHECK_TEXT(problems.items[0].message, "larger than 8 MiB");
	problems_finish(&problems);
	buf_finish(&text);
}

TEST(a_million_mistakes_are_counted_and_cost_little) {
	struct problems problems = PROBLEMS_INIT;
	struct buf text = BUF_INIT;
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	for (int i = 0; i < 1000000; i++) {
		buf_append_text(&text, "=\n");
	}
	(void)toml_parse(arena, NULL, buf_str(&text), &problems);
	CHECK_INT(problems.errors, 1000000);
	CHECK_INT(problems.n, PROBLEMS_KEPT);
	CHECK(arena_used(arena) < 3 * text.len);
	problems_finish(&problems);
	buf_finish(&text);
}

TEST(large_tables_find_duplicates_and_stay_fast) {
	struct problems problems = PROBLEMS_INIT;
	struct buf text = BUF_INIT;
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	for (int i = 0; i < 50000; i++) { // quadratic work would run into the test's time limit
		buf_appendf(&text, "key%d = %d\n", i, i);
	}
	buf_append_text(&text, "key0 = 1\nkey49999 = 1\n");
	const struct value *root = toml_parse(arena, NULL, buf_str(&text), &problems);
	CHECK_INT(root->table.n, 50000);
	CHECK_STR(root->table.members[31234].key, "key31234");
	CHECK_INT(problems.errors, 2);
	CHECK_TEXT(problems.items[1].message, "the key 'key49999' is already set at line 50000");
	problems_finish(&problems);
	buf_finish(&text);
}

TEST(places_count_lines_and_characters) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	char file[] = "a.toml";
	struct str text = STR(
		"# x\n\"\xc3\xa9\" = [\"\xc3\xa9\", 2]\n[t]\n  k.l = \"\"\"\n\n\"\"\"\n");
	const struct value *root = toml_parse(arena, file, text, &problems);
	file[0] = 'z'; // places have their own copy
	const struct member *first = &root->table.members[0], *table = &root->table.members[1];
	const struct member *last = &table->value.table.members[0].value.table.members[0];
	CHECK_TEXT(first->place.file, "a.toml");
	CHECK_INT(first->place.line, 2);
	CHECK_INT(first->place.column, 1);
	CHECK_INT(first->value.place.column, 7);
	CHECK_INT(first->value.array.items[1].place.column, 13);
	CHECK_INT(table->place.line, 3);
	CHECK_INT(table->place.column, 2);
	CHECK_INT(last->place.line, 4);
	CHECK_INT(last->place.column, 5);
	CHECK_INT(last->value.place.column, 9);
}

TEST(nothing_borrows_from_the_text) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	char text[] = "key = 'value'\ntime = 07:32:00";
	const struct value *root = toml_parse(arena, NULL, str_from(text), &problems);
	memset(text, 'x', sizeof(text) - 1);
	CHECK_STR(root->table.members[0].key, "key");
	CHECK_STR(root->table.members[0].value.string, "value");
	CHECK_STR(root->table.members[1].value.string, "07:32:00");
}

TEST(written_values_read_back) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	struct str text = STR(
		"a = [1, 2.0, 1e300, true, 07:32:00, inf, -inf, nan, -0.0, {}, []]\n"
		"b.'c d'.\"\" = \"q\\\"\\\\\\n\\u0001\\u007f\xc3\xa9\"\n[[l]]\nx=1\n[[l]]\n");
	const struct value *root = toml_parse(arena, NULL, text, &problems);
	struct buf buf = BUF_INIT;
	buf_append_text(&buf, "root = ");
	toml_format(&buf, root);
	CHECK_TEXT(buf_text(&buf),
		"root = { a = [1, 2.0, 1e+300, true, 07:32:00, inf, -inf, nan, -0.0, {}, []], "
		"b = { \"c d\" = { \"\" = \"q\\\"\\\\\\n\\u0001\\u007F\xc3\xa9\" } }, "
		"l = [{ x = 1 }, {}] }");
	const struct value *again = toml_parse(arena, NULL, buf_str(&buf), &problems);
	CHECK_INT(problems.n, 0);
	CHECK(value_equal(root, value_get(again, STR("root"))));
	buf_finish(&buf);
}

int main(void) {
	return TESTS(RUN(documents_of_comments_and_blanks_are_empty),
		RUN(keys_of_all_kinds_are_read), RUN(integers_of_every_base_are_read),
		RUN(broken_integers_are_refused), RUN(floats_are_read),
		RUN(broken_floats_are_refused), RUN(booleans_are_lower_case),
		RUN(basic_strings_are_decoded), RUN(literal_strings_are_taken_as_they_are),
		RUN(strings_of_several_lines_are_read), RUN(broken_strings_are_refused_once),
		RUN(dates_and_times_stay_as_written),
		RUN(dates_and_times_that_do_not_exist_are_refused),
		RUN(arrays_go_over_lines_with_comments),
		RUN(broken_arrays_are_refused_and_passed_over), RUN(inline_tables_are_read),
		RUN(broken_inline_tables_are_refused), RUN(tables_are_read),
		RUN(lists_of_tables_are_read), RUN(broken_headers_are_refused),
		RUN(nothing_is_defined_twice), RUN(pairs_that_are_not_complete_are_refused),
		RUN(bytes_that_may_not_stand_in_a_text_are_refused),
		RUN(a_binary_file_is_given_up_soon), RUN(depth_is_limited),
		RUN(sixty_four_levels_are_fine),
		RUN(a_document_over_the_limit_is_a_problem_not_a_crash),
		RUN(a_million_mistakes_are_counted_and_cost_little),
		RUN(large_tables_find_duplicates_and_stay_fast),
		RUN(places_count_lines_and_characters), RUN(nothing_borrows_from_the_text),
		RUN(written_values_read_back));
}
