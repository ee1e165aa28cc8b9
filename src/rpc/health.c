// SPDX-License-Identifier: Apache-2.0
// health: how Anna is and why, with what that is judged by. The first block of fields is the
// predecessor's get_health_metrics, now with real values, or null where there is none.
#include "base/alloc.h"
#include "io/loop.h"
#include "rpc/anna.h"
#include "rpc/footprint.h"
#include "rpc/question.h"
#include "store/writer.h"

#define REASONS 20

// What only the loop may look at, taken before the job reads /proc.
struct picture {
	enum anna_health health;
	struct health_reason reasons[REASONS];
	size_t reason_count;
	int64_t now_ns; // wall
	int64_t up_ns;
	struct rpc_stats rpc;
	struct bus_stats bus;
	struct writer_stats writer;
	bool has_writer;
	struct histogram lag;
	uint64_t events_processed;
	size_t capabilities[4]; // by state
};

static double ms(int64_t ns) {
	return (double)ns / (double)NS_PER_MS;
}

static void member_or_null(struct json_writer *w, const char *key, int64_t value) {
	json_key(w, key);
	if (value < 0) {
		json_null(w);
	} else {
		json_int(w, value);
	}
}

static void member_megabytes(struct json_writer *w, const char *key, int64_t bytes) {
	json_key(w, key);
	if (bytes < 0) {
		json_null(w);
	} else {
		json_double(w, (double)(bytes / 1024) / 1024);
	}
}

static void write_distribution(struct json_writer *w, const struct histogram *ns) {
	json_member_uint(w, "count", ns->count);
	json_member_double(w, "min_us", ns->count ? (double)ns->min / 1e3 : 0);
	json_member_double(w, "mean_us", histogram_mean(ns) / 1e3);
	json_member_double(w, "p50_us", (double)histogram_percentile(ns, 50) / 1e3);
	json_member_double(w, "p95_us", (double)histogram_percentile(ns, 95) / 1e3);
	json_member_double(w, "p99_us", (double)histogram_percentile(ns, 99) / 1e3);
	json_member_double(w, "max_us", ns->count ? (double)ns->max / 1e3 : 0);
}

static void write_rpc_latency(struct json_writer *w, const struct rpc_stats *rpc) {
	const struct histogram *ns = &rpc->latency_ns;
	json_key(w, "rpc_latency");
	if (ns->count == 0) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	json_member_double(w, "avg_ms", histogram_mean(ns) / (double)NS_PER_MS);
	json_member_double(w, "p50_ms", ms(histogram_percentile(ns, 50)));
	json_member_double(w, "p95_ms", ms(histogram_percentile(ns, 95)));
	json_member_double(w, "p99_ms", ms(histogram_percentile(ns, 99)));
	json_member_double(w, "min_ms", ms(ns->min));
	json_member_double(w, "max_ms", ms(ns->max));
	json_member_uint(w, "sample_count", ns->count);
	write_distribution(w, ns);
	json_end_object(w);
}

static void write_memory(struct json_writer *w, const struct footprint *footprint) {
	json_key(w, "memory");
	json_begin_object(w);
	member_megabytes(w, "current_mb", footprint->rss_bytes);
	member_megabytes(w, "peak_mb", footprint->peak_bytes);
	member_megabytes(w, "limit_mb", footprint->limit_bytes);
	member_megabytes(w, "vmsize_mb", footprint->virtual_bytes);
	member_or_null(w, "threads", footprint->threads);
	member_or_null(w, "rss_bytes", footprint->rss_bytes);
	member_or_null(w, "peak_bytes", footprint->peak_bytes);
	member_or_null(w, "limit_bytes", footprint->limit_bytes);
	json_end_object(w);
}

static void write_queue(struct json_writer *w, const struct picture *picture) {
	json_key(w, "queue");
	json_begin_object(w);
	json_member_uint(w, "depth", picture->bus.in_flight);
	json_key(w, "rate_per_sec"); // not counted by time: /metrics has the counter to derive it
	json_null(w);
	json_key(w, "oldest_event_sec");
	json_null(w);
	json_member_uint(w, "total_processed", picture->events_processed);
	json_member_uint(w, "deepest", picture->bus.deepest);
	json_member_uint(w, "accepted", picture->bus.accepted);
	json_member_uint(w, "durable", picture->bus.durable);
	json_member_uint(w, "refused", picture->bus.refused);
	json_member_uint(w, "failed", picture->bus.failed);
	json_end_object(w);
}

static void write_journal(struct json_writer *w, const struct picture *picture) {
	const struct writer_stats *writer = &picture->writer;
	json_key(w, "journal");
	if (!picture->has_writer) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	json_member_bool(w, "is_failing", writer->is_failing);
	json_member_text(w, "reason", writer->reason[0] ? writer->reason : NULL);
	json_member_uint(w, "depth", writer->depth);
	json_member_uint(w, "deepest", writer->deepest);
	json_member_int(w, "size_bytes", writer->journal.size_bytes);
	json_member_uint(w, "appended_records", writer->journal.appended_records);
	json_member_uint(w, "appended_bytes", writer->journal.appended_bytes);
	json_member_uint(w, "oldest_id", writer->journal.oldest_sequence);
	json_member_uint(w, "dropped_segments", writer->journal.dropped_segments);
	json_member_uint(w, "syncs", writer->journal.syncs);
	json_member_uint(w, "failed_syncs", writer->journal.failed_syncs);
	json_member_double(w, "records_per_sync", histogram_mean(&writer->batch));
	json_key(w, "sync");
	json_begin_object(w);
	write_distribution(w, &writer->sync_ns);
	json_end_object(w);
	json_end_object(w);
}

