// SPDX-License-Identifier: Apache-2.0
// What Anna measures of herself over time, as health, get_health_metrics and /metrics show it: taken
// once a second by daemon/vitals.c. What is not known is -1, or its time is 0.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/footprint.h"

#define VITALS_HISTORY 300 // samples
#define VITALS_EVERY_S 2   // seconds between two of them

// Counters whose rate over the last minute is known.
enum vitals_rate {
	RATE_ACCEPTED, // events by the bus
	RATE_REFUSED,
	RATE_FAILED,
	RATE_RECORDS, // written to the journal
	RATE_BYTES,
	RATE_CALLS,   // RPC
	RATE_CPU_US,  // user and system
	RATE_DROPPED, // lines of the log
	RATE_EVICTED, // clients closed or broken off because of what they made us keep
	RATE_COUNT
};

// One point of the screen that a person leaves open. Below 0: nothing was measured then.
struct vitals_sample {
	float rpc_p99_us, lag_p99_us, sync_p99_us; // of these two seconds
	float cpu_percent;
	uint32_t rss_kib;
	uint32_t queue_deepest; // of the samples of these two seconds
};

struct vitals {
	struct footprint footprint;
	int64_t footprint_ns; // monotonic, when it was read; 0: not yet
	int64_t pss_bytes;    // read every ten seconds
	double cpu_percent;   // of one core, over the last second
	double per_second[RATE_COUNT];
	uint64_t in_minute[RATE_COUNT];
	double minute_s;	   // how long that minute was: less after the start; 0: not yet
	int64_t journal_oldest_ns; // wall: the oldest record that is kept; 0: not known, or none
	int64_t journal_budget_bytes;
	size_t history_count;
	const struct vitals_sample *history; // a ring
	size_t history_next;
};

struct anna;
const struct vitals *anna_vitals(const struct anna *anna);
// The i-th sample, 0 the oldest.
const struct vitals_sample *vitals_sample(const struct vitals *vitals, size_t i);
