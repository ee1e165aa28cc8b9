// SPDX-License-Identifier: Apache-2.0
// From the texts of files to a snapshot.
#include "config/snapshot.h"

#include "config/snapshot_fixture.h"
#include "tests/check.h"

static void check_problems(const char *expected) {
	struct buf text = BUF_INIT;
	problems_format(&problems, &text);
	CHECK_TEXT(buf_text(&text), expected);
	buf_finish(&text);
}

TEST(no_files_are_the_defaults) {
	struct config_files files = {0};
	config_files_hash(&files);
	struct snapshot *snapshot = snapshot_create(&schema, &files, &problems);

	const struct daemon_config *config = snapshot_section(snapshot, &daemon_section);
	CHECK_STR(config->log_level, "info");
	CHECK_INT(config->workers, 2);
	CHECK_INT(snapshot_list(snapshot, &mappings_section).n, 0);
	CHECK_INT(strlen(snapshot_hash(snapshot)), 64);
	snapshot_unref(snapshot);
}

TEST(sections_are_filled_and_checked) {
	struct snapshot *snapshot = create("[daemon]\nworkers = 4\n"
					   "[[mappings]]\nname = 'a'\non = 'x.*'\n"
					   "action = { type = 'log', message = 'hi' }\n"
					   "[[mappings]]\nname = 'b'\n",
		NULL);

	assert_non_null(snapshot);
	struct item_list list = snapshot_list(snapshot, &mappings_section);
	CHECK_INT(list.n, 2);
	const struct mapping *mappings = list.items;
	CHECK_STR(mappings[0].on, "x.*");
	CHECK_STR(mappings[1].on, "*");
	CHECK_INT(mappings[1].compiled, 42);
	snapshot_unref(snapshot);
}

TEST(a_snapshot_lives_as_long_as_its_last_borrower) {
	struct snapshot *snapshot = create("[daemon]\nlog_level = 'debug'\n", NULL);
	struct snapshot *borrowed = snapshot_ref(snapshot);

	snapshot_unref(snapshot);

	const struct daemon_config *config = snapshot_section(borrowed, &daemon_section);
	CHECK_STR(config->log_level, "debug");
	snapshot_unref(borrowed);
	snapshot_unref(NULL);
}

static const struct {
	const char *first, *second, *message;
} mistakes[] = {
	{"\n\nlod_level = 1\n", NULL,
		"/etc/anna/config.toml:3:1: error: the key \"lod_level\" stands outside of any "
		"section; the sections are daemon, mappings\n"},
	{"[demon]\n", NULL,
		"/etc/anna/config.toml:1:2: error: unknown section [demon]; did you mean "
		"[daemon]?\n"},
	{"[weather]\n", NULL,
		"/etc/anna/config.toml:1:2: error: unknown section [weather]; the sections are "
		"daemon, mappings\n"},
	{"[daemon]\nlod_level = 1\n", NULL,
		"/etc/anna/config.toml:2:1: error: unknown key \"lod_level\" in [daemon]; did you "
		"mean \"log_level\"?\n"},
	{"[[daemon]]\n", NULL,
		"/etc/anna/config.toml:1:3: error: [daemon] is one section, not a list: write "
		"[daemon]\n"},
	{"[mappings]\n", NULL,
		"/etc/anna/config.toml:1:2: error: [[mappings]] is a list of sections: write "
		"[[mappings]]\n"},
	{"mappings = 3\n", NULL,
		"/etc/anna/config.toml:1:12: error: [[mappings]] must be a list of tables, not an "
		"integer\n"},
	{"daemon = 'x'\n", NULL,
		"/etc/anna/config.toml:1:10: error: expected a table in [daemon], not a string\n"},
	{"[daemon]\nworkers = 7\n", NULL, "/etc/anna/config.toml:1:2: error: seven is refused\n"},
	{"[[mappings]]\non = 'a'\n", NULL,
		"/etc/anna/config.toml:1:3: error: key \"name\" in [[mappings]] number 1 is "
		"missing; it must be a string from 1 to 64 bytes (Its name)\n"},
	{"[[mappings]]\nname = 'a'\non = 3\n", NULL,
		"/etc/anna/config.toml:3:6: error: key \"on\" in [[mappings]] \"a\" must be a "
		"string, not the integer 3\n"},
	{"[[mappings]]\nname = 'a'\n[[mappings]]\nname = 'a'\n", NULL,
		"/etc/anna/config.toml:4:8: error: the name \"a\" in [[mappings]] is taken "
		"already, at /etc/anna/config.toml:2:8; give this one another\n"},
	{"[[mappings]]\nname = 'a'\n", "[[mappings]]\nname = 'a'\n",
		"/etc/anna/conf.d/b.toml:2:8: error: the name \"a\" in [[mappings]] is taken "
		"already, at /etc/anna/config.toml:2:8; give this one another\n"},
	{"[daemon]\nworkers = 1\n", "[daemon]\nworkers = 1\n",
		"/etc/anna/conf.d/b.toml:2:1: error: \"workers\" is given in two files; it stands "
		"at /etc/anna/config.toml:2:1 too\n"},
	{"[daemon]\n", "[[daemon]]\n",
		"/etc/anna/conf.d/b.toml:1:3: error: \"daemon\" is given in two files; it stands "
		"at /etc/anna/config.toml:1:2 too\n"},
};