static void write_reasons(struct json_writer *w, const struct picture *picture) {
	json_key(w, "reasons");
	json_begin_array(w);
	for (size_t i = 0; i < picture->reason_count && i < REASONS; i++) {
		const struct health_reason *reason = &picture->reasons[i];
		json_begin_object(w);
		json_member_text(w, "level", anna_health_name(reason->level));
		json_member_text(w, "part", reason->part);
		json_member_text(w, "text", reason->text);
		json_member_text(w, "next_step", reason->next_step);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_capabilities(struct json_writer *w, const struct picture *picture) {
	json_member_uint(w, "capabilities_active", picture->capabilities[CAPABILITY_ACTIVE]);
	json_member_uint(w, "capabilities_degraded", picture->capabilities[CAPABILITY_DEGRADED]);
	json_key(w, "capabilities");
	json_begin_object(w);
	for (int state = CAPABILITY_ACTIVE; state <= CAPABILITY_FAILED; state++) {
		json_member_uint(w, capability_state_name((enum capability_state)state),
			picture->capabilities[state]);
	}
	json_end_object(w);
}

static void write_process(struct json_writer *w, const struct footprint *footprint) {
	json_key(w, "cpu");
	json_begin_object(w);
	member_or_null(w, "user_us", footprint->cpu_user_us);
	member_or_null(w, "system_us", footprint->cpu_system_us);
	json_end_object(w);
	json_key(w, "fds");
	json_begin_object(w);
	member_or_null(w, "open", footprint->fds);
	member_or_null(w, "limit", footprint->fd_limit);
	json_end_object(w);
}

static void write_rpc(struct json_writer *w, const struct rpc_stats *rpc) {
	json_key(w, "rpc");
	json_begin_object(w);
	json_member_uint(w, "calls", rpc->calls);
	json_member_uint(w, "failures", rpc->failures);
	json_member_uint(w, "connections", rpc->sessions);
	json_member_uint(w, "refused_connections", rpc->refused_sessions);
	json_member_uint(w, "calls_in_flight", rpc->calls_in_flight);
	json_member_uint(w, "input_bytes", rpc->input_bytes);
	json_end_object(w);
}

static const char *old_name(enum anna_health health) {
	static const char *const names[] = {"Healthy", "Warning", "Critical", "Unknown"};
	return names[health];
}

static bool ask(struct question *question, struct json_writer *w, struct err *err) {
	(void)err;
	const struct picture *picture = question->own;
	const struct services *services = anna_services(question->anna);
	struct footprint footprint;
	footprint_read(services->fs, "", &footprint);
	json_begin_object(w);
	json_member_text(w, "status", old_name(picture->health));
	json_member_int(w, "uptime_sec", picture->up_ns / NS_PER_SECOND);
	json_member_time(w, "timestamp", picture->now_ns);
	json_member_text(w, "health", anna_health_name(picture->health));
	write_reasons(w, picture);
	write_rpc_latency(w, &picture->rpc);
	write_memory(w, &footprint);
	write_queue(w, picture);
	write_capabilities(w, picture);
	write_journal(w, picture);
	json_key(w, "loop_lag");
	json_begin_object(w);
	write_distribution(w, &picture->lag);
	json_end_object(w);
	write_process(w, &footprint);
	write_rpc(w, &picture->rpc);
	json_end_object(w);
	return true;
}

static void free_picture(struct question *question) {
	free(question->own);
}

static struct picture *take_picture(struct anna *anna) {
	const struct services *services = anna_services(anna);
	struct clock *clock = loop_clock(services->loop);
	struct picture *picture = xcalloc(1, sizeof(*picture));
	picture->health = anna_get_health(anna, picture->reasons, REASONS, &picture->reason_count);
	picture->now_ns = clock_wall(clock);
	picture->up_ns = clock_monotonic(clock) - anna_started_ns(anna);
	picture->lag = *loop_lag(services->loop);
	picture->events_processed = anna_events_processed(anna);
	rpc_get_stats(anna_rpc(anna), &picture->rpc);
	bus_get_stats(services->bus, &picture->bus);
	picture->has_writer = anna_writer(anna) != NULL;
	if (picture->has_writer) {
		writer_get_stats(anna_writer(anna), &picture->writer);
	}
	for (size_t i = 0; i < anna_capability_count(anna); i++) {
		struct capability_status status;
		anna_get_capability(anna, i, &status);
		picture->capabilities[status.state]++;
	}
	return picture;
}

static void handle(struct call *call) {
	question_ask(call, take_picture(call_anna(call)), ask, free_picture);
}

static const char *const aliases[] = {"get_health_metrics", NULL};

DEFINE_METHOD(health) = {
	.name = "health",
	.aliases = aliases,
	.summary = "How Anna is, why, and what that is judged by.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{status, uptime_sec, timestamp, health, reasons: [{level, part, text, "
		  "next_step}], "
		  "rpc_latency, memory, queue, capabilities_active, capabilities_degraded, "
		  "capabilities, journal, loop_lag, cpu, fds, rpc}",
	.handle = handle,
};
