// SPDX-License-Identifier: Apache-2.0
// upgrade.report: annactl upgrade tells what it does to the daemon's binaries, so that the journal
// holds it. Answers once the event is durable. The kinds are Anna's own: only root may, and only so.
#include "rpc/method.h"

#include "rpc/anna.h"
#include "rpc/emitter.h"

struct report_params {
	int phase;
	struct str from, to, reason;
	int64_t cause;
};

static const char *const phases[] = {"started", "finished", "rolled_back", NULL};

static void handle(struct call *call) {
	static const char *const kinds[] = {
		"upgrade.started", "upgrade.finished", "upgrade.rolled_back"};
	const struct report_params *params = call_params(call);
	struct event *event = event_create(kinds[params->phase], "daemon", STR("anna"));
	event_set_str(event, "from", params->from);
	event_set_str(event, "to", params->to);
	if (params->reason.len) {
		event_set_str(event, "reason", params->reason);
	}
	event_set_int(event, "uid", call_caller(call)->uid);
	emitter_emit(anna_emitter(call_anna(call)), event, (uint64_t)params->cause, emitter_answer,
		call);
}

static const struct option params[] = {{.key = "phase",
					       .type = OPTION_CHOICE,
					       .choices = phases,
					       .offset = offsetof(struct report_params, phase),
					       .is_required = true,
					       .help = "What has just happened."},
	{.key = "from",
		.type = OPTION_STRING,
		.offset = offsetof(struct report_params, from),
		.max = 200,
		.is_required = true,
		.help = "The version before."},
	{.key = "to",
		.type = OPTION_STRING,
		.offset = offsetof(struct report_params, to),
		.max = 200,
		.is_required = true,
		.help = "The version that is wanted."},
	{.key = "reason",
		.type = OPTION_STRING,
		.offset = offsetof(struct report_params, reason),
		.max = 1024,
		.help = "Why it was rolled back."},
	{.key = "cause",
		.type = OPTION_INT,
		.offset = offsetof(struct report_params, cause),
		.min = 0,
		.max = 9007199254740991.0,
		.help = "The id of upgrade.started."},
	{0}};

DEFINE_METHOD(upgrade_report) = {
	.name = "upgrade.report",
	.summary = "Keeps in the journal what an upgrade of Anna has come to; for annactl upgrade.",
	.role = ROLE_ADMIN,
	.is_audited = true,
	.params = params,
	.params_size = sizeof(struct report_params),
	.result = "{id}",
	.handle = handle,
};
