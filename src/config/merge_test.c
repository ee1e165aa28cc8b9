// SPDX-License-Identifier: Apache-2.0
// Several files as one table.
#include "config/snapshot_parts.h"

#include "formats/toml.h"
#include "tests/check.h"

// Merges up to three texts and compares the result and the first problem.
static void check_merge(const char *const texts[3], const char *expected, const char *problem) {
	struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	const struct value *roots[3];
	size_t n = 0;
	for (; n < 3 && texts[n]; n++) {
		roots[n] = toml_parse(arena, "f", str_from(texts[n]), &problems);
	}
	struct buf out = BUF_INIT;

	const struct value *merged = merge_roots(arena, roots, n, &problems);

	toml_format(&out, merged);
	CHECK_TEXT(buf_text(&out), expected);
	if (problem) {
		CHECK_INT(problems.n, 1);
		CHECK_TEXT(problems.items[0].message, problem);
	} else {
		CHECK_INT(problems.n, 0);
	}
	buf_finish(&out);
	problems_finish(&problems);
	arena_destroy(arena);
}

TEST(no_roots_are_no_table) {
	CHECK(!merge_roots(NULL, NULL, 0, NULL));
}

TEST(one_file_stays_as_it_is) {
	check_merge((const char *[3]){"a = 1\n"}, "{ a = 1 }", NULL);
}

TEST(tables_are_merged_at_every_depth) {
	check_merge((const char *[3]){"[a]\nb = 1\n[a.c]\nd = 2\n", "[a.c]\ne = 3\n", "[f]\n"},
		"{ a = { b = 1, c = { d = 2, e = 3 } }, f = {} }", NULL);
}

TEST(lists_of_tables_are_joined_in_order) {
	check_merge((const char *[3]){"[[m]]\nn = 1\n[[m]]\nn = 2\n", "[[m]]\nn = 3\n",
			    "[[m]]\nn = 4\n"},
		"{ m = [{ n = 1 }, { n = 2 }, { n = 3 }, { n = 4 }] }", NULL);
}

TEST(a_value_given_twice_keeps_the_first_and_is_told) {
	check_merge((const char *[3]){"a = 1\n", "\na = 2\n"}, "{ a = 1 }",
		"\"a\" is given in two files; it stands at f:1:1 too");
	check_merge((const char *[3]){"a = [1]\n", "a = [2]\n"}, "{ a = [1] }",
		"\"a\" is given in two files; it stands at f:1:1 too");
	check_merge((const char *[3]){"[x]\na = 1\n", "[x.a]\n"}, "{ x = { a = 1 } }",
		"\"a\" is given in two files; it stands at f:2:1 too");
}

int main(void) {
	return TESTS(RUN(no_roots_are_no_table), RUN(one_file_stays_as_it_is),
		RUN(tables_are_merged_at_every_depth), RUN(lists_of_tables_are_joined_in_order),
		RUN(a_value_given_twice_keeps_the_first_and_is_told));
}
