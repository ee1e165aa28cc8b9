// SPDX-License-Identifier: Apache-2.0
// get_telemetry_snapshot: a method of the predecessor in which three figures of twenty were real. All
// of these are; what it had and we do not measure (events by domain) is not there.
#include "rpc/picture.h"

static void write_queue(struct json_writer *w, const struct picture *picture) {
	const struct bus_stats *bus = &picture->bus;
	const struct vitals *vitals = &picture->vitals;
	int64_t waits_ns = bus->oldest_ns ? picture->monotonic_ns - bus->oldest_ns : -1;
	json_key(w, "queue");
	json_begin_object(w);
	json_member_uint(w, "depth", bus->in_flight);
	picture_double(w, "rate", vitals->minute_s > 0 ? vitals->per_second[RATE_ACCEPTED] : -1);
	picture_double(w, "oldest", waits_ns < 0 ? -1 : (double)waits_ns / 1e9);
	json_member_uint(w, "total_processed", picture->events_processed);
	json_member_uint(w, "total_dropped", bus->refused + bus->failed);
	json_end_object(w);
}

static void write_resources(struct json_writer *w, const struct picture *picture) {
	const struct footprint *f = &picture->vitals.footprint;
	struct buf text = BUF_INIT;
	json_key(w, "resources");
	json_begin_object(w);
	picture_int(w, "memory_bytes", f->rss_bytes);
	buf_appendf(&text, "%.1f MiB", (double)f->rss_bytes / 1048576);
	json_member_text(w, "memory_human", f->rss_bytes < 0 ? NULL : buf_text(&text));
	buf_finish(&text);
	picture_double(w, "cpu_percent", picture->vitals.cpu_percent);
	picture_int(w, "thread_count", f->threads);
	picture_int(w, "fd_count", f->fds);
	json_end_object(w);
}

static void write_modules(struct json_writer *w, const struct picture *picture) {
	json_key(w, "modules");
	json_begin_object(w);
	for (size_t i = 0; i < picture->part_count; i++) {
		const struct picture_part *part = &picture->parts[i];
		json_member_bool(w, part->name, part->state == CAPABILITY_ACTIVE);
	}
	json_end_object(w);
}

static void write_all(struct json_writer *w, const struct picture *picture) {
	json_begin_object(w);
	json_member_time(w, "timestamp", picture->now_ns);
	json_member_int(w, "timestamp_unix", picture->now_ns / NS_PER_SECOND);
	write_queue(w, picture);
	json_key(w, "events");
	json_begin_object(w);
	picture_int(w, "last_1min",
		picture->vitals.minute_s > 0 ? (int64_t)picture->vitals.in_minute[RATE_ACCEPTED]
					     : -1);
	json_end_object(w);
	write_resources(w, picture);
	write_modules(w, picture);
	json_end_object(w);
}

static void handle(struct call *call) {
	picture_answer(call, 0, write_all);
}

DEFINE_METHOD(get_telemetry_snapshot) = {
	.name = "get_telemetry_snapshot",
	.summary = "A short set of Anna's own measures, under the names of the first Anna.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{timestamp, timestamp_unix, queue: {depth, rate, oldest, total_processed, "
		  "total_dropped}, events: {last_1min}, resources: {memory_bytes, memory_human, "
		  "cpu_percent, thread_count, fd_count}, modules: {NAME: is it active}}",
	.handle = handle,
};
