// SPDX-License-Identifier: Apache-2.0
// What differs between two snapshots.
#include "config/snapshot_fixture.h"
#include "tests/check.h"

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
		RUN(differences_are_told_option_by_option),
		RUN(a_section_is_equal_when_its_values_are),
		RUN(a_moved_name_is_no_change_of_ten_thousand_items),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
