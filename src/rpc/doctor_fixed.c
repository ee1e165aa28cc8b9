// SPDX-License-Identifier: Apache-2.0
// doctor.fixed: annactl doctor tells what it did, so that the journal knows. It is an event, and
// answered once that is durable.
#include "rpc/anna.h"
#include "rpc/emitter.h"
#include "rpc/method.h"

struct fixed_params {
	struct str id, subject, what, before, after, undo;
	bool done;
};

static void handle(struct call *call) {
	const struct fixed_params *params = call_params(call);
	struct event *event = event_create_str(STR("doctor.fixed"), STR("doctor"), params->id);
	event_set_str(event, "what", params->what);
	event_set_str(event, "about", params->subject);
	event_set_bool(event, "done", params->done);
	event_set_str(event, "before", params->before);
	event_set_str(event, "after", params->after);
	event_set_str(event, "undo", params->undo);
	event_set_int(event, "uid", call_caller(call)->uid);
	emitter_emit(anna_emitter(call_anna(call)), event, 0, emitter_answer, call);
}

static const struct option params[] = {{.key = "id",
					       .type = OPTION_STRING,
					       .offset = offsetof(struct fixed_params, id),
					       .min = 1,
					       .max = 100,
					       .is_required = true,
					       .help = "The finding's id."},
	{.key = "subject",
		.type = OPTION_STRING,
		.offset = offsetof(struct fixed_params, subject),
		.max = 1024,
		.help = "Which one, where there may be several."},
	{.key = "what",
		.type = OPTION_STRING,
		.offset = offsetof(struct fixed_params, what),
		.max = 1024,
		.is_required = true,
		.help = "What was done."},
	{.key = "done",
		.type = OPTION_BOOL,
		.offset = offsetof(struct fixed_params, done),
		.fallback = "true",
		.help = "Whether the finding was gone when it was looked for again."},
	{.key = "before",
		.type = OPTION_STRING,
		.offset = offsetof(struct fixed_params, before),
		.max = 1024,
		.help = "How it was."},
	{.key = "after",
		.type = OPTION_STRING,
		.offset = offsetof(struct fixed_params, after),
		.max = 1024,
		.help = "How it is."},
	{.key = "undo",
		.type = OPTION_STRING,
		.offset = offsetof(struct fixed_params, undo),
		.max = 1024,
		.help = "The command that takes it back; empty: it cannot be."},
	{0}};

DEFINE_METHOD(doctor_fixed) = {
	.name = "doctor.fixed",
	.summary = "annactl doctor tells what it did; answers once that is in the journal.",
	.role = ROLE_ADMIN,
	.params = params,
	.params_size = sizeof(struct fixed_params),
	.result = "{id}",
	.handle = handle,
};
