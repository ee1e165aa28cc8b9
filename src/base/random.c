// SPDX-License-Identifier: Apache-2.0
// xoshiro256**; see random.h.
#include "base/random.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_init(struct random *random, uint64_t seed) {
	for (int i = 0; i < 4; i++) {
		seed += 0x9e3779b97f4a7c15u;
		uint64_t z = seed;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		random->state[i] = z ^ (z >> 31);
	}
}

void random_init_system(struct random *random) {
	uint64_t seed;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		abort(); // cannot fail for 8 bytes on a booted machine
	}
	random_init(random, seed);
}

static uint64_t rotate(uint64_t x, int k) {
	return (x << k) | (x >> (64 - k));
}

uint64_t random_next(struct random *random) {
	uint64_t *s = random->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t random_below(struct random *random, uint64_t bound) {
	uint64_t reject = (0 - bound) % bound;
	uint64_t value;
	do {
		value = random_next(random);
	} while (value < reject);
	return value % bound;
}

double random_unit(struct random *random) {
	return (double)(random_next(random) >> 11) * 0x1p-53;
}

void random_fill(struct random *random, void *bytes, size_t n) {
	unsigned char *at = bytes;
	while (n) {
		uint64_t word = random_next(random);
		size_t part = n < sizeof(word) ? n : sizeof(word);
		memcpy(at, &word, part);
		at += part;
		n -= part;
	}
}
