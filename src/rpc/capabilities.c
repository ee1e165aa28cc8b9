// SPDX-License-Identifier: Apache-2.0
// capabilities: the parts of Anna, which of them work, and why the others do not.
#include "rpc/method.h"

#include "base/clock.h"
#include "rpc/anna.h"

// What goes with the state: since when, and when it is tried again.
static void write_times(struct json_writer *w, const struct capability_status *status) {
	json_member_time(w, "since", status->since_ns);
	json_key(w, "retry_at");
	if (status->retry_ns) {
		struct buf time = BUF_INIT;
		time_format(&time, status->retry_ns);
		json_str(w, buf_str(&time));
		buf_finish(&time);
	} else {
		json_null(w);
	}
}

static void write_capability(struct json_writer *w, const struct capability_status *status) {
	const struct capability *capability = status->capability;
	json_begin_object(w);
	json_member_text(w, "name", capability->name);
	json_member_text(w, "summary", capability->summary);
	json_member_text(
		w, "maturity", capability->maturity == MATURITY_STABLE ? "stable" : "experimental");
	json_member_text(w, "state", capability_state_name(status->state));
	json_member_text(w, "reason", status->reason[0] ? status->reason : NULL);
	json_member_text(w, "next_step", status->next_step[0] ? status->next_step : NULL);
	write_times(w, status);
	json_member_bool(w, "is_essential", capability->is_essential);
	json_member_uint(w, "starts", status->starts);
	json_member_uint(w, "failures", status->failures);
	json_member_uint(w, "restarts", status->restarts);
	json_member_uint(w, "failures_last_hour", status->failures_hour);
	json_member_uint(w, "restarts_last_hour", status->restarts_hour);
	json_key(w, "kinds");
	json_begin_array(w);
	for (const struct kind *kind = capability->kinds; kind && kind->name; kind++) {
		json_text(w, kind->name);
	}
	json_end_array(w);
	json_end_object(w);
}

static void handle(struct call *call) {
	const struct anna *anna = call_anna(call);
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_key(w, "capabilities");
	json_begin_array(w);
	for (size_t i = 0; i < anna_capability_count(anna); i++) {
		struct capability_status status;
		anna_get_capability(anna, i, &status);
		write_capability(w, &status);
	}
	json_end_array(w);
	json_end_object(w);
	call_reply(call);
}

DEFINE_METHOD(capabilities) = {
	.name = "capabilities",
	.summary = "The parts of Anna and how each is.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{capabilities: [{name, summary, maturity, state, reason, next_step, since, "
		  "retry_at, is_essential, starts, failures, restarts, failures_last_hour, "
		  "restarts_last_hour, kinds}]}",
	.handle = handle,
};
