// SPDX-License-Identifier: Apache-2.0
// /healthz: 200 as long as the loop answers and nothing is critical, else 503; the body says which parts
// are not well. Why, in words that may quote the configuration, is for those with a role: health.
#include "web/route.h"

#include "rpc/anna.h"

#define REASONS 20

static void handle(const struct web_request *request, struct response *response) {
	struct health_reason reasons[REASONS];
	size_t n = 0;
	enum anna_health health = anna_get_health(request->anna, reasons, REASONS, &n);
	struct json_writer w;
	response->status = health == HEALTH_CRITICAL ? 503 : 200;
	response->content_type = "application/json";
	json_writer_init(&w, &response->body);
	json_begin_object(&w);
	json_member_text(&w, "health", anna_health_name(health));
	json_key(&w, "reasons");
	json_begin_array(&w);
	for (size_t i = 0; i < n && i < REASONS; i++) {
		json_begin_object(&w);
		json_member_text(&w, "level", anna_health_name(reasons[i].level));
		json_member_text(&w, "part", reasons[i].part);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	buf_append_char(&response->body, '\n');
}

DEFINE_ROUTE(healthz) = {
	.path = "/healthz",
	.summary = "200 while Anna is not critical, else 503, with the parts that are not well.",
	.handle = handle,
};
