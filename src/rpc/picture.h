// SPDX-License-Identifier: Apache-2.0
// What health, get_health_metrics and get_telemetry_snapshot answer from: taken on the loop in one
// piece, completed from /proc and written by a job.
#pragma once

#include "rpc/anna.h"
#include "rpc/question.h"
#include "rpc/vitals.h"
#include "io/loop.h"
#include "io/worker.h"
#include "store/writer.h"

#define PICTURE_REASONS 20

struct spread {
	struct window_summary of[WINDOW_COUNT];
};

struct picture_method {
	struct rpc_timing timing;
	struct spread spread;
};

struct picture_part {
	const char *name; // of its capability
	enum capability_state state;
};

struct picture {
	enum anna_health health;
	struct health_reason reasons[PICTURE_REASONS];
	size_t reason_count;
	int64_t now_ns; // wall
	int64_t monotonic_ns, up_ns;
	struct rpc_stats rpc;
	struct spread answers, lag, syncs;
	struct picture_method *methods; // those that were called
	size_t method_count;
	struct bus_stats bus;
	struct writer_stats writer;
	bool has_writer;
	struct engine_stats engine;
	struct jobs_stats jobs[2]; // the pool, and the one for what may never answer
	struct mailbox_stats jobs_done[2];
	struct loop_worst worst;
	struct loop_stats loop;
	struct vitals vitals;
	struct vitals_sample *history; // oldest first, as many as were asked for
	size_t history_count;
	uint64_t events_processed;
	size_t capabilities[4]; // by state
	struct picture_part *parts;
	size_t part_count;
	uint64_t log_dropped;
	void (*write)(struct json_writer *w, const struct picture *picture);
};

// Answers the call with what `write` makes of the picture. A job reads /proc and writes; when the jobs
// are stuck or full the answer comes from the loop, with what /proc said last: of all methods these
// must tell what is wrong. `history`: how many of the newest samples.
void picture_answer(struct call *call, size_t history,
	void (*write)(struct json_writer *w, const struct picture *picture));

// Members of an object that the caller has begun.
void picture_write_health(struct json_writer *w, const struct picture *picture);
// The predecessor's fields, as it shipped them.
void picture_write_latency(struct json_writer *w, const struct picture *picture); // begins members
void picture_write_memory(struct json_writer *w, const struct picture *picture);
void picture_write_queue(struct json_writer *w, const struct picture *picture);
void picture_write_capabilities(struct json_writer *w, const struct picture *picture);
// picture_parts.c: what is measured of the parts.
void picture_write_parts(struct json_writer *w, const struct picture *picture);
void picture_write_spread(struct json_writer *w, const struct spread *spread);
// A number, or null when it is below 0.
void picture_int(struct json_writer *w, const char *key, int64_t value);
void picture_double(struct json_writer *w, const char *key, double value);
