// SPDX-License-Identifier: Apache-2.0
// Rows by name, over several readings.
#include "sources/host_rows.h"

#include "base/alloc.h"
#include "tests/check.h"

struct thing {
	struct row row;
	int value;
};

static struct thing *find(struct rows *rows, const char *name) {
	return rows_find(rows, str_from(name));
}

TEST(a_row_is_kept_while_it_is_named) {
	struct rows rows = {.size = sizeof(struct thing)};
	rows_begin(&rows);
	find(&rows, "a")->value = 1;
	find(&rows, "b")->value = 2;
	find(&rows, "c")->value = 3;
	rows_end(&rows);
	rows_begin(&rows);
	CHECK_INT(find(&rows, "c")->value, 3); // in another order
	CHECK_INT(find(&rows, "a")->value, 1);
	rows_end(&rows);
	CHECK_INT(rows.n, 2);
	rows_begin(&rows);
	CHECK_INT(find(&rows, "b")->value, 0); // it came back as a new one
	CHECK_INT(find(&rows, "a")->value, 1);
	rows_end(&rows);
	rows_finish(&rows);
}

TEST(a_name_counts_once_in_a_reading_and_must_be_one) {
	struct rows rows = {.size = sizeof(struct thing)};
	_cleanup_(freep) char *long_name = xcalloc(1, ROW_NAME + 1);
	memset(long_name, 'x', ROW_NAME);
	rows_begin(&rows);
	CHECK(find(&rows, "a") != NULL);
	CHECK(find(&rows, "a") == NULL);
	CHECK(find(&rows, "") == NULL);
	CHECK(find(&rows, long_name) == NULL);
	CHECK(rows_find(&rows, str_range("a\0b", 3)) == NULL);
	rows_end(&rows);
	rows_finish(&rows);
}

TEST(labels_are_clean_text) {
	struct rows rows = {.size = sizeof(struct thing)};
	rows_begin(&rows);
	CHECK_TEXT(find(&rows,
			   "a\xff"
			   "b")
			   ->row.label,
		"a\xEF\xBF\xBD"
		"b");
	rows_end(&rows);
	rows_finish(&rows);
}

TEST(the_table_is_bounded) {
	struct rows rows = {.size = sizeof(struct thing)};
	char name[16];
	rows_begin(&rows);
	for (int i = 0; i < ROWS_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		CHECK(find(&rows, name) != NULL);
	}
	CHECK(find(&rows, "more") == NULL);
	rows_end(&rows);
	CHECK_INT(rows.n, ROWS_MAX);
	rows_finish(&rows);
}

int main(void) {
	return TESTS(RUN(a_row_is_kept_while_it_is_named),
		RUN(a_name_counts_once_in_a_reading_and_must_be_one), RUN(labels_are_clean_text),
		RUN(the_table_is_bounded));
}
