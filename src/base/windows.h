// SPDX-License-Identifier: Apache-2.0
// How long something took in the last minute, five and fifteen minutes: counts in log-linear buckets
// of microseconds (relative error below 1/32), in two rings of sub-windows, 7 of ten seconds and 16
// of a minute. A window is its whole sub-windows and the one being filled, so it reaches back its
// length and at most one sub-window more. About 65 KB each, and it never grows.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

enum window {
	WINDOW_1M,
	WINDOW_5M,
	WINDOW_15M,
	WINDOW_COUNT
};

// What one window says. All in nanoseconds; zero where count is.
struct window_summary {
	uint64_t count, failures;
	int64_t min, max; // exact
	double mean;
	int64_t p50, p95, p99; // by nearest rank, as the upper end of its bucket, never above max
};

struct windows;

_must_use_ struct windows *windows_create(void);
// NULL is fine.
void windows_destroy(struct windows *windows);
// now_ns is monotonic and never goes back; value_ns below 0 counts as 0.
void windows_record(struct windows *windows, int64_t now_ns, int64_t value_ns, bool has_failed);
// NULL gives an empty distribution: nothing was ever recorded.
void windows_read(const struct windows *windows, int64_t now_ns, enum window window,
	struct window_summary *out);
// "1m", "5m", "15m"
const char *window_name(enum window window);
// Bytes of one.
size_t windows_size(void);
