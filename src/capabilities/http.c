// SPDX-License-Identifier: Apache-2.0
// The HTTP listener: metrics, health and readiness for other programs on this machine.
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/capability.h"
#include "io/loop.h"
#include "rpc/anna.h"
#include "web/http.h"

static const struct http_config *wanted(const struct capability_config *config) {
	return config->config;
}

struct http {
	struct anna *anna;
	struct http_server *server;
};

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	struct anna *anna = services->anna;
	struct http_server *server = http_server_open(
		services->loop, anna, wanted(config), anna_http_wanted(anna), err);
	if (!server) {
		return NULL;
	}
	struct http *self = xmalloc(sizeof(*self));
	*self = (struct http){anna, server};
	anna_set_http(anna, http_server_address(server));
	return self;
}

static enum reconfigured reconfigure(void *arg, const struct capability_config *config) {
	struct http *self = arg;
	http_server_configure(self->server, wanted(config));
	return RECONFIGURE_ADAPTED;
}

static void stop(void *arg) {
	struct http *self = arg;
	anna_set_http(self->anna, "off");
	http_server_close(self->server);
	free(self);
}

DEFINE_CAPABILITY(http) = {
	.name = "http",
	.summary = "HTTP on a loopback address: /metrics, /healthz, /readyz.",
	.section = &http_section,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
};
