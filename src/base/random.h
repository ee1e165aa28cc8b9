// SPDX-License-Identifier: Apache-2.0
// Random numbers as an argument: seeded from the kernel in the daemon, from a printed seed in
// tests and in the simulator. xoshiro256** (Blackman, Vigna 2018); good for jitter, ids and
// tests, not for secrets.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state[4];
};

// Every seed, also 0, gives a good state (expanded by splitmix64).
void random_init(struct random *random, uint64_t seed);
void random_init_system(struct random *random);
uint64_t random_next(struct random *random);
// Uniform in [0, bound), without bias; bound > 0.
uint64_t random_below(struct random *random, uint64_t bound);
// Uniform in [0, 1).
double random_unit(struct random *random);
void random_fill(struct random *random, void *bytes, size_t n);
