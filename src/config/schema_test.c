// SPDX-License-Identifier: Apache-2.0
// The schema as JSON and as a sample file.
#include "config/schema.h"

#include "config/snapshot.h"
#include "formats/json.h"
#include "tests/check.h"

static const char *const levels[] = {"low", "high", NULL};

struct http_config {
	struct str address;
	int64_t port;
};
static const struct option http_rows[] = {
	{"address", OPTION_STRING, offsetof(struct http_config, address), .fallback = "127.0.0.1",
		.help = "Where it listens."},
	{"port", OPTION_INT, offsetof(struct http_config, port), .fallback = "2662", .min = 1,
		.max = 65535},
	{0},
};
struct daemon_config {
	int level;
	int64_t interval_ns;
	int64_t percent;
	struct http_config http;
	struct str token;
	struct strings mounts;
	int64_t old;
};
static const struct option daemon_rows[] = {
	{"level", OPTION_CHOICE, offsetof(struct daemon_config, level), .fallback = "high",
		.choices = levels, .letter = 'l', .help = "How much"},
	{"interval", OPTION_DURATION, offsetof(struct daemon_config, interval_ns), .fallback = "1s",
		.min = 1e8, .max = 6e10, .apply = APPLY_RESTART, .since = "0.1",
		.help = "How often."},
	{"percent", OPTION_INT, offsetof(struct daemon_config, percent), .min = 1,
		.unit = "percent", .fallback = "90"},
	{"http", OPTION_TABLE, offsetof(struct daemon_config, http), .rows = http_rows},
	{"token", OPTION_STRING, offsetof(struct daemon_config, token), .is_secret = true},
	{"mounts", OPTION_STRINGS, offsetof(struct daemon_config, mounts)},
	{"old", OPTION_INT, offsetof(struct daemon_config, old), .deprecated = "percent"},
	{0},
};
struct mapping {
	struct str name;
	struct tagged action;
};
static const struct option mapping_rows[] = {
	{"name", OPTION_STRING, offsetof(struct mapping, name), .is_required = true},
	{"action", OPTION_TAGGED, offsetof(struct mapping, action), .variants = "action"},
	{0},
};
static const struct option none_rows[] = {{0}};
static const struct variant actions[] = {{"none", "Does nothing", none_rows, 0, NULL, NULL}};
static const struct variants sets[] = {{"action", actions, 1}};
static const struct section daemon_section = {"daemon", "The process itself.", false, daemon_rows,
	sizeof(struct daemon_config), NULL, NULL};
static const struct section mappings_section = {"mappings", "What she does.", true, mapping_rows,
	sizeof(struct mapping), NULL, "[[mappings]]\nname = \"a\"\n"};
static const struct section *const sections[] = {&daemon_section, &mappings_section};
static const struct schema schema = {sections, 2, sets, 1};

TEST(a_section_is_found_by_its_name) {
	CHECK(schema_find(&schema, STR("mappings")) == &mappings_section);
	CHECK(!schema_find(&schema, STR("mapping")));
}

TEST(the_json_has_every_row) {
	struct arena *arena = arena_create();
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	schema_format_json(&schema, &out);

	const struct value *root = json_parse(arena, buf_str(&out), JSON_DEPTH, &err);
	assert_non_null(root);
	const struct value *daemon = &value_get(root, STR("sections"))->array.items[0];
	CHECK_STR(value_get(daemon, STR("name"))->string, "daemon");
	const struct value *options = value_get(daemon, STR("options"));
	CHECK_INT(options->array.n, 7);
	const struct value *level = &options->array.items[0];
	CHECK_INT(value_get(level, STR("choices"))->array.n, 2);
	CHECK_STR(value_get(level, STR("letter"))->string, "l");
	const struct value *interval = &options->array.items[1];
	CHECK_STR(value_get(interval, STR("min"))->string, "100ms");
	CHECK_STR(value_get(interval, STR("max"))->string, "1m");
	CHECK_STR(value_get(interval, STR("apply"))->string, "restart");
	CHECK_STR(value_get(interval, STR("expects"))->string,
		"a duration like 90s or 5m from 100ms to 1m");
	CHECK(!value_get(&options->array.items[2], STR("max")));
	CHECK_INT(value_get(&options->array.items[3], STR("options"))->array.n, 2);
	CHECK(value_get(&options->array.items[4], STR("secret"))->boolean);
	const struct value *variants = value_get(root, STR("variants"));
	CHECK_INT(value_get(variants, STR("action"))->array.n, 1);
	buf_finish(&out);
	arena_destroy(arena);
}

static struct snapshot *create(struct str text, struct problems *problems) {
	struct config_file item = {STR("sample.toml"), text};
	struct config_files files = {.items = &item, .n = 1};
	config_files_hash(&files);
	return snapshot_create(&schema, &files, problems);
}

TEST(the_sample_is_valid_and_changes_nothing) {
	struct buf sample = BUF_INIT;
	struct problems problems = PROBLEMS_INIT;
	schema_format_sample(&schema, &sample);

	struct snapshot *snapshot = create(buf_str(&sample), &problems);

	assert_non_null(snapshot);
	CHECK_INT(problems.n, 0);
	const struct daemon_config *config = snapshot_section(snapshot, &daemon_section);
	CHECK_INT(config->http.port, 2662);
	snapshot_unref(snapshot);
	buf_finish(&sample);
}

// What stands directly behind a # is a setting, "# " is text.
TEST(the_settings_of_the_sample_are_the_defaults) {
	struct buf sample = BUF_INIT, settings = BUF_INIT;
	struct problems problems = PROBLEMS_INIT;
	schema_format_sample(&schema, &sample);
	struct str rest = buf_str(&sample), line;
	while (str_split(&rest, '\n', &line) && !str_is(line, "#[[mappings]]")) {
		if (line.len > 1 && line.at[1] != ' ') {
			buf_appendf(&settings, "%" STR_FMT "\n", STR_ARG(str_skip(line, 1)));
		}
	}

	struct snapshot *plain = create(STR(""), &problems);
	struct snapshot *written = create(buf_str(&settings), &problems);

	CHECK_TEXT(buf_text(&settings),
		"[daemon]\nlevel = \"high\"\ninterval = \"1s\"\npercent = 90\n"
		"http.address = \"127.0.0.1\"\nhttp.port = 2662\ntoken = \"\"\nmounts = []\n");
	assert_non_null(written);
	CHECK(snapshot_section_equal(plain, written, &daemon_section));
	snapshot_unref(plain);
	snapshot_unref(written);
	buf_finish(&sample);
	buf_finish(&settings);
	problems_finish(&problems);
}

TEST(the_sample_tells_what_is_expected) {
	struct buf sample = BUF_INIT;
	schema_format_sample(&schema, &sample);
	const char *text = buf_text(&sample);

	CHECK(strstr(text, "\n# How much. One of low, high.\n#level = \"high\"\n") != NULL);
	CHECK(strstr(text,
		      "# How often. A duration like 90s or 5m from 100ms to 1m. Needs a "
		      "restart.\n#interval = \"1s\"\n") != NULL);
	CHECK(strstr(text, "# For example:\n#[[mappings]]\n#name = \"a\"\n") != NULL);
	CHECK(!strstr(text, "old"));
	buf_finish(&sample);
}

int main(void) {
	return TESTS(RUN(a_section_is_found_by_its_name), RUN(the_json_has_every_row),
		RUN(the_sample_is_valid_and_changes_nothing),
		RUN(the_settings_of_the_sample_are_the_defaults),
		RUN(the_sample_tells_what_is_expected));
}
