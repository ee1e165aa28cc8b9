// SPDX-License-Identifier: Apache-2.0
// config.diff: what a reload of a configuration would change.
#include "rpc/anna.h"
#include "rpc/candidate.h"
#include "rpc/reload_answer.h"

static bool ask(struct question *question, struct json_writer *w, struct err *err) {
	struct candidate *candidate = question->own;
	struct changes changes = {0};
	if (!candidate_read(question, err)) {
		return false;
	}
	if (!candidate->snapshot) {
		question->problems = &candidate->problems;
		return err_set(err, ERR_CONFIG, "the configuration has %zu error%s",
			candidate->problems.errors, candidate->problems.errors == 1 ? "" : "s");
	}
	if (!candidate->active) {
		return err_set(err, ERR_UNAVAILABLE, "no configuration is in force yet");
	}
	snapshot_diff(candidate->active, candidate->snapshot, question->arena, &changes);
	json_begin_object(w);
	json_member_bool(w, "ok", true);
	json_member_bool(w, "changed", changes.n > 0);
	json_member_bool(w, "dry_run", true);
	json_member_uint(w, "generation", candidate->generation);
	reload_write_changes(w, &changes);
	json_key(w, "problems");
	problems_write(w, &candidate->problems);
	json_end_object(w);
	return true;
}

static void handle(struct call *call) {
	candidate_ask(call, ask);
}

static const char *const aliases[] = {"config_diff", NULL};

DEFINE_METHOD(config_diff) = {
	.name = "config.diff",
	.aliases = aliases,
	.summary = "What would change if a configuration were taken on now.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.params = candidate_rows,
	.params_size = sizeof(struct candidate_params),
	.result = "{ok, changed, dry_run: true, generation, changes: [{path, before, after, "
		  "needs_restart}], restart_needed, problems}",
	.handle = handle,
};
