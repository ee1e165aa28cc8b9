// SPDX-License-Identifier: Apache-2.0
// Single values by their rows: types, limits, and every message that can come of them.
#include "config/option_fixture.h"
#include "tests/check.h"

TEST(durations_and_sizes_may_be_plain_numbers) {
	struct config c = {0};

	CHECK(fill("interval = 0.25\nsize = 4096\n", &c, NULL));

	CHECK_INT(c.interval_ns, 250 * NS_PER_MS);
	CHECK_INT(c.size_bytes, 4096);
}

struct mistake {
	const char *toml;
	const char *message;
};
static const struct mistake mistakes[] = {
	{"cuont = 1", "c.toml:1:1: error: unknown key \"cuont\" in [x]; did you mean \"count\"?\n"},
	{"zzzzzz = 1", "c.toml:1:1: error: unknown key \"zzzzzz\" in [x]\n"},
	{"[limits]\nfils = 1\n",
		"c.toml:2:1: error: unknown key \"fils\" in limits of [x]; did you mean "
		"\"files\"?\n"},
	{"[limits]\nq = 1\n",
		"c.toml:2:1: error: unknown key \"q\" in limits of [x]; the keys are "
		"files, share\n"},
	{"on = 1",
		"c.toml:1:6: error: key \"on\" in [x] must be true or false, not the integer "
		"1\n"},
	{"count = 0",
		"c.toml:1:9: error: key \"count\" in [x] must be from 1 to 10 items, not the "
		"integer 0\n"},
	{"count = 'many'",
		"c.toml:1:9: error: key \"count\" in [x] must be an integer from 1 to "
		"10 items, not the string \"many\"\n"},
	{"count = 1.5",
		"c.toml:1:9: error: key \"count\" in [x] must be an integer from 1 to 10 "
		"items, not the number 1.5\n"},
	{"ratio = 2",
		"c.toml:1:9: error: key \"ratio\" in [x] must be from 0.5 to 1.5, not the "
		"integer 2\n"},
	{"ratio = nan",
		"c.toml:1:9: error: key \"ratio\" in [x] must be a number from 0.5 to 1.5, "
		"not the number nan\n"},
	{"title = ''", "c.toml:1:9: error: key \"title\" in [x] must not be empty\n"},
	{"title = '123456789'",
		"c.toml:1:9: error: key \"title\" in [x] must be from 1 to 8 bytes "
		"long, not 9 bytes\n"},
	{"interval = '5 parsecs'",
		"c.toml:1:12: error: key \"interval\" in [x] must be a duration like 90s or 5m "
		"from 100ms to 1h, not the string \"5 parsecs\"\n"},
	{"interval = '2h'",
		"c.toml:1:12: error: key \"interval\" in [x] must be from 100ms to 1h, "
		"not the string \"2h\"\n"},
	{"interval = -1",
		"c.toml:1:12: error: key \"interval\" in [x] must be a duration like 90s "
		"or 5m from 100ms to 1h, not the integer -1\n"},
	{"size = '2GiB'",
		"c.toml:1:8: error: key \"size\" in [x] must be from 0B to 1GiB, not the "
		"string \"2GiB\"\n"},
	{"level = 'hihg'",
		"c.toml:1:9: error: key \"level\" in [x] must be one of low, high, not "
		"the string \"hihg\"; did you mean \"high\"?\n"},
	{"level = 'medium'",
		"c.toml:1:9: error: key \"level\" in [x] must be one of low, high, "
		"not the string \"medium\"\n"},
	{"tags = ['a', 1]",
		"c.toml:1:14: error: key \"tags\" in [x] must be a string or a list of "
		"strings like [\"a\", \"b\"] from 0 to 4 items, not the integer 1\n"},
	{"tags = ['a', 'b', 'c', 'd', 'e']",
		"c.toml:1:8: error: key \"tags\" in [x] must have from 0 to 4 items, not 5\n"},
	{"limits = 3",
		"c.toml:1:10: error: key \"limits\" in [x] must be a table, not an "
		"integer\n"},
	{"targets = 3", "c.toml:1:11: error: targets must be a list of tables, not an integer\n"},
	{"targets = [ 3 ]",
		"c.toml:1:13: error: number 1 of targets must be a table, not an "
		"integer\n"},
	{"targets = [ {} ]",
		"c.toml:1:13: error: key \"name\" in targets number 1 of [x] is "
		"missing; it must be a string from 1 to 20 bytes (What it is "
		"called)\n"},
	{"targets = [ {name='a'}, {name='a'} ]",
		"c.toml:1:31: error: the name \"a\" in targets is taken already, at c.toml:1:19; "
		"give this one another\n"},
	{"targets = [ {name='a', port=0} ]",
		"c.toml:1:29: error: key \"port\" in targets \"a\" of [x] must be from 1 to 65535, "
		"not the integer 0\n"},
	{"action = 'log'",
		"c.toml:1:10: error: key \"action\" in [x] must be a table with a type, "
		"like { type = \"...\" }, not a string\n"},
	{"action = {}",
		"c.toml:1:10: error: key \"action\" in [x] has no type; give it type = "
		"\"...\", one of log, exec\n"},
	{"action = {type='exce'}",
		"c.toml:1:16: error: key \"action\" in [x] has the unknown type "
		"\"exce\"; did you mean \"exec\"?\n"},
	{"action = {type='telegram'}",
		"c.toml:1:16: error: key \"action\" in [x] has the unknown type \"telegram\"; it "
		"is one of log, exec\n"},
	{"action = {type=1}",
		"c.toml:1:16: error: key \"action\" in [x] has an integer as its "
		"type; it is one of log, exec\n"},
	{"action = {type='log'}",
		"c.toml:1:10: error: key \"message\" in action of [x] is "
		"missing; it must be a string (Text)\n"},
	{"action = {type='exec', argv='rm'}", "c.toml:1:10: error: rm is refused\n"},
	{"password = 17",
		"c.toml:1:12: error: key \"password\" in [x] must be a string, { file = "
		"\"...\" } or { credential = \"...\" } at least 4 bytes, not an "
		"integer\n"},
	{"password = 'abc'",
		"c.toml:1:12: error: key \"password\" in [x] must be at least 4 bytes "
		"long, not 3 bytes\n"},
	{"password = { fiel = 'x' }",
		"c.toml:1:12: error: key \"password\" in [x] must be a string, { file = \"...\" } "
		"or { credential = \"...\" }\n"},
	{"password = { credential = '../x' }",
		"c.toml:1:12: error: key \"password\" in [x] must name a credential as a file name "
		"without a slash or a leading dot\n"},
	{"old = 3", "c.toml:1:1: warning: key \"old\" in [x] is deprecated; use count\n"},
};

