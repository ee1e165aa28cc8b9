// SPDX-License-Identifier: Apache-2.0
// Time as an argument. All of Anna reads time through a struct clock, so tests and the simulator
// advance it instead of sleeping. One unit inside: int64 nanoseconds.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_DAY (INT64_C(86400) * NS_PER_SECOND)

struct clock {
	// Nanoseconds that never jump back; stands still while the machine sleeps.
	int64_t (*monotonic)(struct clock *clock);
	// As monotonic, but goes on while the machine sleeps (CLOCK_BOOTTIME).
	int64_t (*boot)(struct clock *clock);
	// Nanoseconds since 1970 UTC; may jump.
	int64_t (*wall)(struct clock *clock);
};

// The kernel's clocks; one static instance, thread-safe.
struct clock *clock_system(void);

static inline int64_t clock_monotonic(struct clock *clock) {
	return clock->monotonic(clock);
}
static inline int64_t clock_boot(struct clock *clock) {
	return clock->boot(clock);
}
static inline int64_t clock_wall(struct clock *clock) {
	return clock->wall(clock);
}

// RFC 3339 in UTC with microseconds: 2026-01-31T12:00:00.000000Z.
void time_format(struct buf *out, int64_t wall_ns);
// RFC 3339 with any offset, with or without a fraction (RFC 3339 §5.6); false if it is not.
_must_use_ bool time_parse(struct str text, int64_t *out_wall_ns);

// "250ms", "90s", "5m", "1h30m", "2d", "500us"; a bare number is seconds. No sign, at most
// 10 years. False if the text is none of these.
_must_use_ bool duration_parse(struct str text, int64_t *out_ns);
// The shortest exact text that duration_parse reads back: "1h30m", "250ms", "0s".
void duration_format(struct buf *out, int64_t ns);
// For people, two units at most: "3d 4h", "12m 5s", "850 ms".
void duration_format_human(struct buf *out, int64_t ns);
