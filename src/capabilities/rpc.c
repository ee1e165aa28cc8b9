// SPDX-License-Identifier: Apache-2.0
// The Unix socket annactl talks to. Essential: without it nobody could ask or stop her.
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/capability.h"
#include "rpc/anna.h"
#include "rpc/server.h"

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	struct anna *anna = services->anna;
	return rpc_server_open(services->loop, anna_rpc(anna), config->config, anna_socket(anna),
		anna_socket_fd(anna), err);
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	rpc_server_configure(self, config->config);
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	rpc_server_close(self);
}

DEFINE_CAPABILITY(rpc) = {
	.name = "rpc",
	.summary = "JSON-RPC on the Unix socket, for annactl.",
	.is_essential = true,
	.section = &rpc_section,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
};
