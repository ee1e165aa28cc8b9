// SPDX-License-Identifier: Apache-2.0
// Taking the picture, and the fields the predecessor had, all measured; see picture.h.
#include "rpc/picture.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"

#define STUCK_NS NS_PER_SECOND	// so old a job is held up by something
#define SHOWN_WINDOW WINDOW_15M // of the fields that name no window

// --- taking, on the loop ---

static void spread_read(struct spread *out, const struct windows *windows, int64_t now_ns) {
	for (int i = 0; i < WINDOW_COUNT; i++) {
		windows_read(windows, now_ns, (enum window)i, &out->of[i]);
	}
}

static void take_methods(struct picture *picture, const struct rpc *rpc) {
	size_t n = rpc_timing_count(rpc);
	picture->methods = xcalloc(n, sizeof(*picture->methods));
	for (size_t i = 0; i < n; i++) {
		struct picture_method *method = &picture->methods[picture->method_count];
		rpc_get_timing(rpc, i, &method->timing);
		if (method->timing.calls) {
			spread_read(&method->spread, method->timing.windows, picture->monotonic_ns);
			method->timing.windows = NULL; // the loop's
			picture->method_count++;
		}
	}
}

static void take_history(struct picture *picture, const struct vitals *vitals, size_t wanted) {
	size_t n = wanted < vitals->history_count ? wanted : vitals->history_count;
	picture->history = xcalloc(n, sizeof(*picture->history));
	picture->history_count = n;
	for (size_t i = 0; i < n; i++) {
		picture->history[i] = *vitals_sample(vitals, vitals->history_count - n + i);
	}
}

static void take_parts(struct picture *picture, struct anna *anna) {
	const struct services *services = anna_services(anna);
	rpc_get_stats(anna_rpc(anna), &picture->rpc);
	spread_read(&picture->answers, rpc_windows(anna_rpc(anna)), picture->monotonic_ns);
	spread_read(&picture->lag, loop_windows(services->loop), picture->monotonic_ns);
	bus_get_stats(services->bus, &picture->bus);
	engine_get_stats(anna_engine(anna), &picture->engine);
	jobs_get_stats(services->jobs, &picture->jobs[0]);
	jobs_get_stats(services->slow_jobs, &picture->jobs[1]);
	jobs_get_box(services->jobs, &picture->jobs_done[0]);
	jobs_get_box(services->slow_jobs, &picture->jobs_done[1]);
	loop_get_worst(services->loop, &picture->worst);
	loop_get_stats(services->loop, &picture->loop);
	picture->has_writer = anna_writer(anna) != NULL;
	if (picture->has_writer) {
		writer_get_stats(anna_writer(anna), &picture->writer);
		spread_read(&picture->syncs, picture->writer.sync_windows, picture->monotonic_ns);
	}
	picture->part_count = anna_capability_count(anna);
	picture->parts = xcalloc(picture->part_count, sizeof(*picture->parts));
	for (size_t i = 0; i < picture->part_count; i++) {
		struct capability_status status;
		anna_get_capability(anna, i, &status);
		picture->capabilities[status.state]++;
		picture->parts[i] = (struct picture_part){status.capability->name, status.state};
	}
}

static struct picture *take(struct anna *anna, size_t history) {
	struct clock *clock = loop_clock(anna_services(anna)->loop);
	struct picture *picture = xcalloc(1, sizeof(*picture));
	picture->health = anna_get_health(
		anna, picture->reasons, PICTURE_REASONS, &picture->reason_count);
	picture->now_ns = clock_wall(clock);
	picture->monotonic_ns = clock_monotonic(clock);
	picture->up_ns = picture->monotonic_ns - anna_started_ns(anna);
	picture->events_processed = anna_events_processed(anna);
	picture->vitals = *anna_vitals(anna);
	picture->log_dropped = log_dropped();
	take_parts(picture, anna);
	take_methods(picture, anna_rpc(anna));
	take_history(picture, anna_vitals(anna), history);
	return picture;
}

static void destroy(struct picture *picture) {
	free(picture->methods);
	free(picture->parts);
	free(picture->history);
	free(picture);
}

static void finish(struct question *question) {
	destroy(question->own);
}

static bool ask(struct question *question, struct json_writer *w, struct err *err) {
	struct picture *picture = question->own;
	(void)err;
	footprint_read(anna_services(question->anna)->fs, "", false, &picture->vitals.footprint);
	picture->write(w, picture);
	return true;
}

static bool can_wait(const struct picture *picture) {
	const struct jobs_stats *jobs = &picture->jobs[0];
	bool is_stuck = jobs->oldest_ns && picture->monotonic_ns - jobs->oldest_ns >= STUCK_NS;
	return !is_stuck && jobs->depth < jobs->capacity / 2;
}

void picture_answer(struct call *call, size_t history,
	void (*write)(struct json_writer *w, const struct picture *picture)) {
	struct picture *picture = take(call_anna(call), history);
	picture->write = write;
	if (can_wait(picture)) {
		question_ask(call, picture, ask, finish);
		return;
	}
	write(call_result(call), picture);
	destroy(picture);
	call_reply(call);
}

// --- writing ---

void picture_int(struct json_writer *w, const char *key, int64_t value) {
	json_key(w, key);
	if (value < 0) {
		json_null(w);
	} else {
		json_int(w, value);
	}
}

void picture_double(struct json_writer *w, const char *key, double value) {
	json_key(w, key);
	if (value < 0) {
		json_null(w);
	} else {
		json_double(w, value);
	}
}

static void member_megabytes(struct json_writer *w, const char *key, int64_t bytes) {
	picture_double(w, key, bytes < 0 ? -1 : (double)(bytes / 1024) / 1024);
}

