// SPDX-License-Identifier: Apache-2.0
// why: what led to an event and what came of it, from the journal.
#include "memory/why.h"

#include "rpc/question.h"

struct why_params {
	int64_t id;
};

static bool ask(struct question *question, struct json_writer *writer, struct err *err) {
	const struct why_params *params = question->params;
	return why_event(question->own, (uint64_t)params->id, writer, err);
}

static void handle(struct call *call) {
	question_ask_journal(call, ask);
}

static const struct option params[] = {{.key = "id",
					       .type = OPTION_INT,
					       .offset = offsetof(struct why_params, id),
					       .min = 1,
					       .max = 9007199254740991.0,
					       .is_required = true,
					       .is_positional = true,
					       .help = "The event."},
	{0}};

DEFINE_METHOD(why) = {
	.name = "why",
	.summary = "The causes of an event up to its root, and its effects.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.params = params,
	.params_size = sizeof(struct why_params),
	.result = "{event, causes: [root … parent], effects: [{event, effects}], beyond_retention, "
		  "damaged}",
	.handle = handle,
};
