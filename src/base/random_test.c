// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include "tests/check.h"

TEST(a_seed_fixes_the_numbers) {
	struct random a, b;
	random_init(&a, 0);
	random_init(&b, 0);
	// xoshiro256** seeded with splitmix64(0), from the reference code
	CHECK(random_next(&a) == UINT64_C(0x99ec5f36cb75f2b4));
	CHECK(random_next(&a) == UINT64_C(0xbf6e1f784956452a));
	(void)random_next(&b);
	(void)random_next(&b);
	CHECK(random_next(&a) == random_next(&b));
}

TEST(numbers_below_a_bound_reach_every_value_evenly) {
	struct random random;
	int counts[7] = {0};
	random_init(&random, 5);
	for (int i = 0; i < 70000; i++) {
		uint64_t value = random_below(&random, 7);
		CHECK(value < 7);
		counts[value]++;
	}
	for (int i = 0; i < 7; i++) {
		CHECK(counts[i] > 9500 && counts[i] < 10500);
	}
	CHECK_INT(random_below(&random, 1), 0);
	CHECK(random_below(&random, UINT64_MAX) < UINT64_MAX);
}

TEST(units_stay_below_one) {
	struct random random;
	double sum = 0;
	random_init(&random, 6);
	for (int i = 0; i < 10000; i++) {
		double value = random_unit(&random);
		CHECK(value >= 0 && value < 1);
		sum += value;
	}
	CHECK(sum > 4800 && sum < 5200);
}

TEST(filling_writes_exactly_the_bytes_asked_for) {
	struct random random;
	unsigned char bytes[20];
	random_init(&random, 7);
	for (size_t n = 0; n < 16; n++) {
		memset(bytes, 0, sizeof(bytes));
		random_fill(&random, bytes + 1, n);
		CHECK_INT(bytes[0], 0);
		CHECK_INT(bytes[n + 1], 0);
	}
}

TEST(the_system_gives_different_seeds) {
	struct random a, b;
	random_init_system(&a);
	random_init_system(&b);
	CHECK(random_next(&a) != random_next(&b));
}

int main(void) {
	return TESTS(RUN(a_seed_fixes_the_numbers),
		RUN(numbers_below_a_bound_reach_every_value_evenly), RUN(units_stay_below_one),
		RUN(filling_writes_exactly_the_bytes_asked_for),
		RUN(the_system_gives_different_seeds));
}
