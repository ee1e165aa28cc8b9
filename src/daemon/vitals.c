// SPDX-License-Identifier: Apache-2.0
// Anna's own measures over time; see vitals.h. The loop only reads counters; what needs files is read
// by a job that owns its copy, so that a slow /sys never delays the loop.
#include "daemon/vitals.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "io/worker.h"
#include "store/reader.h"

#define CONFIG_SHARE 12
#define PSS_EVERY_NS (10 * NS_PER_SECOND)
// From there on, what malloc keeps for later is given back now and then: after a flood she would be
// as large as in it, and her health judged by what she does not use.
#define TRIM_FROM_BYTES (16 * 1024 * 1024)
#define TRIM_KEEPS_BYTES (1024 * 1024)

void vitals_init(struct vitals_keeper *keeper) {
	struct vitals *vitals = &keeper->vitals;
	memset(&vitals->footprint, 0xff, sizeof(vitals->footprint)); // -1: not known
	vitals->footprint.limit_of[0] = '\0';
	vitals->pss_bytes = -1;
	vitals->cpu_percent = -1;
	vitals->history = keeper->samples;
	histogram_init(&keeper->answers);
	histogram_init(&keeper->lag);
	histogram_init(&keeper->syncs);
}

void vitals_read_now(struct anna *anna) {
	footprint_read(anna->services.fs, "", false, &anna->vitals.vitals.footprint);
}

// There are two during a reload, and their texts; all else at its limits takes 50 MB of 80.
size_t vitals_config_memory(const struct anna *anna) {
	int64_t limit = anna->vitals.vitals.footprint.limit_bytes;
	return limit > 0 ? (size_t)limit / CONFIG_SHARE : 0;
}

const struct vitals *anna_vitals(const struct anna *anna) {
	return &anna->vitals.vitals;
}

const struct vitals_sample *vitals_sample(const struct vitals *vitals, size_t i) {
	size_t oldest = vitals->history_next + VITALS_HISTORY - vitals->history_count;
	return &vitals->history[(oldest + i) % VITALS_HISTORY];
}

// --- in a job ---

struct reading {
	struct anna *anna; // for on_done
	struct fs *fs;
	const char *journal_folder;
	bool with_pss;
	bool with_oldest;
	bool trims; // malloc gives back what it keeps
	struct footprint footprint;
	int64_t oldest_ns;
};

static int64_t oldest_record_ns(struct fs *fs, const char *folder) {
	struct reader_query query = {0};
	struct record record;
	int64_t time_ns = 0;
	struct reader *reader = reader_open(fs, folder, &query, NULL);
	if (reader && reader_next(reader, &record, NULL) > 0) {
		time_ns = record.time_ns;
	}
	if (reader) {
		reader_close(reader);
	}
	return time_ns;
}

static void read_files(void *arg) {
	struct reading *reading = arg;
	if (reading->trims) {
		(void)malloc_trim(TRIM_KEEPS_BYTES);
	}
	footprint_read(reading->fs, "", reading->with_pss, &reading->footprint);
	if (reading->with_oldest) {
		reading->oldest_ns = oldest_record_ns(reading->fs, reading->journal_folder);
	}
}

static void note_cpu(struct vitals_keeper *keeper, const struct footprint *footprint, int64_t now) {
	bool is_known = footprint->cpu_user_us >= 0 && footprint->cpu_system_us >= 0;
	int64_t cpu_us = footprint->cpu_user_us + footprint->cpu_system_us;
	int64_t passed_us = (now - keeper->cpu_ns) / NS_PER_US;
	keeper->vitals.cpu_percent = is_known && keeper->cpu_ns && passed_us > 0
		? 100 * (double)(cpu_us - keeper->cpu_us) / (double)passed_us
		: -1;
	keeper->cpu_us = cpu_us;
	keeper->cpu_ns = is_known ? now : 0;
}

static void on_read(void *arg) {
	struct reading *reading = arg;
	struct anna *anna = reading->anna;
	struct vitals_keeper *keeper = &anna->vitals;
	int64_t now = clock_monotonic(anna->clock);
	note_cpu(keeper, &reading->footprint, now);
	keeper->vitals.footprint = reading->footprint;
	keeper->vitals.footprint_ns = now;
	if (reading->with_pss) {
		keeper->vitals.pss_bytes = reading->footprint.pss_bytes;
		keeper->pss_ns = now;
	}
	if (reading->with_oldest) {
		keeper->vitals.journal_oldest_ns = reading->oldest_ns;
	}
	keeper->is_reading = false;
	free(reading);
	if (anna->state != ANNA_STOPPING && anna->writer) {
		health_refresh(anna); // judged while it is fresh
	}
}

