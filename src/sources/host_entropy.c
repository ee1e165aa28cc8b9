// SPDX-License-Identifier: Apache-2.0
// /proc/sys/kernel/random (random(4)): the kernel's pool of random bits.
#include "formats/exposition.h"
#include "sources/host_collector.h"

enum {
	AVAILABLE,
	POOL_SIZE,
	NUMBERS
};

static const struct {
	const char *path, *family, *help;
} rows[NUMBERS] = {
	[AVAILABLE] = {"/proc/sys/kernel/random/entropy_avail", "node_entropy_available_bits",
		"Bits of available entropy."},
	[POOL_SIZE] = {"/proc/sys/kernel/random/poolsize", "node_entropy_pool_size_bits",
		"Bits of entropy pool."},
};

struct host_entropy {
	struct proc_file files[NUMBERS];
	bool is_known[NUMBERS];
	uint64_t values[NUMBERS];
};

static void gather(void *arg, struct host_turn *turn) {
	struct host_entropy *entropy = arg;
	for (size_t i = 0; i < NUMBERS; i++) {
		entropy->is_known[i] = turn_try(turn, &entropy->files[i], rows[i].path) &&
			str_to_uint64(str_trim(buf_str(&turn->text)), &entropy->values[i]);
	}
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_entropy *entropy = arg;
	for (size_t i = 0; i < NUMBERS; i++) {
		if (entropy->is_known[i]) {
			exposition_family(out, rows[i].family, "gauge", rows[i].help);
			exposition_sample(out, (double)entropy->values[i], NULL);
		}
	}
}

static void finish(void *arg) {
	struct host_entropy *entropy = arg;
	for (size_t i = 0; i < NUMBERS; i++) {
		proc_file_finish(&entropy->files[i]);
	}
}

DEFINE_HOST_COLLECTOR(entropy) = {
	.name = "entropy",
	.summary = "The kernel's pool of random bits.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_entropy),
	.gather = gather,
	.collect = collect,
	.finish = finish,
};
