// SPDX-License-Identifier: Apache-2.0
// reload.confirm: keeps a configuration that was taken on for a trial.
#include "rpc/method.h"

#include "rpc/anna.h"

static void on_confirmed(void *arg, const struct err *err) {
	struct call *call = arg;
	if (err) {
		call_fail(call, err);
		return;
	}
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_bool(w, "confirmed", true);
	json_member_uint(w, "generation", anna_generation(call_anna(call)));
	json_end_object(w);
	call_reply(call);
}

static void handle(struct call *call) {
	struct err err = ERR_INIT;
	const char *author = arena_printf(
		call_arena(call), "uid %u", (unsigned)call_caller(call)->uid);
	if (!anna_confirm(call_anna(call), author, on_confirmed, call, &err)) {
		call_fail(call, &err);
	}
}

static const char *const aliases[] = {"config.confirm", NULL};

DEFINE_METHOD(reload_confirm) = {
	.name = "reload.confirm",
	.aliases = aliases,
	.summary = "Keeps a configuration that waits for its confirmation.",
	.role = ROLE_ADMIN,
	.is_audited = true,
	.result = "{confirmed, generation}",
	.handle = handle,
};
