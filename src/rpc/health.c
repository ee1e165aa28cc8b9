// SPDX-License-Identifier: Apache-2.0
// health: how Anna is and why, with all that is judged by. What is not measured is null.
#include "rpc/picture.h"

struct health_params {
	int64_t history;
};

static void write_all(struct json_writer *w, const struct picture *picture) {
	json_begin_object(w);
	picture_write_health(w, picture);
	picture_write_latency(w, picture);
	picture_write_memory(w, picture);
	picture_write_queue(w, picture);
	picture_write_capabilities(w, picture);
	picture_write_parts(w, picture);
	json_end_object(w);
}

static void handle(struct call *call) {
	const struct health_params *params = call_params(call);
	picture_answer(call, (size_t)params->history, write_all);
}

static const struct option params[] = {
	{.key = "history",
		.type = OPTION_INT,
		.offset = offsetof(struct health_params, history),
		.fallback = "0",
		.min = 0,
		.max = VITALS_HISTORY,
		.unit = "samples",
		.help = "How many samples of the last minutes, one every two seconds, come with "
			"it."},
	{0},
};

DEFINE_METHOD(health) = {
	.name = "health",
	.summary = "How Anna is, why, and what that is judged by.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.params = params,
	.params_size = sizeof(struct health_params),
	.result = "{status, uptime_sec, timestamp, health, reasons: [{level, part, text, "
		  "next_step}], rpc_latency, memory, queue, capabilities_active, "
		  "capabilities_degraded, capabilities, journal, loop_lag, cpu, fds, "
		  "context_switches, page_faults, rpc, mailboxes, jobs, actions, budgets, "
		  "log_dropped, history}",
	.handle = handle,
};
