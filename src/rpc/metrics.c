// SPDX-License-Identifier: Apache-2.0
// metrics: what /metrics says, for those who have the socket and no HTTP.
#include "rpc/method.h"

#include "rpc/anna.h"

static void handle(struct call *call) {
	struct buf text = BUF_INIT;
	meters_format(anna_services(call_anna(call))->meters, &text);
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_text(w, "content_type", "text/plain; version=0.0.4; charset=utf-8");
	json_member_str(w, "text", buf_str(&text));
	json_end_object(w);
	buf_finish(&text);
	call_reply(call);
}

DEFINE_METHOD(metrics) = {
	.name = "metrics",
	.summary = "Everything that is measured, in the Prometheus text format.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{content_type, text}",
	.handle = handle,
};
