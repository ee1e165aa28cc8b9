// SPDX-License-Identifier: Apache-2.0
// Counts of values in log-linear buckets (as HdrHistogram): relative error below 1/32 from 0 to
// 2^62, exact count, minimum, maximum and mean. Percentiles are by nearest rank. About 8 KB.
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 1888 // 32 exact + 58 doublings of 32

struct histogram {
	uint64_t count;
	int64_t min;
	int64_t max;
	double sum;
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *histogram);
// Negative values count as 0.
void histogram_record(struct histogram *histogram, int64_t value);
// What was recorded between two readings of one histogram; minimum and maximum are those of the
// buckets, so as exact as percentiles are.
void histogram_since(
	const struct histogram *now, const struct histogram *before, struct histogram *out);
// The value at rank ceil(percent/100 * count), as the upper end of its bucket and never above
// max; 0 when empty. percent in (0, 100].
int64_t histogram_percentile(const struct histogram *histogram, double percent);
// 0 when empty.
double histogram_mean(const struct histogram *histogram);
