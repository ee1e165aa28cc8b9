// SPDX-License-Identifier: Apache-2.0
// A clock that stands still until told, and a simulation whose randomness comes from a seed:
//
//	struct fake_loop fake;
//	fake_loop_init(&fake, 42);
//	loop_advance(fake.loop, 30 * NS_PER_SECOND); // thirty seconds, now
//	fake_loop_finish(&fake);
#pragma once

#include "base/random.h"
#include "io/loop.h"

struct fake_clock {
	struct clock clock; // first: the loop sees this
	int64_t monotonic_ns;
	int64_t boot_ns;
	int64_t wall_ns;
};

struct fake_loop {
	struct fake_clock clock;
	struct random random;
	struct simulation simulation;
	struct loop *loop;
};

// Monotonic and boot time begin at 1,000 s, wall time at 2026-01-01T00:00:00Z.
void fake_clock_init(struct fake_clock *clock);
// Moves all three clocks.
void fake_clock_advance(struct fake_clock *clock, int64_t ns);

void fake_loop_init(struct fake_loop *fake, uint64_t seed);
void fake_loop_finish(struct fake_loop *fake);
