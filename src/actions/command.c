// SPDX-License-Identifier: Apache-2.0
// command: runs a command that root has granted in /etc/anna/commands.d, as the user named there,
// through the helper. Nothing of the event reaches it.
#include "actions/helped.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "formats/json.h"

struct command_config {
	struct str name;
	int64_t timeout_ns;
};

static const struct option command_rows[] = {
	{"name", OPTION_STRING, offsetof(struct command_config, name), NULL, 1, 64,
		.is_required = true, .help = "The name of the [[commands]] grant."},
	{"timeout", OPTION_DURATION, offsetof(struct command_config, timeout_ns), "10m",
		(double)NS_PER_SECOND, 2.0 * (double)NS_PER_DAY,
		.help = "How long the answer is waited for; the grant has the command's own "
			"limit."},
	{NULL},
};

static void command_run(struct action_call *call) {
	const struct command_config *config = call->config;
	struct buf params = BUF_INIT;
	struct json_writer writer;
	event_set_str(call->result, "command", config->name);
	json_writer_init(&writer, &params);
	json_begin_object(&writer);
	json_member_str(&writer, "name", config->name);
	json_end_object(&writer);
	helped_run(call, "command.run", buf_str(&params), config->timeout_ns);
	buf_finish(&params);
}

DEFINE_ACTION(command) = {
	.name = "command",
	.summary = "Runs a command that root has granted, as the user root named.",
	.rows = command_rows,
	.size = sizeof(struct command_config),
	.run = command_run,
	.cancel = helped_cancel,
};
