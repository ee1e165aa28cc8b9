// SPDX-License-Identifier: Apache-2.0
// undo: goes back to an older generation of the configuration; the file is not touched.
#include "rpc/method.h"

#include "rpc/anna.h"
#include "rpc/reload_answer.h"

struct undo_params {
	int64_t generation;
};

static void handle(struct call *call) {
	const struct undo_params *params = call_params(call);
	struct err err = ERR_INIT;
	char *author = arena_printf(call_arena(call), "uid %u", (unsigned)call_caller(call)->uid);
	if (!anna_undo(call_anna(call), (uint64_t)params->generation, author, reload_answer, call,
		    &err)) {
		call_fail(call, &err);
	}
}

static const struct option params[] = {
	{.key = "generation",
		.type = OPTION_INT,
		.offset = offsetof(struct undo_params, generation),
		.fallback = "0",
		.min = 0,
		.max = 9007199254740991.0,
		.is_positional = true,
		.help = "The generation to go back to; 0: the one before the active."},
	{0}};

DEFINE_METHOD(undo) = {
	.name = "undo",
	.summary = "Goes back to an older generation of the configuration.",
	.role = ROLE_ADMIN,
	.is_audited = true,
	.params = params,
	.params_size = sizeof(struct undo_params),
	.result = "as reload",
	.handle = handle,
};
