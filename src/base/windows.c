// SPDX-License-Identifier: Apache-2.0
// Two rings of sub-windows; see windows.h. A slot is emptied when its turn comes again, and one that
// is too old to belong to a window is left out by its number, so nothing needs a timer.
#include "base/windows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

#define EXACT 32     // buckets of one microsecond each
#define DOUBLINGS 21 // of 32 buckets: up to 67 seconds; what is longer counts as that
#define BUCKETS (EXACT + DOUBLINGS * 32)
#define SHORT_SLOTS 7 // a minute of ten seconds, and the one being filled
#define LONG_SLOTS 16 // fifteen minutes, and the one being filled
#define SHORT_NS (10 * NS_PER_SECOND)
#define LONG_NS (60 * NS_PER_SECOND)

struct slot {
	int64_t number; // now / its length; 0: never used
	uint64_t count, failures;
	int64_t min, max;
	double sum;
	uint16_t low, high; // the buckets in use
	uint32_t buckets[BUCKETS];
};

struct windows {
	struct slot brief[SHORT_SLOTS];
	struct slot lasting[LONG_SLOTS];
};

struct windows *windows_create(void) {
	return xcalloc(1, sizeof(struct windows));
}

void windows_destroy(struct windows *windows) {
	free(windows);
}

size_t windows_size(void) {
	return sizeof(struct windows);
}

static uint32_t bucket_of(int64_t us) {
	if (us < EXACT) {
		return (uint32_t)us;
	}
	uint32_t shift = 58 - (uint32_t)__builtin_clzll((uint64_t)us);
	uint32_t bucket = EXACT + shift * 32 + (uint32_t)((us >> shift) & 31);
	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

// The largest value of a bucket, in nanoseconds.
static int64_t bucket_top_ns(uint32_t bucket) {
	if (bucket < EXACT) {
		return (bucket + 1) * NS_PER_US - 1;
	}
	uint32_t shift = (bucket - EXACT) / 32;
	int64_t low = (int64_t)(32 + (bucket - EXACT) % 32) << shift;
	return (low + (INT64_C(1) << shift)) * NS_PER_US - 1;
}

static void slot_empty(struct slot *slot, int64_t number) {
	if (slot->count) {
		memset(&slot->buckets[slot->low], 0,
			(size_t)(slot->high - slot->low + 1) * sizeof(*slot->buckets));
	}
	slot->number = number;
	slot->count = slot->failures = 0;
	slot->sum = 0;
	slot->min = slot->max = 0;
	slot->low = slot->high = 0;
}

static void slot_record(struct slot *slot, int64_t number, int64_t value_ns, bool has_failed) {
	if (slot->number != number) {
		slot_empty(slot, number);
	}
	uint16_t bucket = (uint16_t)bucket_of(value_ns / NS_PER_US);
	bool is_first = slot->count == 0;
	slot->low = is_first || bucket < slot->low ? bucket : slot->low;
	slot->high = is_first || bucket > slot->high ? bucket : slot->high;
	slot->min = is_first || value_ns < slot->min ? value_ns : slot->min;
	slot->max = value_ns > slot->max ? value_ns : slot->max;
	slot->sum += (double)value_ns;
	slot->count++;
	slot->failures += has_failed;
	slot->buckets[bucket]++;
}

// Numbers begin at 1, so that the zeroed slot belongs to no time.
static int64_t number_at(int64_t now_ns, int64_t length_ns) {
	return now_ns / length_ns + 1;
}

void windows_record(struct windows *windows, int64_t now_ns, int64_t value_ns, bool has_failed) {
	int64_t brief = number_at(now_ns, SHORT_NS), lasting = number_at(now_ns, LONG_NS);
	value_ns = value_ns < 0 ? 0 : value_ns;
	slot_record(&windows->brief[brief % SHORT_SLOTS], brief, value_ns, has_failed);
	slot_record(&windows->lasting[lasting % LONG_SLOTS], lasting, value_ns, has_failed);
}

struct sum {
	struct window_summary *out;
	double total;
	uint32_t low, high;
	uint64_t buckets[BUCKETS];
};

static void sum_add(struct sum *sum, const struct slot *slot) {
	struct window_summary *out = sum->out;
	bool is_first = out->count == 0;
	out->min = is_first || slot->min < out->min ? slot->min : out->min;
	out->max = slot->max > out->max ? slot->max : out->max;
	out->count += slot->count;
	out->failures += slot->failures;
	sum->total += slot->sum;
	for (uint32_t i = slot->low; i <= slot->high; i++) {
		sum->buckets[i] += slot->buckets[i];
	}
	sum->low = is_first || slot->low < sum->low ? slot->low : sum->low;
	sum->high = is_first || slot->high > sum->high ? slot->high : sum->high;
}

static int64_t percentile(const struct sum *sum, double percent) {
	// The product may come out a hair above a whole rank (99.9 % of 1000): take that off.
	double exact = percent * (double)sum->out->count / 100;
	uint64_t rank = (uint64_t)ceil(exact - exact * 1e-14), seen = 0;
	for (uint32_t i = sum->low; i <= sum->high; i++) {
		seen += sum->buckets[i];
		if (seen >= rank && i < BUCKETS - 1) { // the last bucket has no upper end
			int64_t top = bucket_top_ns(i);
			return top < sum->out->max ? top : sum->out->max;
		}
	}
	return sum->out->max;
}

void windows_read(const struct windows *windows, int64_t now_ns, enum window window,
	struct window_summary *out) {
	*out = (struct window_summary){0};
	if (!windows) {
		return;
	}
	bool is_brief = window == WINDOW_1M;
	const struct slot *slots = is_brief ? windows->brief : windows->lasting;
	size_t n = is_brief ? SHORT_SLOTS : LONG_SLOTS;
	int64_t number = number_at(now_ns, is_brief ? SHORT_NS : LONG_NS);
	int64_t reach = is_brief ? 6 : window == WINDOW_5M ? 5 : 15;
	struct sum sum = {.out = out};
	for (size_t i = 0; i < n; i++) {
		if (slots[i].count && slots[i].number >= number - reach &&
			slots[i].number <= number) {
			sum_add(&sum, &slots[i]);
		}
	}
	if (out->count) {
		out->mean = sum.total / (double)out->count;
		out->p50 = percentile(&sum, 50);
		out->p95 = percentile(&sum, 95);
		out->p99 = percentile(&sum, 99);
	}
}

const char *window_name(enum window window) {
	static const char *const names[] = {"1m", "5m", "15m"};
	return names[window];
}
