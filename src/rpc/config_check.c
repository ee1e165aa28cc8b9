// SPDX-License-Identifier: Apache-2.0
// config.check: all that is wrong with a configuration; nothing is written or taken on.
#include "rpc/candidate.h"

static bool ask(struct question *question, struct json_writer *w, struct err *err) {
	if (!candidate_read(question, err)) {
		return false;
	}
	const struct candidate *candidate = question->own;
	json_begin_object(w);
	json_member_bool(w, "ok", candidate->snapshot != NULL);
	json_member_uint(w, "errors", candidate->problems.errors);
	json_key(w, "problems");
	problems_write(w, &candidate->problems);
	json_end_object(w);
	return true;
}

static void handle(struct call *call) {
	candidate_ask(call, ask);
}

static const char *const aliases[] = {"config_check", NULL};

DEFINE_METHOD(config_check) = {
	.name = "config.check",
	.aliases = aliases,
	.summary = "All that is wrong with a configuration.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.params = candidate_rows,
	.params_size = sizeof(struct candidate_params),
	.result = "{ok, errors, problems: [{file, line, column, severity, message}]}",
	.handle = handle,
};
