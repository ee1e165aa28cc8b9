// SPDX-License-Identifier: Apache-2.0
// ping: the shortest way through the whole door; what round trips are measured with.
#include "rpc/method.h"

static void handle(struct call *call) {
	json_raw(call_result(call), STR("{\"pong\":true}"));
	call_reply(call);
}

DEFINE_METHOD(ping) = {
	.name = "ping",
	.summary = "Answers at once: the loop runs.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{pong: true}",
	.handle = handle,
};
