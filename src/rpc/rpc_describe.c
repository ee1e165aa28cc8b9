// SPDX-License-Identifier: Apache-2.0
// rpc.describe: every method with its parameters, role and text, and every error there is.
#include "rpc/anna.h"
#include "rpc/describe.h"

static void handle(struct call *call) {
	size_t n;
	const struct method *const *methods = rpc_methods(anna_rpc(call_anna(call)), &n);
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_int(w, "contract", 1);
	json_key(w, "methods");
	describe_methods(w, methods, n);
	json_key(w, "errors");
	describe_errors(w);
	json_end_object(w);
	call_reply(call);
}

static const char *const aliases[] = {"rpc.discover", NULL};

DEFINE_METHOD(rpc_describe) = {
	.name = "rpc.describe",
	.aliases = aliases,
	.summary = "Every method with its parameters, role and text, and every error.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result =
		"{contract, methods: [{name, aliases, summary, role, idempotent, audited, "
		"result, options}], "
		"errors: [{code, name, http_status, exit_status, retryable, retry_after_ms, text, "
		"hint}]}",
	.handle = handle,
};
