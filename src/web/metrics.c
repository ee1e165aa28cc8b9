// SPDX-License-Identifier: Apache-2.0
// /metrics: everything that is measured, for Prometheus.
#include "web/route.h"

#include "flow/capability.h"
#include "rpc/anna.h"

static void handle(const struct web_request *request, struct response *response) {
	response->content_type = "text/plain; version=0.0.4; charset=utf-8";
	meters_format(anna_services(request->anna)->meters, &response->body);
}

DEFINE_ROUTE(metrics) = {
	.path = "/metrics",
	.summary = "Everything that is measured, in the Prometheus text format.",
	.handle = handle,
};
