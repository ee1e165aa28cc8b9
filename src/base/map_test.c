// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include <stdio.h>

#include "base/random.h"
#include "tests/check.h"

TEST(an_empty_map_has_nothing) {
	struct map map = MAP_INIT;
	size_t cursor = 0;
	CHECK(!map_get(&map, STR("a")));
	CHECK(!map_remove(&map, STR("a")));
	CHECK(!map_next(&map, &cursor));
	map_finish(&map);
}

TEST(putting_again_replaces_and_returns_the_old) {
	struct map map = MAP_INIT;
	int a, b;
	CHECK(!map_put(&map, STR("key"), &a));
	CHECK(map_put(&map, STR("key"), &b) == &a);
	CHECK(map_get(&map, STR("key")) == &b);
	CHECK_INT(map_count(&map), 1);
	map_finish(&map);
}

TEST(the_empty_key_and_null_bytes_are_keys) {
	struct map map = MAP_INIT;
	int a, b, c;
	(void)map_put(&map, (struct str){NULL, 0}, &a);
	(void)map_put(&map, str_range("\0", 1), &b);
	(void)map_put(&map, str_range("\0\0", 2), &c);
	CHECK(map_get(&map, STR("")) == &a);
	CHECK(map_get(&map, str_range("\0", 1)) == &b);
	CHECK(map_remove(&map, str_range("\0\0", 2)) == &c);
	CHECK_INT(map_count(&map), 2);
	map_finish(&map);
}

TEST(iteration_is_in_insertion_order_and_may_remove) {
	struct map map = MAP_INIT;
	static char names[100][4];
	for (int i = 0; i < 100; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%d", i);
		(void)map_put(&map, str_from(names[i]), names[i]);
	}
	size_t cursor = 0, seen = 0;
	for (struct map_entry *entry; (entry = map_next(&map, &cursor));) {
		CHECK(entry->value == names[seen++]);
		(void)map_remove(&map, entry->key);
	}
	CHECK_INT(seen, 100);
	CHECK_INT(map_count(&map), 0);
	map_finish(&map);
}

TEST(random_work_agrees_with_a_plain_array) {
	enum {
		KEYS = 500
	};
	static uint64_t keys[KEYS];
	static void *model[KEYS];
	struct map map = MAP_INIT;
	struct random random;
	uint64_t seed = 99;
	size_t live = 0;
	print_message("# seed %llu\n", (unsigned long long)seed);
	random_init(&random, seed);
	for (int step = 0; step < 100000; step++) {
		size_t i = random_below(&random, KEYS);
		keys[i] = i * 0x10001;
		struct str key = map_key_u64(&keys[i]);
		void *value = &model[random_below(&random, KEYS)];
		switch (random_below(&random, 3)) {
		case 0:
			live += !model[i];
			CHECK(map_put(&map, key, value) == model[i]);
			model[i] = value;
			break;
		case 1:
			live -= model[i] != NULL;
			CHECK(map_remove(&map, key) == model[i]);
			model[i] = NULL;
			break;
		default:
			CHECK(map_get(&map, key) == model[i]);
		}
		CHECK_INT(map_count(&map), live);
	}
	CHECK(map.slot_count <= 4096); // removing and adding for ever does not grow it
	map_finish(&map);
}

int main(void) {
	return TESTS(RUN(an_empty_map_has_nothing), RUN(putting_again_replaces_and_returns_the_old),
		RUN(the_empty_key_and_null_bytes_are_keys),
		RUN(iteration_is_in_insertion_order_and_may_remove),
		RUN(random_work_agrees_with_a_plain_array));
}
