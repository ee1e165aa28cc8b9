// SPDX-License-Identifier: Apache-2.0
// Filling structs from TOML by rows, and every message that can come of it.
#include "config/option.h"

#include <math.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "formats/toml.h"
#include "tests/check.h"

enum level {
	LOW,
	HIGH
};
static const char *const levels[] = {"low", "high", NULL};

struct limits {
	int64_t files;
	double share;
};
static const struct option limit_rows[] = {
	{"files", OPTION_INT, offsetof(struct limits, files), .fallback = "16", .min = 1, .max = 64,
		.unit = "files", .help = "Open files"},
	{"share", OPTION_NUMBER, offsetof(struct limits, share), .fallback = "0.5"},
	{0},
};

struct target {
	struct str name;
	int64_t port;
};
static const struct option target_rows[] = {
	{"name", OPTION_STRING, offsetof(struct target, name), .is_required = true, .min = 1,
		.max = 20, .help = "What it is called"},
	{"port", OPTION_INT, offsetof(struct target, port), .fallback = "80", .min = 1,
		.max = 65535},
	{0},
};

struct log_config {
	struct str message;
};
struct exec_config {
	struct strings argv;
	struct str token;
};
static const struct option log_rows[] = {
	{"message", OPTION_STRING, offsetof(struct log_config, message), .is_required = true,
		.help = "Text"},
	{0},
};
static const struct option exec_rows[] = {
	{"argv", OPTION_STRINGS, offsetof(struct exec_config, argv), .min = 1, .max = 3},
	{"token", OPTION_STRING, offsetof(struct exec_config, token), .is_secret = true},
	{0},
};
static void check_exec(const void *config, struct place place, struct problems *problems) {
	const struct exec_config *exec = config;
	if (exec->argv.n && str_is(exec->argv.items[0], "rm")) {
		problems_add(problems, place, "rm is refused");
	}
}
static const struct variant actions[] = {
	{"log", "Writes", log_rows, sizeof(struct log_config), NULL, NULL},
	{"exec", "Runs", exec_rows, sizeof(struct exec_config), NULL, check_exec},
};
static const struct variants sets[] = {{"action", actions, 2}};

struct config {
	bool is_on;
	int64_t count;
	double ratio;
	struct str title;
	int64_t interval_ns;
	int64_t size_bytes;
	int level;
	struct strings tags;
	struct limits limits;
	struct item_list targets;
	struct tagged action;
	const struct value *where;
	struct str password;
	int64_t old;
};
static const struct option rows[] = {
	{"on", OPTION_BOOL, offsetof(struct config, is_on), .fallback = "true"},
	{"count", OPTION_INT, offsetof(struct config, count), .fallback = "3", .min = 1, .max = 10,
		.unit = "items"},
	{"ratio", OPTION_NUMBER, offsetof(struct config, ratio), .min = 0.5, .max = 1.5},
	{"title", OPTION_STRING, offsetof(struct config, title), .fallback = "none", .min = 1,
		.max = 8},
	{"interval", OPTION_DURATION, offsetof(struct config, interval_ns), .fallback = "5s",
		.min = 1e8, .max = 3.6e12},
	{"size", OPTION_SIZE, offsetof(struct config, size_bytes), .fallback = "1MiB",
		.max = 1 << 30},
	{"level", OPTION_CHOICE, offsetof(struct config, level), .fallback = "high",
		.choices = levels},
	{"tags", OPTION_STRINGS, offsetof(struct config, tags), .fallback = "[\"a\", \"b\"]",
		.max = 4},
	{"limits", OPTION_TABLE, offsetof(struct config, limits), .rows = limit_rows},
	{"targets", OPTION_LIST, offsetof(struct config, targets), .rows = target_rows,
		.item_size = sizeof(struct target)},
	{"action", OPTION_TAGGED, offsetof(struct config, action), .variants = "action"},
	{"where", OPTION_VALUE, offsetof(struct config, where)},
	{"password", OPTION_STRING, offsetof(struct config, password), .is_secret = true, .min = 4},
	{"old", OPTION_INT, offsetof(struct config, old), .deprecated = "count"},
	{0},
};

static struct arena *arena;
static struct problems problems;

static struct option_reader begin(void) {
	arena_destroy(arena);
	arena = arena_create();
	problems_finish(&problems);
	return (struct option_reader){.arena = arena,
		.problems = &problems,
		.variant_sets = sets,
		.variant_set_count = 1};
}

static bool fill(const char *toml, struct config *out, uint64_t *out_hash) {
	static const struct option_scope scope = {.name = "[x]"};
	struct option_reader reader = begin();
	reader.scope = &scope;
	const struct value *table = toml_parse(arena, "c.toml", str_from(toml), &problems);
	bool is_filled = option_fill(&reader, rows, table, table->place, out);
	if (out_hash) {
		*out_hash = reader.hash;
	}
	return is_filled;
}

static int end(void **state) {
	(void)state;
	arena_destroy(arena);
	arena = NULL;
	problems_finish(&problems);
	return 0;
}

TEST(nothing_given_leaves_the_defaults) {
	struct config c = {0};

	CHECK(fill("", &c, NULL));

	CHECK(c.is_on);
	CHECK_INT(c.count, 3);
	CHECK_DOUBLE(c.ratio, 0);
	CHECK_STR(c.title, "none");
	CHECK_INT(c.interval_ns, 5 * NS_PER_SECOND);
	CHECK_INT(c.size_bytes, 1 << 20);
	CHECK_INT(c.level, HIGH);
	CHECK_INT(c.tags.n, 2);
	CHECK_STR(c.tags.items[1], "b");
	CHECK_INT(c.limits.files, 16);
	CHECK_DOUBLE(c.limits.share, 0.5);
	CHECK(!c.action.variant && !c.where && c.targets.n == 0);
}

