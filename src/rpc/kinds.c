// SPDX-License-Identifier: Apache-2.0
// kinds: the kinds of event that are declared, with their attributes.
#include "rpc/method.h"

#include "rpc/anna.h"
#include "rpc/describe.h"

static void handle(struct call *call) {
	const struct kinds *kinds = bus_kinds(anna_services(call_anna(call))->bus);
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_key(w, "kinds");
	describe_kinds(w, kinds);
	json_key(w, "free");
	json_raw(w, STR("[\"user.*\",\"test.*\"]"));
	json_end_object(w);
	call_reply(call);
}

DEFINE_METHOD(kinds) = {
	.name = "kinds",
	.summary = "The kinds of event there are, with their attributes.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result =
		"{kinds: [{name, stream, help, attributes: [{name, type, unit, help}]}], free: the "
		"patterns anyone may emit}",
	.handle = handle,
};
