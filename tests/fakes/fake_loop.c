// SPDX-License-Identifier: Apache-2.0
// Simulated time for tests; see fake_loop.h.
#include "tests/fakes/fake_loop.h"

#include <assert.h>

static int64_t fake_monotonic(struct clock *clock) {
	return ((struct fake_clock *)clock)->monotonic_ns;
}

static int64_t fake_boot(struct clock *clock) {
	return ((struct fake_clock *)clock)->boot_ns;
}

static int64_t fake_wall(struct clock *clock) {
	return ((struct fake_clock *)clock)->wall_ns;
}

void fake_clock_init(struct fake_clock *clock) {
	*clock = (struct fake_clock){
		.clock = {fake_monotonic, fake_boot, fake_wall},
		.monotonic_ns = 1000 * NS_PER_SECOND,
		.boot_ns = 1000 * NS_PER_SECOND,
		.wall_ns = 1767225600 * NS_PER_SECOND,
	};
}

void fake_clock_advance(struct fake_clock *clock, int64_t ns) {
	clock->monotonic_ns += ns;
	clock->boot_ns += ns;
	clock->wall_ns += ns;
}

static void advance(struct simulation *simulation, int64_t ns) {
	struct fake_loop *fake = list_item(simulation, struct fake_loop, simulation);
	fake_clock_advance(&fake->clock, ns);
}

void fake_loop_init(struct fake_loop *fake, uint64_t seed) {
	fake_clock_init(&fake->clock);
	random_init(&fake->random, seed);
	fake->simulation = (struct simulation){&fake->random, advance};
	fake->loop = loop_create(&fake->clock.clock, &fake->simulation, NULL);
	assert(fake->loop);
}

void fake_loop_finish(struct fake_loop *fake) {
	loop_destroy(fake->loop);
}
