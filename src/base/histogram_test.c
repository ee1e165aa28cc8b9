// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.h"

#include <stdlib.h>

#include "base/random.h"
#include "tests/check.h"

static int compare(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

TEST(an_empty_histogram_gives_zeros) {
	struct histogram histogram;
	histogram_init(&histogram);
	CHECK_INT(histogram_percentile(&histogram, 50), 0);
	CHECK_DOUBLE(histogram_mean(&histogram), 0);
}

TEST(one_value_is_every_percentile) {
	struct histogram histogram;
	histogram_init(&histogram);
	histogram_record(&histogram, 123456789);
	CHECK_INT(histogram_percentile(&histogram, 0.001), 123456789);
	CHECK_INT(histogram_percentile(&histogram, 100), 123456789);
	CHECK_DOUBLE(histogram_mean(&histogram), 123456789);
}

TEST(small_values_are_exact) {
	struct histogram histogram;
	histogram_init(&histogram);
	for (int i = 1; i <= 20; i++) {
		histogram_record(&histogram, i);
	}
	CHECK_INT(histogram_percentile(&histogram, 50), 10);
	CHECK_INT(histogram_percentile(&histogram, 51), 11);
	CHECK_INT(histogram_percentile(&histogram, 95), 19);
	CHECK_INT(histogram_percentile(&histogram, 100), 20);
}

TEST(a_percentile_that_is_a_whole_rank_stays_there) {
	struct histogram histogram;
	histogram_init(&histogram);
	for (int i = 0; i < 999; i++) {
		histogram_record(&histogram, 1);
	}
	histogram_record(&histogram, 30);
	CHECK_INT(histogram_percentile(&histogram, 99.9), 1);
	CHECK_INT(histogram_percentile(&histogram, 99.91), 30);
	histogram_init(&histogram);
	for (int i = 0; i < 10000; i++) { // 0.07 * 10000 / 100 is 7.000000000000001
		histogram_record(&histogram, i < 7 ? 1 : 30);
	}
	CHECK_INT(histogram_percentile(&histogram, 0.07), 1);
}

TEST(extreme_values_are_clamped_not_lost) {
	struct histogram histogram;
	histogram_init(&histogram);
	histogram_record(&histogram, -5);
	histogram_record(&histogram, INT64_MAX);
	CHECK_INT(histogram.count, 2);
	CHECK_INT(histogram.min, 0);
	CHECK_INT(histogram.max, INT64_C(1) << 62);
	CHECK_INT(histogram_percentile(&histogram, 100), INT64_C(1) << 62);
}

TEST(percentiles_are_within_a_32nd_of_the_nearest_rank) {
	enum {
		COUNT = 5000
	};
	static int64_t values[COUNT];
	struct histogram histogram;
	struct random random;
	uint64_t seed = 7;
	print_message("# seed %llu\n", (unsigned long long)seed);
	random_init(&random, seed);
	histogram_init(&histogram);
	for (int i = 0; i < COUNT; i++) {
		values[i] = (int64_t)(random_next(&random) >> (2 + random_below(&random, 60)));
		histogram_record(&histogram, values[i]);
	}
	qsort(values, COUNT, sizeof(*values), compare);
	CHECK_INT(histogram.count, COUNT);
	CHECK_INT(histogram.min, values[0]);
	CHECK_INT(histogram.max, values[COUNT - 1]);
	for (int tenth = 1; tenth <= 1000; tenth++) {
		int64_t exact = values[(tenth * COUNT + 999) / 1000 - 1];
		int64_t given = histogram_percentile(&histogram, tenth / 10.0);
		CHECK(given >= exact && given - exact <= exact / 32);
	}
}

TEST(what_came_since_a_reading_leaves_out_what_came_before) {
	struct histogram histogram, before, since;
	histogram_init(&histogram);
	histogram_record(&histogram, 1000000);
	before = histogram;

	histogram_since(&histogram, &before, &since);
	CHECK_INT(since.count, 0);
	CHECK_INT(histogram_percentile(&since, 99), 0);
	histogram_record(&histogram, 17);
	histogram_since(&histogram, &before, &since);

	CHECK_INT(since.count, 1);
	CHECK_INT(since.min, 17);
	CHECK_INT(since.max, 17);
	CHECK_INT(histogram_percentile(&since, 99), 17);
}

int main(void) {
	return TESTS(RUN(an_empty_histogram_gives_zeros), RUN(one_value_is_every_percentile),
		RUN(small_values_are_exact), RUN(a_percentile_that_is_a_whole_rank_stays_there),
		RUN(extreme_values_are_clamped_not_lost),
		RUN(percentiles_are_within_a_32nd_of_the_nearest_rank),
		RUN(what_came_since_a_reading_leaves_out_what_came_before));
}
