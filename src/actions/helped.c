// SPDX-License-Identifier: Apache-2.0
// A run that the helper does; see helped.h. call->state is the question.
#include "actions/helped.h"

#include "flow/helper_client.h"
#include "io/loop.h"

static void on_answer(void *arg, const struct helper_answer *answer, const struct err *err) {
	struct action_call *call = arg;
	struct err failed = ERR_INIT;
	call->state = NULL;
	if (err) {
		call->on_done(call, err);
		return;
	}
	event_set_int(call->result, "exit_status", answer->exit_status);
	event_set_int(call->result, "duration_ms", answer->duration_ms);
	event_set_str(call->result, "output", answer->output);
	if (answer->is_cut) {
		event_set_bool(call->result, "output_cut", true);
	}
	if (answer->exit_status != 0) {
		(void)err_set(&failed, ERR_INTERNAL, "it ended with exit status %lld",
			(long long)answer->exit_status);
	}
	call->on_done(call, answer->exit_status ? &failed : NULL);
}

void helped_run(struct action_call *call, const char *verb, struct str params, int64_t limit_ns) {
	struct err err = ERR_INIT;
	call->state = helper_ask(call->services->loop, call->services->helper_socket, verb, params,
		limit_ns, on_answer, call, &err);
	if (!call->state) {
		call->on_done(call, &err);
	}
}

void helped_cancel(struct action_call *call) {
	struct err err;
	if (call->state) {
		helper_forget(call->state);
		call->state = NULL;
		(void)err_set(&err, ERR_UNAVAILABLE,
			"Anna stops; the helper ends by itself what it has begun");
		call->on_done(call, &err);
	}
}