TEST(every_type_is_filled_from_its_value) {
	struct config c = {0};

	CHECK(fill("on = false\ncount = 10\nratio = 1\ntitle = 'x'\ninterval = '250ms'\n"
		   "size = '2MB'\nlevel = 'low'\ntags = 'one'\nlimits = { files = 2 }\n"
		   "targets = [ { name = 'a' }, { name = 'b', port = 443 } ]\n"
		   "action = { type = 'exec', argv = ['ls', '-l'] }\nwhere = { a = 1 }\n"
		   "password = 'hunter2'\n",
		&c, NULL));

	CHECK(!c.is_on);
	CHECK_INT(c.count, 10);
	CHECK_DOUBLE(c.ratio, 1);
	CHECK_STR(c.title, "x");
	CHECK_INT(c.interval_ns, 250 * NS_PER_MS);
	CHECK_INT(c.size_bytes, 2000000);
	CHECK_INT(c.level, LOW);
	CHECK_INT(c.tags.n, 1);
	CHECK_INT(c.limits.files, 2);
	CHECK_DOUBLE(c.limits.share, 0.5);
	CHECK_INT(c.targets.n, 2);
	CHECK_INT(((struct target *)c.targets.items)[0].port, 80);
	CHECK_INT(((struct target *)c.targets.items)[1].port, 443);
	CHECK(c.action.variant == &actions[1]);
	CHECK_STR(((struct exec_config *)c.action.config)->argv.items[1], "-l");
	CHECK_INT(c.where->table.n, 1);
	CHECK_STR(c.password, "hunter2");
}

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

TEST(all_mistakes_are_told_and_the_rest_is_filled) {
	struct config c = {0};

	CHECK(!fill("count = 0\nlevel = 'x'\nfoo = 1\ntitle = 'fine'\n", &c, NULL));

	CHECK_INT(problems.errors, 3);
	CHECK_INT(c.count, 3);
	CHECK_STR(c.title, "fine");
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

TEST(required_options_of_a_missing_table_are_told_at_the_place_given) {
	struct target target;
	struct option_reader reader = begin();
	reader.noun = "parameter";

	CHECK(!option_fill(&reader, target_rows, NULL, (struct place){"f", 7, 1}, &target));

	CHECK_INT(problems.items[0].line, 7);
	CHECK_TEXT(problems.items[0].message,
		"parameter \"name\" is missing; it must be a string from 1 to 20 bytes (What it is "
		"called)");
	CHECK_INT(target.port, 80);
}

TEST(something_else_than_a_table_is_refused) {
	struct config c = {0};
	struct option_reader reader = begin();
	struct value three = value_of_int(3);

	CHECK(!option_fill(&reader, rows, &three, (struct place){0}, &c));

	CHECK_TEXT(problems.items[0].message, "expected a table, not an integer");
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

TEST(a_list_of_strings_given_word_by_word_keeps_its_limit) {
	struct config c = {0};
	struct option_reader reader = begin();
	const struct option *row = option_find(rows, STR("tags"));
	for (int i = 0; i < 4; i++) {
		CHECK(option_fill_text(&reader, row, STR("w"), (struct place){0}, &c));
	}

	CHECK(!option_fill_text(&reader, row, STR("w"), (struct place){0}, &c));

	CHECK_INT(c.tags.n, 4);
}

TEST(only_a_near_name_is_suggested) {
	static const char *const names[] = {"status", "events", "reload"};

	CHECK_TEXT(option_nearest(STR("stauts"), names, 3), "status");
	CHECK_TEXT(option_nearest(STR("relod"), names, 3), "reload");
	CHECK(!option_nearest(STR("banana"), names, 3));
	CHECK(!option_nearest(STR(""), names, 3));
	CHECK(!option_nearest(STR("status"), names, 0));
}

TEST(equality_is_deep_and_ignores_places) {
	const char *toml =
		"tags = ['q']\ntargets = [{name='a'}]\naction={type='log', message='m'}\n"
		"where = { a = [1, 2] }\n";
	struct config a = {0}, b = {0}, c = {0};
	CHECK(fill(toml, &a, NULL));
	struct arena *kept = arena;
	arena = NULL;
	char *later = xasprintf("# moved\n%s", toml);
	CHECK(fill(later, &b, NULL));
	struct arena *kept_too = arena;
	arena = NULL;
	CHECK(fill("tags = ['q']\ntargets = [{name='a'}]\naction={type='log', message='n'}\n"
		   "where = { a = [1, 2] }\n",
		&c, NULL));

	CHECK(option_equal(rows, &a, &b));
	CHECK(!option_equal(rows, &a, &c));

	free(later);
	arena_destroy(kept);
	arena_destroy(kept_too);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		RUN(nothing_given_leaves_the_defaults),
		RUN(every_type_is_filled_from_its_value),
		RUN(durations_and_sizes_may_be_plain_numbers),
		RUN(a_mistake_is_told_at_its_place_with_what_is_right),
		RUN(all_mistakes_are_told_and_the_rest_is_filled),
		RUN(a_long_wrong_value_is_cut_between_characters),
		RUN(a_wrong_secret_is_not_in_its_message),
		RUN(a_secret_file_is_not_read_without_a_file_system),
		RUN(the_hash_follows_what_is_given_and_not_where),
		RUN(required_options_of_a_missing_table_are_told_at_the_place_given),
		RUN(something_else_than_a_table_is_refused),
		RUN(text_is_read_as_the_file_would),
		RUN(wrong_text_is_a_problem),
		RUN(a_list_of_strings_given_word_by_word_keeps_its_limit),
		RUN(only_a_near_name_is_suggested),
		RUN(equality_is_deep_and_ignores_places),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
