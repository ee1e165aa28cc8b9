// SPDX-License-Identifier: Apache-2.0
// reload.confirm: keeps a configuration that was taken on for a trial.
#include "rpc/method.h"

#include "rpc/anna.h"

static void handle(struct call *call) {
	struct err err = ERR_INIT;
	if (!anna_confirm(call_anna(call), &err)) {
		call_fail(call, &err);
		return;
	}
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_bool(w, "confirmed", true);
	json_member_uint(w, "generation", anna_generation(call_anna(call)));
	json_end_object(w);
	call_reply(call);
}

static const char *const aliases[] = {"config.confirm", NULL};

DEFINE_METHOD(reload_confirm) = {
	.name = "reload.confirm",
	.aliases = aliases,
	.summary = "Keeps a configuration that waits for its confirmation.",
	.role = ROLE_ADMIN,
	.result = "{confirmed, generation}",
	.handle = handle,
};
