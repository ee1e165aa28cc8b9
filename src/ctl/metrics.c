// SPDX-License-Identifier: Apache-2.0
// `annactl metrics`: all numbers as Prometheus text, the same as GET /metrics, without a network.
#include "ctl/command.h"
#include "ctl/fields.h"

static int run(struct invocation *in, const void *options) {
	const struct value *result = invocation_ask(in, "metrics");
	struct str rest, line;
	(void)options;
	if (!result) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, result);
		return 0;
	}
	rest = result->type == VALUE_STRING ? result->string : field_str(result, "text");
	rest = str_trim(rest);
	while (str_split(&rest, '\n', &line)) {
		output_str(&in->output, line);
		output_text(&in->output, "\n");
	}
	return 0;
}

DEFINE_COMMAND(metrics) = {
	.name = "metrics",
	.summary = "All numbers Anna measures, as Prometheus text.",
	.examples = (const char *const[]){"annactl metrics | grep node_load", NULL},
	.run = run,
};
