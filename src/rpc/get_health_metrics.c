// SPDX-License-Identifier: Apache-2.0
// get_health_metrics: the predecessor's method with both sets of its field names, those it shipped and
// those of its road-map, all measured. What is not measured is null.
#include "rpc/picture.h"

static void write_road_map(struct json_writer *w, const struct picture *picture) {
	const struct window_summary *answers = &picture->answers.of[WINDOW_15M];
	const struct footprint *f = &picture->vitals.footprint;
	const int64_t sizes[] = {f->rss_bytes, f->peak_bytes, f->limit_bytes};
	static const char *const names[] = {"current", "peak", "limit"};
	json_key(w, "rpc_latency_ms");
	if (answers->count) {
		json_begin_object(w);
		json_member_double(w, "avg", answers->mean / 1e6);
		json_member_double(w, "p95", (double)answers->p95 / 1e6);
		json_member_double(w, "p99", (double)answers->p99 / 1e6);
		json_end_object(w);
	} else {
		json_null(w);
	}
	json_key(w, "memory_mb");
	json_begin_object(w);
	for (size_t i = 0; i < 3; i++) {
		picture_double(w, names[i], sizes[i] < 0 ? -1 : (double)(sizes[i] / 1024) / 1024);
	}
	json_end_object(w);
}

static void write_all(struct json_writer *w, const struct picture *picture) {
	json_begin_object(w);
	picture_write_health(w, picture);
	picture_write_latency(w, picture);
	picture_write_memory(w, picture);
	picture_write_queue(w, picture);
	picture_write_capabilities(w, picture);
	write_road_map(w, picture);
	json_end_object(w);
}

static void handle(struct call *call) {
	picture_answer(call, 0, write_all);
}

DEFINE_METHOD(get_health_metrics) = {
	.name = "get_health_metrics",
	.summary = "Anna's own measures under the names of the first Anna; see health for all.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{status, uptime_sec, timestamp, health, reasons, rpc_latency: {avg_ms, p50_ms, "
		  "p95_ms, p99_ms, min_ms, max_ms, sample_count}, memory: {current_mb, peak_mb, "
		  "limit_mb, vmsize_mb, threads}, queue: {depth, rate_per_sec, oldest_event_sec, "
		  "total_processed, rate, oldest_sec}, capabilities_active, "
		  "capabilities_degraded, capabilities: {active, degraded, disabled, failed}, "
		  "rpc_latency_ms: {avg, p95, p99}, memory_mb: {current, peak, limit}}",
	.handle = handle,
};
