// SPDX-License-Identifier: Apache-2.0
// reload: reads the configuration again and takes it on, or says all that is wrong with it.
#include "rpc/method.h"

#include "rpc/anna.h"
#include "rpc/reload_answer.h"

struct reload_params {
	bool dry_run;
	int64_t confirm;
};

static void handle(struct call *call) {
	const struct reload_params *params = call_params(call);
	struct err err = ERR_INIT;
	char *author = arena_printf(call_arena(call), "uid %u", (unsigned)call_caller(call)->uid);
	if (!anna_reload(call_anna(call), author, params->dry_run, params->confirm, reload_answer,
		    call, &err)) {
		call_fail(call, &err);
	}
}

static const struct option params[] = {{.key = "dry_run",
					       .type = OPTION_BOOL,
					       .offset = offsetof(struct reload_params, dry_run),
					       .fallback = "false",
					       .help = "Only says what would change."},
	{.key = "confirm",
		.type = OPTION_DURATION,
		.offset = offsetof(struct reload_params, confirm),
		.fallback = "0",
		.max = 864e11,
		.help = "Goes back by itself after this time, also across a crash, unless "
			"reload.confirm comes first; 0: does not."},
	{0}};

DEFINE_METHOD(reload) = {
	.name = "reload",
	.summary = "Reads the configuration again and takes it on.",
	.role = ROLE_ADMIN,
	.is_audited = true,
	.params = params,
	.params_size = sizeof(struct reload_params),
	.result = "{ok, changed, dry_run, pending, generation, changes: [{path, before, after, "
		  "needs_restart}], restart_needed, problems, microseconds: {parse, check, apply, "
		  "total}, grade, statistics of all since the start: {count, min, mean, p50, p99, "
		  "max} in microseconds}",
	.handle = handle,
};