static void read_later(struct anna *anna, uint64_t oldest_sequence) {
	struct vitals_keeper *keeper = &anna->vitals;
	if (keeper->is_reading || loop_simulation(anna->services.loop)) {
		return; // of the machine below nothing comes into a simulation
	}
	int64_t now = clock_monotonic(anna->clock);
	struct reading *reading = xcalloc(1, sizeof(*reading));
	*reading = (struct reading){.anna = anna,
		.fs = anna->services.fs,
		.journal_folder = anna->journal_folder,
		.with_pss = !keeper->pss_ns || now - keeper->pss_ns >= PSS_EVERY_NS,
		.with_oldest = oldest_sequence != keeper->oldest_known};
	reading->trims = reading->with_pss && keeper->vitals.footprint.rss_bytes >= TRIM_FROM_BYTES;
	keeper->is_reading = jobs_run(anna->services.jobs, read_files, on_read, reading);
	if (!keeper->is_reading) {
		free(reading); // the pool is full: health notices how old the last reading is
		return;
	}
	keeper->oldest_known = oldest_sequence;
}

// --- on the loop ---

static void note_rates(struct vitals_keeper *keeper, int64_t now, const uint64_t *counts) {
	struct vitals *vitals = &keeper->vitals;
	size_t newest = keeper->rate_next;
	keeper->rates[newest].at_ns = now;
	memcpy(keeper->rates[newest].counts, counts, sizeof(keeper->rates[newest].counts));
	keeper->rate_next = (newest + 1) % RATE_SAMPLES;
	keeper->rate_count += keeper->rate_count < RATE_SAMPLES;
	size_t oldest = (keeper->rate_next + RATE_SAMPLES - keeper->rate_count) % RATE_SAMPLES;
	int64_t passed = now - keeper->rates[oldest].at_ns;
	vitals->minute_s = (double)passed / NS_PER_SECOND;
	for (int i = 0; i < RATE_COUNT; i++) {
		uint64_t before = keeper->rates[oldest].counts[i];
		vitals->in_minute[i] = counts[i] > before ? counts[i] - before : 0;
		vitals->per_second[i] = passed > 0 ? (double)vitals->in_minute[i] / vitals->minute_s
						   : -1;
	}
}

// The 99th percentile of what was added since the last time, in microseconds; below 0: nothing was.
static float p99_since(const struct histogram *now, struct histogram *before) {
	struct histogram added;
	histogram_since(now, before, &added);
	*before = *now;
	return added.count ? (float)histogram_percentile(&added, 99) / (float)NS_PER_US : -1;
}

static void note_sample(
	struct anna *anna, const struct histogram *answers, const struct histogram *syncs) {
	struct vitals_keeper *keeper = &anna->vitals;
	struct vitals *vitals = &keeper->vitals;
	int64_t rss = vitals->footprint.rss_bytes;
	keeper->samples[vitals->history_next] = (struct vitals_sample){
		.rpc_p99_us = p99_since(answers, &keeper->answers),
		.lag_p99_us = p99_since(loop_lag(anna->services.loop), &keeper->lag),
		.sync_p99_us = p99_since(syncs, &keeper->syncs),
		.cpu_percent = (float)vitals->cpu_percent,
		.rss_kib = rss > 0 ? (uint32_t)(rss / 1024) : 0,
		.queue_deepest = (uint32_t)keeper->queue_deepest};
	vitals->history_next = (vitals->history_next + 1) % VITALS_HISTORY;
	vitals->history_count += vitals->history_count < VITALS_HISTORY;
	keeper->queue_deepest = 0;
}

void vitals_take(struct anna *anna) {
	struct vitals_keeper *keeper = &anna->vitals;
	int64_t now = clock_monotonic(anna->clock);
	struct bus_stats bus;
	struct writer_stats writer;
	struct rpc_stats rpc;
	bus_get_stats(anna->services.bus, &bus);
	writer_get_stats(anna->writer, &writer);
	rpc_get_stats(anna->rpc, &rpc);
	const struct footprint *footprint = &keeper->vitals.footprint;
	int64_t cpu_us = footprint->cpu_user_us + footprint->cpu_system_us;
	const uint64_t counts[RATE_COUNT] = {
		[RATE_ACCEPTED] = bus.accepted,
		[RATE_REFUSED] = bus.refused,
		[RATE_FAILED] = bus.failed,
		[RATE_RECORDS] = writer.journal.appended_records,
		[RATE_BYTES] = writer.journal.appended_bytes,
		[RATE_CALLS] = rpc.calls,
		[RATE_CPU_US] = cpu_us > 0 ? (uint64_t)cpu_us : 0,
		[RATE_DROPPED] = log_dropped(),
		[RATE_EVICTED] = rpc.evicted_sessions + rpc.broken_outputs,
	};
	const struct journal_config *journal = snapshot_section(anna->snapshot, &journal_section);
	keeper->vitals.journal_budget_bytes = journal->normal_size + journal->audit_size +
		journal->telemetry_size + journal->state_size;
	note_rates(keeper, now, counts);
	if (bus.in_flight > keeper->queue_deepest) {
		keeper->queue_deepest = bus.in_flight;
	}
	if (now - keeper->sampled_ns >= VITALS_EVERY_S * NS_PER_SECOND - NS_PER_SECOND / 2) {
		keeper->sampled_ns = now;
		note_sample(anna, &rpc.latency_ns, &writer.sync_ns);
	}
	read_later(anna, writer.journal.oldest_sequence);
}
