// SPDX-License-Identifier: Apache-2.0
// /readyz: 200 only while Anna runs, 503 while she starts, reloads or stops.
#include "web/route.h"

#include "rpc/anna.h"

static void handle(const struct web_request *request, struct response *response) {
	enum anna_state state = anna_get_state(request->anna);
	response->status = state == ANNA_RUNNING ? 200 : 503;
	response->content_type = "application/json";
	buf_appendf(&response->body, "{\"state\":\"%s\"}\n", anna_state_name(state));
}

DEFINE_ROUTE(readyz) = {
	.path = "/readyz",
	.summary = "200 while Anna runs, 503 while she starts, reloads or stops.",
	.handle = handle,
};
