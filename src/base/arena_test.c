// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include "tests/check.h"

TEST(memory_is_zeroed_and_aligned) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	for (size_t size = 1; size < 300; size++) {
		unsigned char *at = arena_alloc(arena, size);
		CHECK_INT((uintptr_t)at % 16, 0);
		for (size_t i = 0; i < size; i++) {
			CHECK_INT(at[i], 0);
		}
		memset(at, 0xaa, size); // a neighbour that overlaps would see this
	}
}

TEST(memory_after_clear_is_zeroed_again) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	memset(arena_alloc(arena, 100), 0xff, 100);
	arena_clear(arena);
	unsigned char *at = arena_alloc(arena, 100);
	CHECK_INT(at[0] | at[99], 0);
	CHECK_INT(arena_used(arena), 112);
}

TEST(wishes_larger_than_a_block_are_met) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	char *small = arena_copy(arena, STR("small"));
	char *large = arena_alloc(arena, 1 << 20);
	memset(large, 'x', 1 << 20);
	CHECK_TEXT(small, "small");
	arena_clear(arena);
	CHECK_TEXT(arena_copy(arena, STR("again")), "again");
}

TEST(copies_end_with_a_nul_and_do_not_borrow) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	char text[] = "abcdef";
	char *copy = arena_copy(arena, str_range(text, 3));
	struct str str = arena_copy_str(arena, str_range(text, 4));
	text[0] = 'z';
	CHECK_TEXT(copy, "abc");
	CHECK_STR(str, "abcd");
	CHECK_TEXT(arena_copy(arena, (struct str){NULL, 0}), "");
}

TEST(printf_takes_any_length) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	CHECK_TEXT(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
	CHECK_INT(strlen(arena_printf(arena, "%070000d", 1)), 70000);
}

int main(void) {
	return TESTS(RUN(memory_is_zeroed_and_aligned), RUN(memory_after_clear_is_zeroed_again),
		RUN(wishes_larger_than_a_block_are_met),
		RUN(copies_end_with_a_nul_and_do_not_borrow), RUN(printf_takes_any_length));
}
