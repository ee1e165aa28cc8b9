// SPDX-License-Identifier: Apache-2.0
#include "base/windows.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "tests/check.h"

#define T0 (1000 * NS_PER_SECOND) // a whole minute and ten seconds begin at 960 s and 1,000 s

static struct window_summary read_at(
	const struct windows *windows, int64_t now_ns, enum window window) {
	struct window_summary out;
	windows_read(windows, now_ns, window, &out);
	return out;
}

TEST(nothing_recorded_is_an_empty_distribution) {
	struct windows *windows = windows_create();
	CHECK_INT(read_at(windows, T0, WINDOW_1M).count, 0);
	CHECK_INT(read_at(windows, T0, WINDOW_15M).p99, 0);
	CHECK_INT(read_at(NULL, T0, WINDOW_5M).count, 0);
	windows_destroy(windows);
}

static int compare(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

TEST(percentiles_are_those_of_the_nearest_rank_within_a_thirty_second) {
	struct windows *windows = windows_create();
	struct random random;
	static int64_t values[5000];
	random_init(&random, 7);
	for (size_t i = 0; i < 5000; i++) {
		values[i] = (int64_t)random_below(&random, UINT64_C(1) << (10 + i % 25));
		windows_record(windows, T0, values[i], false);
	}
	qsort(values, 5000, sizeof(*values), compare);

	struct window_summary d = read_at(windows, T0, WINDOW_1M);

	CHECK_INT(d.count, 5000);
	CHECK_INT(d.min, values[0]);
	CHECK_INT(d.max, values[4999]);
	const int64_t got[] = {d.p50, d.p95, d.p99};
	const size_t ranks[] = {2500, 4750, 4950};
	for (size_t i = 0; i < 3; i++) {
		int64_t exact = values[ranks[i] - 1];
		CHECK(got[i] >= exact);
		CHECK(got[i] <= exact + exact / 32 + NS_PER_US);
	}
	windows_destroy(windows);
}

TEST(of_a_hundred_different_values_the_fiftieth_is_the_median) {
	struct windows *windows = windows_create();
	for (int i = 1; i <= 100; i++) {
		windows_record(windows, T0, i * NS_PER_US / 4, false); // all below 32 us
	}
	struct window_summary d = read_at(windows, T0, WINDOW_1M);
	CHECK_INT(d.p50 / NS_PER_US, 12); // 50 / 4 = 12.5 us
	CHECK_INT(d.p99 / NS_PER_US, 24); // 99 / 4 = 24.75 us
	CHECK_INT(d.max, 25 * NS_PER_US);
	windows_destroy(windows);
}

TEST(failures_are_counted_among_all) {
	struct windows *windows = windows_create();
	windows_record(windows, T0, NS_PER_MS, true);
	windows_record(windows, T0, NS_PER_MS, false);
	CHECK_INT(read_at(windows, T0, WINDOW_5M).count, 2);
	CHECK_INT(read_at(windows, T0, WINDOW_5M).failures, 1);
	windows_destroy(windows);
}

TEST(each_window_forgets_after_its_length_and_at_most_one_part_more) {
	static const struct {
		enum window window;
		int64_t length_s, part_s;
	} cases[] = {{WINDOW_1M, 60, 10}, {WINDOW_5M, 300, 60}, {WINDOW_15M, 900, 60}};
	for (size_t i = 0; i < 3; i++) {
		struct windows *windows = windows_create();
		int64_t length = cases[i].length_s * NS_PER_SECOND;
		int64_t part = cases[i].part_s * NS_PER_SECOND;
		windows_record(windows, T0, NS_PER_MS, false);
		CHECK_INT(read_at(windows, T0 + length, cases[i].window).count, 1);
		CHECK_INT(read_at(windows, T0 + length + part, cases[i].window).count, 0);
		windows_destroy(windows);
	}
}

TEST(a_value_outlives_a_ring_that_turned_around_in_no_window) {
	struct windows *windows = windows_create();
	windows_record(windows, T0, NS_PER_SECOND, true);
	// The same slots again, a day later: what was in them is gone, also from the maximum.
	for (int64_t s = 0; s < 15 * 60; s += 10) {
		windows_record(windows, T0 + NS_PER_DAY + s * NS_PER_SECOND, 2 * NS_PER_US, false);
	}
	struct window_summary d = read_at(
		windows, T0 + NS_PER_DAY + 890 * NS_PER_SECOND, WINDOW_15M);
	CHECK_INT(d.failures, 0);
	CHECK_INT(d.max, 2 * NS_PER_US);
	CHECK_INT(d.count, 90);
	windows_destroy(windows);
}

TEST(what_is_longer_than_the_last_bucket_has_its_exact_maximum) {
	struct windows *windows = windows_create();
	windows_record(windows, T0, 500 * NS_PER_SECOND, false);
	windows_record(windows, T0, -5, false);
	struct window_summary d = read_at(windows, T0, WINDOW_1M);
	CHECK_INT(d.max, 500 * NS_PER_SECOND);
	CHECK_INT(d.p99, 500 * NS_PER_SECOND);
	CHECK_INT(d.min, 0);
	windows_destroy(windows);
}

TEST(one_takes_no_more_memory_than_is_written_down) {
	CHECK(windows_size() <= 68 * 1024);
}

int main(void) {
	return TESTS(RUN(nothing_recorded_is_an_empty_distribution),
		RUN(percentiles_are_those_of_the_nearest_rank_within_a_thirty_second),
		RUN(of_a_hundred_different_values_the_fiftieth_is_the_median),
		RUN(failures_are_counted_among_all),
		RUN(each_window_forgets_after_its_length_and_at_most_one_part_more),
		RUN(a_value_outlives_a_ring_that_turned_around_in_no_window),
		RUN(what_is_longer_than_the_last_bucket_has_its_exact_maximum),
		RUN(one_takes_no_more_memory_than_is_written_down));
}
