// SPDX-License-Identifier: Apache-2.0
// From the texts of files to a snapshot, and what differs between two of them.
#include "config/snapshot.h"

#include "base/alloc.h"
#include "tests/check.h"

struct daemon_config {
	struct str log_level;
	int64_t workers;
	struct str token;
};
static const struct option daemon_rows[] = {
	{"log_level", OPTION_STRING, offsetof(struct daemon_config, log_level), .fallback = "info",
		.help = "What is logged."},
	{"workers", OPTION_INT, offsetof(struct daemon_config, workers), .fallback = "2", .min = 1,
		.max = 8, .apply = APPLY_RESTART, .unit = "threads", .help = "How many."},
	{"token", OPTION_STRING, offsetof(struct daemon_config, token), .is_secret = true,
		.help = "Who knows it may."},
	{0},
};

struct log_config {
	struct str message;
};
static const struct option log_rows[] = {
	{"message", OPTION_STRING, offsetof(struct log_config, message), .is_required = true},
	{0},
};
static const struct option none_rows[] = {{0}};
static const struct variant actions[] = {
	{"log", "Writes", log_rows, sizeof(struct log_config), NULL, NULL},
	{"none", "Nothing", none_rows, 0, NULL, NULL},
};
static const struct variants sets[] = {{"action", actions, 2}};

struct mapping {
	struct str name;
	struct str on;
	struct tagged action;
	const struct value *where;
	int64_t compiled; // by the check
};
static const struct option mapping_rows[] = {
	{"name", OPTION_STRING, offsetof(struct mapping, name), .is_required = true, .min = 1,
		.max = 64, .help = "Its name"},
	{"on", OPTION_STRING, offsetof(struct mapping, on), .fallback = "*", .help = "Kinds"},
	{"action", OPTION_TAGGED, offsetof(struct mapping, action), .variants = "action"},
	{"where", OPTION_VALUE, offsetof(struct mapping, where)},
	{0},
};

static void check_daemon(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	(void)arena;
	const struct daemon_config *own = config;
	if (own->workers == 7) {
		problems_add(problems, place, "seven is refused");
	}
}

static void check_mapping(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	(void)place;
	(void)arena;
	(void)problems;
	((struct mapping *)config)->compiled = 42;
}

static const struct section daemon_section = {"daemon", "The process", false, daemon_rows,
	sizeof(struct daemon_config), check_daemon, NULL};
static const struct section mappings_section = {
	"mappings", "What to do", true, mapping_rows, sizeof(struct mapping), check_mapping, NULL};
static const struct section *const sections[] = {&daemon_section, &mappings_section};
static const struct schema schema = {sections, 2, sets, 1};

static struct problems problems;
static struct arena *arena;

static int begin(void **state) {
	(void)state;
	arena = arena_create();
	return 0;
}

static int end(void **state) {
	(void)state;
	arena_destroy(arena);
	problems_finish(&problems);
	return 0;
}

// A snapshot of one text, or of two when the second is not NULL.
static struct snapshot *create(const char *first, const char *second) {
	struct config_file items[] = {{STR("/etc/anna/config.toml"), str_from(first)},
		{STR("/etc/anna/conf.d/b.toml"), str_from(second)}};
	struct config_files files = {.items = items, .n = second ? 2 : 1};
	config_files_hash(&files);
	problems_finish(&problems);
	return snapshot_create(&schema, &files, &problems);
}

static void check_problems(const char *expected) {
	struct buf text = BUF_INIT;
	problems_format(&problems, &text);
	CHECK_TEXT(buf_text(&text), expected);
	buf_finish(&text);
}

