// SPDX-License-Identifier: Apache-2.0
#include "base/problems.h"

#include "tests/check.h"

TEST(problems_are_written_with_their_places) {
	struct problems problems = PROBLEMS_INIT;
	struct buf buf = BUF_INIT;
	problems_add(&problems, (struct place){"b.toml", 2, 7}, "bad %s", "value");
	problems_warn(&problems, (struct place){"a.toml", 9, 1}, "old");
	problems_add(&problems, (struct place){"a.toml", 0, 0}, "unreadable");
	problems_add(&problems, (struct place){NULL, 3, 4}, "nameless");
	problems_add(&problems, (struct place){NULL, 0, 0}, "nowhere");
	problems_sort(&problems);
	problems_format(&problems, &buf);
	CHECK_TEXT(buf_text(&buf),
		"error: nowhere\n"
		"3:4: error: nameless\n"
		"a.toml: error: unreadable\n"
		"a.toml:9:1: warning: old\n"
		"b.toml:2:7: error: bad value\n");
	buf_finish(&buf);
	problems_finish(&problems);
}

TEST(sorting_keeps_the_order_of_equal_places) {
	struct problems problems = PROBLEMS_INIT;
	problems_add(&problems, (struct place){"f", 2, 1}, "third");
	problems_add(&problems, (struct place){"f", 1, 5}, "first");
	problems_add(&problems, (struct place){"f", 1, 5}, "second");
	problems_sort(&problems);
	CHECK_TEXT(problems.items[0].message, "first");
	CHECK_TEXT(problems.items[1].message, "second");
	CHECK_TEXT(problems.items[2].message, "third");
	problems_finish(&problems);
}

TEST(warnings_are_not_errors) {
	struct problems problems = PROBLEMS_INIT;
	problems_warn(&problems, (struct place){"f", 1, 1}, "hm");
	CHECK(!problems_has_errors(&problems));
	CHECK_INT(problems.n, 1);
	problems_finish(&problems);
}

TEST(after_a_hundred_only_the_count_goes_on) {
	struct problems problems = PROBLEMS_INIT;
	struct buf buf = BUF_INIT;
	for (unsigned i = 1; i <= 250; i++) {
		problems_add(&problems, (struct place){"f", i, 1}, "bad");
	}
	CHECK_INT(problems.n, PROBLEMS_KEPT);
	CHECK_INT(problems.errors, 250);
	problems_format(&problems, &buf);
	CHECK(str_ends(buf_str(&buf), STR("f:100:1: error: bad\n... and 150 more\n")));
	buf_finish(&buf);
	problems_finish(&problems);
}

int main(void) {
	return TESTS(RUN(problems_are_written_with_their_places),
		RUN(sorting_keeps_the_order_of_equal_places), RUN(warnings_are_not_errors),
		RUN(after_a_hundred_only_the_count_goes_on));
}