static void write_distribution(struct json_writer *w, const struct window_summary *d) {
	bool has = d->count > 0;
	json_member_uint(w, "count", d->count);
	json_member_uint(w, "failures", d->failures);
	picture_double(w, "min_us", has ? (double)d->min / 1e3 : -1);
	picture_double(w, "mean_us", has ? d->mean / 1e3 : -1);
	picture_double(w, "p50_us", has ? (double)d->p50 / 1e3 : -1);
	picture_double(w, "p95_us", has ? (double)d->p95 / 1e3 : -1);
	picture_double(w, "p99_us", has ? (double)d->p99 / 1e3 : -1);
	picture_double(w, "max_us", has ? (double)d->max / 1e3 : -1);
}

void picture_write_spread(struct json_writer *w, const struct spread *spread) {
	write_distribution(w, &spread->of[SHOWN_WINDOW]);
	json_key(w, "windows");
	json_begin_object(w);
	for (int i = 0; i < WINDOW_COUNT; i++) {
		json_key(w, window_name((enum window)i));
		json_begin_object(w);
		write_distribution(w, &spread->of[i]);
		json_end_object(w);
	}
	json_end_object(w);
}

void picture_write_latency(struct json_writer *w, const struct picture *picture) {
	const struct window_summary *d = &picture->answers.of[SHOWN_WINDOW];
	json_key(w, "rpc_latency");
	if (d->count == 0) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	json_member_double(w, "avg_ms", d->mean / 1e6);
	json_member_double(w, "p50_ms", (double)d->p50 / 1e6);
	json_member_double(w, "p95_ms", (double)d->p95 / 1e6);
	json_member_double(w, "p99_ms", (double)d->p99 / 1e6);
	json_member_double(w, "min_ms", (double)d->min / 1e6);
	json_member_double(w, "max_ms", (double)d->max / 1e6);
	json_member_uint(w, "sample_count", d->count);
	picture_write_spread(w, &picture->answers);
	json_end_object(w);
}

void picture_write_memory(struct json_writer *w, const struct picture *picture) {
	const struct footprint *f = &picture->vitals.footprint;
	json_key(w, "memory");
	if (f->rss_bytes < 0) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	member_megabytes(w, "current_mb", f->rss_bytes);
	member_megabytes(w, "peak_mb", f->peak_bytes);
	member_megabytes(w, "limit_mb", f->limit_bytes);
	member_megabytes(w, "vmsize_mb", f->virtual_bytes);
	picture_int(w, "threads", f->threads);
	picture_int(w, "rss_bytes", f->rss_bytes);
	picture_int(w, "pss_bytes", picture->vitals.pss_bytes);
	picture_int(w, "peak_bytes", f->peak_bytes);
	picture_int(w, "virtual_bytes", f->virtual_bytes);
	picture_int(w, "swap_bytes", f->swap_bytes);
	picture_int(w, "limit_bytes", f->limit_bytes);
	json_member_text(w, "limit_of", f->limit_of[0] ? f->limit_of : NULL);
	picture_int(w, "counted_bytes", f->counted_bytes);
	json_end_object(w);
}

void picture_write_queue(struct json_writer *w, const struct picture *picture) {
	const struct bus_stats *bus = &picture->bus;
	const struct vitals *vitals = &picture->vitals;
	bool has_rate = vitals->minute_s > 0;
	double rate = has_rate ? vitals->per_second[RATE_ACCEPTED] : -1;
	double oldest = bus->oldest_ns ? (double)(picture->monotonic_ns - bus->oldest_ns) / 1e9
				       : -1;
	json_key(w, "queue");
	json_begin_object(w);
	json_member_uint(w, "depth", bus->in_flight);
	picture_double(w, "rate_per_sec", rate);
	picture_double(w, "oldest_event_sec", oldest); // null: nothing waits
	json_member_uint(w, "total_processed", picture->events_processed);
	picture_double(w, "rate", rate); // as the road-map of the predecessor called them
	picture_double(w, "oldest_sec", oldest);
	json_member_uint(w, "deepest", bus->deepest);
	json_member_uint(w, "capacity", bus->capacity);
	json_member_uint(w, "bytes", bus->bytes);
	json_member_uint(w, "bytes_deepest", bus->bytes_deepest);
	json_member_uint(w, "bytes_max", bus->bytes_max);
	json_member_uint(w, "accepted", bus->accepted);
	json_member_uint(w, "durable", bus->durable);
	json_member_uint(w, "refused", bus->refused);
	json_member_uint(w, "failed", bus->failed);
	picture_int(
		w, "refused_last_minute", has_rate ? (int64_t)vitals->in_minute[RATE_REFUSED] : -1);
	json_end_object(w);
}

void picture_write_capabilities(struct json_writer *w, const struct picture *picture) {
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

static void write_reasons(struct json_writer *w, const struct picture *picture) {
	json_key(w, "reasons");
	json_begin_array(w);
	for (size_t i = 0; i < picture->reason_count && i < PICTURE_REASONS; i++) {
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

static const char *old_name(enum anna_health health) {
	static const char *const names[] = {"Healthy", "Warning", "Critical", "Unknown"};
	return names[health];
}

void picture_write_health(struct json_writer *w, const struct picture *picture) {
	json_member_text(w, "status", old_name(picture->health));
	json_member_int(w, "uptime_sec", picture->up_ns / NS_PER_SECOND);
	json_member_time(w, "timestamp", picture->now_ns);
	json_member_text(w, "health", anna_health_name(picture->health));
	write_reasons(w, picture);
}