static char *diff(const char *before, const char *after) {
	struct snapshot *a = create(before, NULL), *b = create(after, NULL);
	assert_non_null(a);
	assert_non_null(b);
	struct changes changes;
	snapshot_diff(a, b, arena, &changes);
	struct buf text = BUF_INIT;
	for (size_t i = 0; i < changes.n; i++) {
		const struct change *change = &changes.items[i];
		buf_appendf(&text, "%s: %s -> %s%s\n", change->path,
			change->before ? change->before : "nothing",
			change->after ? change->after : "nothing",
			change->needs_restart ? " (restart)" : "");
	}
	snapshot_unref(a);
	snapshot_unref(b);
	return buf_take(&text);
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

#define MAPPING(name, on) "[[mappings]]\nname = '" name "'\non = '" on "'\n"

static const struct {
	const char *before, *after, *changes;
} diffs[] = {
	{"", "", ""},
	{"", "# only text\n[daemon]\nworkers = 2\n", ""},
	{"[daemon]\nworkers = 3\n", "[daemon]\nlog_level = 'warn'\n",
		"daemon.log_level: \"info\" -> \"warn\"\n"
		"daemon.workers: 3 -> 2 (restart)\n"},
	{"[daemon]\ntoken = 'a'\n", "[daemon]\ntoken = 'b'\n",
		"daemon.token: \"(secret)\" -> \"(secret)\"\n"},
	{"[daemon]\ntoken = 'a'\n", "[daemon]\n", "daemon.token: \"(secret)\" -> \"\"\n"},
	{MAPPING("a", "x"), MAPPING("a", "y"), "mappings[a].on: \"x\" -> \"y\"\n"},
	{MAPPING("a", "x"), MAPPING("b", "x"),
		"mappings[a]: { name = \"a\", on = \"x\" } -> nothing\n"
		"mappings[b]: nothing -> { name = \"b\", on = \"x\" }\n"},
	{MAPPING("a", "x") MAPPING("c", "x"), MAPPING("a", "x") MAPPING("b", "x") MAPPING("c", "x"),
		"mappings[b]: nothing -> { name = \"b\", on = \"x\" }\n"},
	{MAPPING("a", "x") MAPPING("b", "x") MAPPING("c", "x"),
		MAPPING("b", "x") MAPPING("a", "y") MAPPING("c", "x"),
		"mappings[a].on: \"x\" -> \"y\"\n"
		"mappings.order: [\"a\", \"b\"] -> [\"b\", \"a\"]\n"},
	{"[[mappings]]\nname='a'\naction={type='log',message='m'}\n",
		"[[mappings]]\nname='a'\naction={type='log',message='n'}\n",
		"mappings[a].action.message: \"m\" -> \"n\"\n"},
	{"[[mappings]]\nname='a'\naction={type='log',message='m'}\n",
		"[[mappings]]\nname='a'\naction={type='none'}\n",
		"mappings[a].action: { type = \"log\", message = \"m\" } -> { type = \"none\" }\n"},
	{"[[mappings]]\nname='a'\n", "[[mappings]]\nname='a'\naction={type='none'}\n",
		"mappings[a].action: nothing -> { type = \"none\" }\n"},
	{"[[mappings]]\nname='a'\nwhere={a=1,b=2}\n", "[[mappings]]\nname='a'\nwhere={b=2,a=1}\n",
		""},
	{"[[mappings]]\nname='a'\nwhere={a=1}\n", "[[mappings]]\nname='a'\n",
		"mappings[a].where: { a = 1 } -> nothing\n"},
};

TEST(differences_are_told_option_by_option) {
	for (size_t i = 0; i < sizeof(diffs) / sizeof(diffs[0]); i++) {
		char *text = diff(diffs[i].before, diffs[i].after);
		CHECK_TEXT(text, diffs[i].changes);
		free(text);
	}
}

TEST(a_section_is_equal_when_its_values_are) {
	struct snapshot *a = create("[daemon]\nworkers = 2\n" MAPPING("a", "x"), NULL);
	struct snapshot *b = create(MAPPING("a", "y"), NULL);

	CHECK(snapshot_section_equal(a, b, &daemon_section));
	CHECK(!snapshot_section_equal(a, b, &mappings_section));
	CHECK(snapshot_section_equal(a, a, &mappings_section));

	snapshot_unref(a);
	snapshot_unref(b);
}

TEST(a_moved_name_is_no_change_of_ten_thousand_items) {
	struct buf one = BUF_INIT, two = BUF_INIT;
	for (int i = 0; i < 10000; i++) {
		buf_appendf(&one, "[[mappings]]\nname = 'm%d'\n", i);
		buf_appendf(&two, "[[mappings]]\nname = 'm%d'\n", (i + 1) % 10000);
	}

	char *text = diff(buf_text(&one), buf_text(&two));

	CHECK_TEXT(text,
		"mappings.order: [\"m0\", \"m1\", \"m2\", \"m3\", \"m4\", \"m5\", \"m6\", \"m7\", "
		"\"m8\", \"m9\", ...] -> [\"m1\", \"m2\", \"m3\", \"m4\", \"m5\", \"m6\", \"m7\", "
		"\"m8\", \"m9\", \"m10\", ...]\n");
	free(text);
	buf_finish(&one);
	buf_finish(&two);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		RUN(no_files_are_the_defaults),
		RUN(sections_are_filled_and_checked),
		RUN(a_snapshot_lives_as_long_as_its_last_borrower),
		RUN(a_mistake_is_told_at_its_file_and_place),
		RUN(mistakes_of_all_files_are_told_in_order),
		RUN(files_are_merged),
		RUN(the_effective_configuration_says_where_each_value_is_from),
		RUN(differences_are_told_option_by_option),
		RUN(a_section_is_equal_when_its_values_are),
		RUN(a_moved_name_is_no_change_of_ten_thousand_items),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
