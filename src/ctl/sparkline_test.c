// SPDX-License-Identifier: Apache-2.0
#include "ctl/sparkline.h"

#include "formats/json.h"
#include "tests/check.h"

static void check_line(
	const char *json, size_t columns, double full, bool is_utf8, const char *expected) {
	struct arena *arena = arena_create();
	struct buf line = BUF_INIT;
	const struct value *values = json_parse(arena, str_from(json), JSON_DEPTH, NULL);
	sparkline_append(&line, values, columns, full, is_utf8);
	CHECK_STR(buf_str(&line), expected);
	buf_finish(&line);
	arena_destroy(arena);
}

TEST(the_newest_is_on_the_right_and_the_largest_is_a_full_bar) {
	check_line("[0,1,2,3,4,5,6,7]", 8, 0, true, "▁▂▃▄▅▆▇█");
	check_line("[9,9,0,10]", 2, 0, true, "▁█");
}

TEST(fewer_numbers_than_columns_begin_further_right) {
	check_line("[7]", 4, 0, true, "   █");
	check_line("[]", 3, 0, true, "   ");
}

TEST(what_was_not_measured_is_a_blank) {
	check_line("[1,null,1.5]", 3, 0, true, "▆ █");
}

TEST(below_what_counts_as_much_the_line_is_flat) {
	check_line("[1,2,1]", 3, 100, true, "▁▁▁");
	check_line("[0,0]", 2, 0, true, "▁▁");
}

TEST(without_utf8_it_is_ascii) {
	check_line("[0,7]", 2, 0, false, "_@");
}

TEST(an_older_daemon_without_history_gives_blanks) {
	struct buf line = BUF_INIT;
	sparkline_append(&line, NULL, 3, 0, true);
	CHECK_STR(buf_str(&line), "   ");
	buf_finish(&line);
}

int main(void) {
	return TESTS(RUN(the_newest_is_on_the_right_and_the_largest_is_a_full_bar),
		RUN(fewer_numbers_than_columns_begin_further_right),
		RUN(what_was_not_measured_is_a_blank),
		RUN(below_what_counts_as_much_the_line_is_flat), RUN(without_utf8_it_is_ascii),
		RUN(an_older_daemon_without_history_gives_blanks));
}
