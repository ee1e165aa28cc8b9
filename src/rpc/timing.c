// SPDX-License-Identifier: Apache-2.0
// How long answers take, by method. A call's time begins with the last byte of its request and ends
// when the kernel has its answer; until then it stands in its session's list. Calls of a batch are
// measured when they are done: their answer waits for the others of the batch.
#include "base/alloc.h"
#include "base/clock.h"
#include "rpc/call.h"

void timings_init(struct rpc *rpc) {
	size_t n = rpc->options.method_count;
	rpc->timings = xcalloc(n + 1, sizeof(*rpc->timings));
	rpc->windows = windows_create();
	for (size_t i = 0; i < n; i++) {
		rpc->timings[i].name = rpc->options.methods[i]->name;
	}
	rpc->timings[n].name = RPC_UNKNOWN_METHOD;
}

void timings_finish(struct rpc *rpc) {
	for (size_t i = 0; i <= rpc->options.method_count; i++) {
		windows_destroy(rpc->timings[i].windows);
	}
	windows_destroy(rpc->windows);
	free(rpc->timings);
}

static uint32_t index_of(const struct rpc *rpc, const struct method *method) {
	uint32_t n = (uint32_t)rpc->options.method_count;
	for (uint32_t i = 0; method && i < n; i++) {
		if (rpc->options.methods[i] == method) {
			return i;
		}
	}
	return n;
}

static void record(struct rpc *rpc, const struct answer *answer, int64_t now_ns) {
	struct timing *timing = &rpc->timings[answer->timing];
	int64_t took_ns = now_ns - answer->started_ns;
	if (!timing->windows) {
		timing->windows = windows_create();
	}
	timing->calls++;
	timing->failures += answer->has_failed;
	timing->sum_ns += (double)(took_ns > 0 ? took_ns : 0);
	windows_record(timing->windows, now_ns, took_ns, answer->has_failed);
	windows_record(rpc->windows, now_ns, took_ns, answer->has_failed);
	histogram_record(&rpc->stats.latency_ns, took_ns);
}

static void note(struct rpc *rpc, struct session *session, const struct answer *answer) {
	if (!session || session->answer_count == ANSWERS_TIMED) {
		record(rpc, answer, clock_monotonic(rpc->options.clock));
		return;
	}
	session->answers[session->answer_count++] = *answer;
}

void timing_note_call(struct call *call) {
	struct answer answer = {
		index_of(call->rpc, call->method), call->has_failed, call->started_ns};
	bool is_sent = call->session && !call->batch && !call->is_notification;
	note(call->rpc, is_sent ? call->session : NULL, &answer);
}

void timing_note_nonsense(struct session *session) {
	struct answer answer = {
		(uint32_t)session->rpc->options.method_count, true, session->fed_ns};
	note(session->rpc, session, &answer);
}

void timing_answers_sent(struct session *session) {
	int64_t now_ns = session->answer_count ? clock_monotonic(session->rpc->options.clock) : 0;
	for (size_t i = 0; i < session->answer_count; i++) {
		record(session->rpc, &session->answers[i], now_ns);
	}
	session->answer_count = 0;
}

const struct windows *rpc_windows(const struct rpc *rpc) {
	return rpc->windows;
}

size_t rpc_timing_count(const struct rpc *rpc) {
	return rpc->options.method_count + 1;
}

void rpc_get_timing(const struct rpc *rpc, size_t i, struct rpc_timing *out) {
	const struct timing *timing = &rpc->timings[i];
	*out = (struct rpc_timing){
		timing->name, timing->calls, timing->failures, timing->sum_ns, timing->windows};
}

void rpc_note_output(
	struct rpc *rpc, size_t output_bytes, size_t max_output_bytes, bool was_broken) {
	struct rpc_stats *stats = &rpc->stats;
	stats->max_output_bytes = max_output_bytes;
	stats->output_bytes = output_bytes;
	stats->output_deepest = output_bytes > stats->output_deepest ? output_bytes
								     : stats->output_deepest;
	stats->broken_outputs += was_broken;
}
