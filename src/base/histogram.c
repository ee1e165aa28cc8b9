// SPDX-License-Identifier: Apache-2.0
// Log-linear buckets; see histogram.h.
#include "base/histogram.h"

#include <math.h>
#include <string.h>

void histogram_init(struct histogram *histogram) {
	memset(histogram, 0, sizeof(*histogram));
}

// Values below 32 have a bucket each; above, every doubling is cut into 32 equal parts.
static uint32_t bucket_of(int64_t value) {
	if (value < 32) {
		return (uint32_t)value;
	}
	uint32_t shift = 58 - (uint32_t)__builtin_clzll((uint64_t)value);
	return 32 + shift * 32 + (uint32_t)((value >> shift) & 31);
}

static int64_t bucket_top(uint32_t bucket) {
	if (bucket < 32) {
		return bucket;
	}
	uint32_t shift = (bucket - 32) / 32;
	int64_t low = (int64_t)(32 + (bucket - 32) % 32) << shift;
	return low + (INT64_C(1) << shift) - 1;
}

void histogram_record(struct histogram *histogram, int64_t value) {
	value = value < 0 ? 0 : value > INT64_C(1) << 62 ? INT64_C(1) << 62 : value;
	histogram->min = histogram->count && histogram->min < value ? histogram->min : value;
	histogram->max = histogram->max > value ? histogram->max : value;
	histogram->sum += (double)value;
	histogram->count++;
	histogram->buckets[bucket_of(value)]++;
}

void histogram_since(
	const struct histogram *now, const struct histogram *before, struct histogram *out) {
	histogram_init(out);
	out->count = now->count - before->count;
	out->sum = now->sum - before->sum;
	out->min = -1;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		out->buckets[i] = now->buckets[i] - before->buckets[i];
		if (out->buckets[i]) {
			out->max = bucket_top(i);
			out->min = out->min < 0 ? bucket_top(i) : out->min;
		}
	}
	out->min = out->min < 0 ? 0 : out->min;
}

int64_t histogram_percentile(const struct histogram *histogram, double percent) {
	// The product may come out a hair above a whole rank (99.9 % of 1000): take that off.
	double exact = percent * (double)histogram->count / 100;
	uint64_t rank = (uint64_t)ceil(exact - exact * 1e-14);
	uint64_t seen = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS && histogram->count; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank && seen) {
			int64_t top = bucket_top(i);
			return top < histogram->max ? top : histogram->max;
		}
	}
	return histogram->max;
}

double histogram_mean(const struct histogram *histogram) {
	return histogram->count ? histogram->sum / (double)histogram->count : 0;
}
