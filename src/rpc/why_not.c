// SPDX-License-Identifier: Apache-2.0
// why.not: which guard kept a mapping from acting last, or that a kind did not occur.
#include "memory/why.h"

#include "rpc/question.h"

struct why_not_params {
	struct str of;
};

static bool ask(struct question *question, struct json_writer *writer, struct err *err) {
	const struct why_not_params *params = question->params;
	return why_not(question->own, params->of, writer, err);
}

static void handle(struct call *call) {
	question_ask_journal(call, ask);
}

static const struct option params[] = {{.key = "of",
					       .type = OPTION_STRING,
					       .offset = offsetof(struct why_not_params, of),
					       .min = 1,
					       .max = 256,
					       .is_required = true,
					       .is_positional = true,
					       .help = "A mapping's name or a kind of event."},
	{0}};

DEFINE_METHOD(why_not) = {
	.name = "why.not",
	.summary = "What kept a mapping from acting last, or a kind from occurring.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.params = params,
	.params_size = sizeof(struct why_not_params),
	.result = "{asked, mapping or kind, last_event, guard, observed, reason, generation, "
		  "last_acted}",
	.handle = handle,
};
