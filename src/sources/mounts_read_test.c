// SPDX-License-Identifier: Apache-2.0
// The mount table as facts.
#include "sources/mounts_read.h"

#include "tests/check.h"

static void check_mount(const char *line, const char *expected) {
	struct facts facts = {0};
	struct mount mount;
	struct buf text = BUF_INIT;
	mounts_parse(str_from(line), &facts);
	if (facts.n) {
		struct str key = facts_key(&facts, 0);
		mount_split(facts_value(&facts, 0), &mount);
		buf_appendf(&text,
			"%" STR_FMT "|%" STR_FMT "|%" STR_FMT "|%" STR_FMT "|%" STR_FMT
			"|%" STR_FMT,
			STR_ARG(key), STR_ARG(mount.point), STR_ARG(mount.device),
			STR_ARG(mount.type), STR_ARG(mount.mode), STR_ARG(mount.options));
	}
	CHECK_TEXT(buf_text(&text), expected);
	buf_finish(&text);
	facts_finish(&facts);
}

TEST(a_line_is_cut_into_its_fields) {
	check_mount(
		"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
		"36|/mnt2|/dev/root|ext3|rw|rw,noatime rw,errors=continue");
	check_mount("36 35 98:0 / /a rw - tmpfs tmpfs ro\n", "36|/a|tmpfs|tmpfs|ro|rw ro");
	check_mount("36 35 98:0 / /a ro,nosuid shared:1 master:2 - tmpfs  rw",
		"36|/a||tmpfs|ro|ro,nosuid rw");
}

TEST(escapes_are_undone_but_for_the_newline) {
	check_mount("1 1 0:1 / /a\\040b\\011c\\134d\\012e\\9 rw - t dev rw",
		"1|/a b\tc\\d\\012e\\9|dev|t|rw|rw rw");
}

TEST(a_line_that_is_cut_short_is_no_mount) {
	const char *line = "36 35 98:0 /mnt1 /mnt2 rw master:1 - ext3 /dev/root";
	for (size_t i = 0; i <= strlen(line); i++) {
		struct facts facts = {0};
		mounts_parse(str_range(line, i), &facts);
		CHECK_INT(facts.n, 0);
		facts_finish(&facts);
	}
}

TEST(a_table_that_cannot_be_read_is_trouble) {
	struct facts facts = {0};
	struct buf trouble = BUF_INIT;
	mounts_read("/nonexistent/mountinfo", &facts, &trouble);
	CHECK(strstr(buf_text(&trouble), "/nonexistent/mountinfo") != NULL);
	buf_finish(&trouble);
	facts_finish(&facts);
}

int main(void) {
	return TESTS(RUN(a_line_is_cut_into_its_fields),
		RUN(escapes_are_undone_but_for_the_newline),
		RUN(a_line_that_is_cut_short_is_no_mount),
		RUN(a_table_that_cannot_be_read_is_trouble));
}