TEST(a_mistake_is_told_at_its_file_and_place) {
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct snapshot *snapshot = create(mistakes[i].first, mistakes[i].second);
		check_problems(mistakes[i].message);
		assert_null(snapshot);
	}
}

TEST(mistakes_of_all_files_are_told_in_order) {
	assert_null(create("[daemon]\nworkers = 99\nlog_level 3\n", "[x]\n"));

	CHECK_INT(problems.errors, 3);
	CHECK_INT(problems.items[0].line, 1);
	CHECK_TEXT(problems.items[0].file, "/etc/anna/conf.d/b.toml");
	CHECK_INT(problems.items[1].line, 2);
	CHECK_INT(problems.items[2].line, 3);
}

// Each of these texts takes more than the limit in a place of its own.
TEST(reading_ends_where_a_configuration_takes_too_much_memory) {
	struct buf text = BUF_INIT;
	struct schema small = schema;
	small.memory_max = 200000;
	static const struct {
		const char *head, *before, *after, *tail;
	} shapes[] = {
		{"", "[[mappings]]\nname = \"", "\"\n", ""},
		{"[daemon]\nlog_level = [", "", ",", "]\n"},
		{"[daemon]\nlog_level = {", "a", " = {},", "z = 1}\n"},
		{"[daemon]\n", "# ", "\n\n\n\n", ""},
	};
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		buf_clear(&text);
		buf_append_text(&text, shapes[i].head);
		for (int n = 0; n < 100000; n++) {
			buf_appendf(&text, "%s%d%s", shapes[i].before, n, shapes[i].after);
		}
		buf_append_text(&text, shapes[i].tail);
		struct config_file item = {STR("/etc/anna/config.toml"), buf_str(&text)};
		struct config_files files = {.items = &item, .n = 1};
		struct problems found = PROBLEMS_INIT;

		assert_null(snapshot_create(&small, &files, &found));

		bool is_told = false;
		for (size_t at = 0; at < found.n; at++) {
			is_told = is_told ||
				strstr(found.items[at].message, "takes more than 0.2 MB of memory");
		}
		CHECK(is_told);
		problems_finish(&found);
	}
	buf_finish(&text);
}

TEST(files_are_merged) {
	struct snapshot *snapshot = create("[daemon]\nworkers = 3\n[[mappings]]\nname = 'a'\n",
		"[daemon]\nlog_level = 'warn'\n[[mappings]]\nname = 'b'\n");

	assert_non_null(snapshot);
	const struct daemon_config *config = snapshot_section(snapshot, &daemon_section);
	CHECK_INT(config->workers, 3);
	CHECK_STR(config->log_level, "warn");
	struct item_list list = snapshot_list(snapshot, &mappings_section);
	CHECK_INT(list.n, 2);
	CHECK_STR(((struct mapping *)list.items)[1].name, "b");
	snapshot_unref(snapshot);
}

TEST(the_effective_configuration_says_where_each_value_is_from) {
	struct snapshot *snapshot = create("[daemon]\ntoken = 'hunter2'\n[[mappings]]\n"
					   "name = 'disk full'\nwhere = { a = 1 }\n"
					   "action = { type = 'log', message = \"a\\nb\" }\n",
		"[daemon]\nworkers = 3\n");
	struct buf text = BUF_INIT;

	snapshot_format(snapshot, true, &text);

	CHECK_TEXT(buf_text(&text),
		"daemon.log_level = \"info\"  # default\n"
		"daemon.workers = 3  # /etc/anna/conf.d/b.toml:2\n"
		"daemon.token = \"(secret)\"  # /etc/anna/config.toml:2\n"
		"mappings[\"disk full\"].name = \"disk full\"  # /etc/anna/config.toml:4\n"
		"mappings[\"disk full\"].on = \"*\"  # default\n"
		"mappings[\"disk full\"].action.type = \"log\"  # /etc/anna/config.toml:6\n"
		"mappings[\"disk full\"].action.message = \"a\\nb\"  # /etc/anna/config.toml:6\n"
		"mappings[\"disk full\"].where = { a = 1 }  # /etc/anna/config.toml:5\n");
	buf_clear(&text);
	snapshot_format(snapshot, false, &text);
	CHECK(str_starts(buf_str(&text), STR("daemon.log_level = \"info\"\n")));
	buf_finish(&text);
	snapshot_unref(snapshot);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		RUN(no_files_are_the_defaults),
		RUN(sections_are_filled_and_checked),
		RUN(a_snapshot_lives_as_long_as_its_last_borrower),
		RUN(a_mistake_is_told_at_its_file_and_place),
		RUN(mistakes_of_all_files_are_told_in_order),
		RUN(reading_ends_where_a_configuration_takes_too_much_memory),
		RUN(files_are_merged),
		RUN(the_effective_configuration_says_where_each_value_is_from),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