TEST(a_mistake_is_told_at_its_place_with_what_is_right) {
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct config c = {0};
		(void)fill(mistakes[i].toml, &c, NULL);
		struct buf text = BUF_INIT;
		problems_format(&problems, &text);
		CHECK_TEXT(buf_text(&text), mistakes[i].message);
		buf_finish(&text);
	}
}

TEST(a_long_wrong_value_is_cut_between_characters) {
	struct config c = {0};
	// 39 bytes, then one character of two bytes that the limit of 40 would split
	CHECK(!fill("level = '123456789012345678901234567890123456789é and on'\n", &c, NULL));

	CHECK(strstr(problems.items[0].message, "\"123456789012345678901234567890123456789\"...") !=
		NULL);
}

TEST(a_wrong_secret_is_not_in_its_message) {
	struct config c = {0};

	CHECK(!fill(
		"password = [ 'hunter2' ]\naction = {type='exec', token={file=7}}\n", &c, NULL));

	for (size_t i = 0; i < problems.n; i++) {
		CHECK(!strstr(problems.items[i].message, "hunter2"));
	}
}

TEST(a_secret_file_is_not_read_without_a_file_system) {
	struct config c = {0};

	CHECK(fill("password = { file = '/nonexistent' }\n", &c, NULL));

	CHECK_INT(c.password.len, 0);
}

TEST(the_hash_follows_what_is_given_and_not_where) {
	struct config c = {0};
	uint64_t first, moved, other, secret;

	CHECK(fill("count = 4\ntitle = 'abc'\npassword = 'aaaa'\n", &c, &first));
	CHECK(fill("\n# text\ntitle = 'abc'\npassword = 'aaaa'\ncount = 4\n", &c, &moved));
	CHECK(fill("count = 5\ntitle = 'abc'\npassword = 'aaaa'\n", &c, &other));
	CHECK(fill("count = 4\ntitle = 'abc'\npassword = 'aaab'\n", &c, &secret));

	CHECK(first == moved);
	CHECK(first != other);
	CHECK(first != secret);
}

TEST(text_is_read_as_the_file_would) {
	struct config c = {0};
	struct option_reader reader = begin();
	const struct {
		const char *key, *text;
	} given[] = {{"on", "false"}, {"count", "7"}, {"ratio", "0.75"}, {"title", "'it'"},
		{"interval", "90"}, {"size", "2KiB"}, {"level", "low"}, {"tags", "x"},
		{"tags", "[y"}, {"where", "{ a = 1 }"}};

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		const struct option *row = option_find(rows, str_from(given[i].key));
		CHECK(option_fill_text(
			&reader, row, str_from(given[i].text), (struct place){0}, &c));
	}

	CHECK(!c.is_on);
	CHECK_INT(c.count, 7);
	CHECK_DOUBLE(c.ratio, 0.75);
	CHECK_STR(c.title, "'it'");
	CHECK_INT(c.interval_ns, 90 * NS_PER_SECOND);
	CHECK_INT(c.size_bytes, 2048);
	CHECK_INT(c.level, LOW);
	CHECK_INT(c.tags.n, 2);
	CHECK_STR(c.tags.items[1], "[y");
	CHECK_INT(value_get(c.where, STR("a"))->integer, 1);
}

TEST(wrong_text_is_a_problem) {
	struct config c = {0};
	const struct {
		const char *key, *text, *message;
	} given[] = {
		{"on", "maybe", "key \"on\" must be true or false, not the string \"maybe\""},
		{"count", "1e99",
			"key \"count\" must be an integer from 1 to 10 items, not the "
			"number 1e+99"},
		{"count", "",
			"key \"count\" must be an integer from 1 to 10 items, not the string "
			"\"\""},
		{"where", "1\nb = 2", "key \"where\" is not written as TOML: it must be one value"},
	};
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		struct option_reader reader = begin();
		const struct option *row = option_find(rows, str_from(given[i].key));
		CHECK(!option_fill_text(
			&reader, row, str_from(given[i].text), (struct place){0}, &c));
		CHECK_TEXT(problems.items[0].message, given[i].message);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		RUN(durations_and_sizes_may_be_plain_numbers),
		RUN(a_mistake_is_told_at_its_place_with_what_is_right),
		RUN(a_long_wrong_value_is_cut_between_characters),
		RUN(a_wrong_secret_is_not_in_its_message),
		RUN(a_secret_file_is_not_read_without_a_file_system),
		RUN(the_hash_follows_what_is_given_and_not_where),
		RUN(text_is_read_as_the_file_would),
		RUN(wrong_text_is_a_problem),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
