// SPDX-License-Identifier: Apache-2.0
// Built-in items of a list section, and what a configuration makes of them.
#include "config/snapshot.h"

#include "tests/check.h"

struct light {
	struct str name;
	int64_t brightness, seconds;
};

static const struct option light_rows[] = {
	{"name", OPTION_STRING, offsetof(struct light, name), .min = 1, .max = 20,
		.is_required = true},
	{"brightness", OPTION_INT, offsetof(struct light, brightness), "1", .max = 100},
	{"seconds", OPTION_INT, offsetof(struct light, seconds), "2", .max = 100},
	{NULL},
};

static const struct section lights = {.name = "lights",
	.is_list = true,
	.rows = light_rows,
	.size = sizeof(struct light),
	.presets = "[[lights]]\nname = \"hall\"\nbrightness = 40\nseconds = 9\n"
		   "[[lights]]\nname = \"roof\"\nseconds = 5\n"};

static struct snapshot *make(const char *text, struct buf *out_problems) {
	static const struct section *const sections[] = {&lights};
	static const struct schema schema = {sections, 1, NULL, 0};
	struct problems problems = PROBLEMS_INIT;
	struct config_file file = {STR("/etc/anna/config.toml"), str_from(text)};
	struct config_files files = {.items = &file, .n = 1};
	struct snapshot *snapshot = snapshot_create(&schema, &files, &problems);
	problems_format(&problems, out_problems);
	problems_finish(&problems);
	return snapshot;
}

static void check_shown(const char *text, const char *expected) {
	struct buf out = BUF_INIT, problems = BUF_INIT;
	struct snapshot *snapshot = make(text, &problems);
	CHECK_TEXT(buf_text(&problems), "");
	CHECK(snapshot != NULL);
	snapshot_format(snapshot, true, &out);
	CHECK_TEXT(buf_text(&out), expected);
	snapshot_unref(snapshot);
	buf_finish(&out);
	buf_finish(&problems);
}

#define ROOF \
	"lights[roof].name = \"roof\"  # built-in:6\n" \
	"lights[roof].brightness = 1  # default\n" \
	"lights[roof].seconds = 5  # built-in:7\n"

TEST(what_is_not_given_is_built_in) {
	check_shown("",
		"lights[hall].name = \"hall\"  # built-in:2\n"
		"lights[hall].brightness = 40  # built-in:3\n"
		"lights[hall].seconds = 9  # built-in:4\n" ROOF);
}

TEST(an_item_of_the_same_name_changes_only_the_keys_it_gives) {
	check_shown("[[lights]]\nname = \"door\"\n[[lights]]\nname = \"hall\"\nseconds = 3\n",
		"lights[hall].name = \"hall\"  # /etc/anna/config.toml:4\n"
		"lights[hall].brightness = 40  # built-in:3\n"
		"lights[hall].seconds = 3  # /etc/anna/config.toml:5\n" ROOF
		"lights[door].name = \"door\"  # /etc/anna/config.toml:2\n"
		"lights[door].brightness = 1  # default\n"
		"lights[door].seconds = 2  # default\n");
}

static void check_refused(const char *text, const char *expected) {
	struct buf problems = BUF_INIT;
	CHECK(make(text, &problems) == NULL);
	CHECK(strstr(buf_text(&problems), expected) != NULL);
	buf_finish(&problems);
}

TEST(two_given_items_of_one_name_are_a_problem_still) {
	check_refused("[[lights]]\nname = \"hall\"\n[[lights]]\nname = \"hall\"\n",
		"config.toml:4:8: error: the name \"hall\" in [[lights]] is taken already");
}

TEST(a_wrong_type_is_told_at_its_own_place) {
	check_refused("[lights]\nname = \"hall\"\n", "write [[lights]]");
	check_refused("[[lights]]\nname = 7\n", "config.toml:2:8");
	check_refused("lights = [1]\n", "number 3 of [[lights]] must be a table");
}

TEST(a_change_of_one_key_is_one_difference) {
	struct buf problems = BUF_INIT;
	struct changes changes;
	struct arena *arena = arena_create();
	struct snapshot *before = make("", &problems);
	struct snapshot *after = make("[[lights]]\nname = \"roof\"\nseconds = 6\n", &problems);
	CHECK(before && after);
	snapshot_diff(before, after, arena, &changes);
	CHECK_INT(changes.n, 1);
	CHECK_TEXT(changes.items[0].path, "lights[roof].seconds");
	CHECK_TEXT(changes.items[0].before, "5");
	CHECK_TEXT(changes.items[0].after, "6");
	snapshot_unref(before);
	snapshot_unref(after);
	arena_destroy(arena);
	buf_finish(&problems);
}

int main(void) {
	return TESTS(RUN(what_is_not_given_is_built_in),
		RUN(an_item_of_the_same_name_changes_only_the_keys_it_gives),
		RUN(two_given_items_of_one_name_are_a_problem_still),
		RUN(a_wrong_type_is_told_at_its_own_place),
		RUN(a_change_of_one_key_is_one_difference));
}
