// SPDX-License-Identifier: Apache-2.0
// `annactl call`: any method of the daemon, as it is. Never tried again once sent: annactl does not
// know whether the method may be repeated.
#include "ctl/command.h"
#include "formats/json.h"

struct call_options {
	struct str method;
	struct str params;
};

static int run(struct invocation *in, const void *options) {
	const struct call_options *asked = options;
	struct request request = {
		.method = arena_copy(in->arena, asked->method), .params = asked->params};
	const struct value *result, *params;
	struct err err = ERR_INIT;
	struct buf one_line = BUF_INIT;
	if (asked->params.len > 0) {
		params = json_parse(in->arena, asked->params, JSON_DEPTH, &err);
		if (!params) {
			return invocation_misuse(
				in, "the parameters are not JSON: %s", err.message);
		}
		json_format(&one_line, params); // a newline in it would end the message
		request.params = buf_str(&one_line);
	}
	result = invocation_call(in, &request);
	buf_finish(&one_line);
	if (!result) {
		return in->exit_status;
	}
	output_json(&in->output, result);
	return 0;
}

DEFINE_COMMAND(call) = {
	.name = "call",
	.summary = "Call a method of the daemon and print its result as JSON.",
	.usage = "METHOD [JSON]",
	.examples = (const char *const[]){"annactl call rpc.describe",
		"annactl call events '{\"limit\": 3}'", NULL},
	.options =
		(const struct option[]){
			{.key = "METHOD",
				.type = OPTION_STRING,
				.is_positional = true,
				.is_required = true,
				.offset = offsetof(struct call_options, method),
				.help = "Its name; rpc.describe lists them."},
			{.key = "JSON",
				.type = OPTION_STRING,
				.is_positional = true,
				.offset = offsetof(struct call_options, params),
				.help = "Its parameters: an object."},
			{0},
		},
	.options_size = sizeof(struct call_options),
	.run = run,
};
