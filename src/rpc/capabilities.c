// SPDX-License-Identifier: Apache-2.0
// capabilities: the parts of Anna, which of them work, and why the others do not.
#include "rpc/method.h"

#include "rpc/anna.h"

static void write_capability(struct json_writer *w, const struct capability_status *status) {
	const struct capability *capability = status->capability;
	json_begin_object(w);
	json_member_text(w, "name", capability->name);
	json_member_text(w, "summary", capability->summary);
	json_member_text(
		w, "maturity", capability->maturity == MATURITY_STABLE ? "stable" : "experimental");
	json_member_text(w, "state", capability_state_name(status->state));
	json_member_text(w, "reason", status->reason[0] ? status->reason : NULL);
	json_member_time(w, "since", status->since_ns);
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
	.result = "{capabilities: [{name, summary, maturity, state, reason, since, kinds}]}",
	.handle = handle,
};
