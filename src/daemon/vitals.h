// SPDX-License-Identifier: Apache-2.0
// Takes Anna's own measures once a second: counters on the loop, /proc and control groups in a job.
// rpc/vitals.h is what comes of it. Bounded: about 45 KB.
#pragma once

#include "base/histogram.h"
#include "rpc/vitals.h"

#define RATE_SAMPLES 61 // a minute, and where it began

struct vitals_keeper {
	struct vitals vitals;
	bool is_reading; // a job has it
	int64_t pss_ns;	 // monotonic, when it was last read
	uint64_t oldest_known;
	struct {
		int64_t at_ns;
		uint64_t counts[RATE_COUNT];
	} rates[RATE_SAMPLES];
	size_t rate_count, rate_next;
	// Cumulative when the last sample of the history was taken.
	struct histogram answers, lag, syncs;
	struct vitals_sample samples[VITALS_HISTORY];
	int64_t sampled_ns;
	size_t queue_deepest;
	int64_t cpu_us, cpu_ns; // at the footprint before
};

struct anna;
void vitals_init(struct vitals_keeper *keeper);
// Reads at once what a job reads later; for the start, when no loop runs yet. Blocking.
void vitals_read_now(struct anna *anna);
// What one configuration may take of the memory that the kernel lets Anna have, in bytes; 0: no limit.
size_t vitals_config_memory(const struct anna *anna);
// Once a second, on the loop. What is read in a job comes a moment later.
void vitals_take(struct anna *anna);
