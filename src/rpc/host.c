// SPDX-License-Identifier: Apache-2.0
// host: what this machine is made of, as the source `profile` last read it.
#include "flow/board.h"
#include "rpc/anna.h"
#include "rpc/method.h"

struct host_params {
	bool refresh;
};

static void handle(struct call *call) {
	const struct host_params *params = call_params(call);
	struct board *board = anna_services(call_anna(call))->board;
	struct err err = ERR_INIT;
	const char *name = params->refresh ? "host_fresh" : "host";
	if (board_write_view(board, name, call_result(call), &err)) {
		call_reply(call);
		return;
	}
	if (err.code == ERR_NOT_FOUND) {
		err_set(&err, ERR_DISABLED,
			"the profile of this machine is switched off ([profile] enabled = false)");
	}
	call_fail(call, &err);
}

static const struct option params[] = {
	{"refresh", OPTION_BOOL, offsetof(struct host_params, refresh),
		.help = "Read it again unless it is younger than ten seconds: BUSY while that goes "
			"on."},
	{NULL},
};

DEFINE_METHOD(host) = {
	.name = "host",
	.summary = "What this machine is made of: hardware, system, firmware.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.params = params,
	.params_size = sizeof(struct host_params),
	.result = "{generated_at, system, board, virtualisation, cpu, memory, storage, network, "
		  "gpus, usb, batteries, notes}; what could not be read is left out",
	.handle = handle,
};
