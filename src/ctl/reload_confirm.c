// SPDX-License-Identifier: Apache-2.0
// `annactl reload confirm`: keeps the configuration that `reload --confirm` put on trial.
#include "ctl/command.h"
#include "ctl/fields.h"

static int run(struct invocation *in, const void *options) {
	const struct value *result = invocation_call(
		in, &(struct request){.method = "reload.confirm"});
	(void)options;
	if (!result) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, result);
	} else if (field_int(result, "generation", 0) > 0) {
		output_printf(&in->output, "confirmed: generation %lld stays active\n",
			(long long)field_int(result, "generation", 0));
	} else {
		output_text(&in->output, "confirmed: the configuration stays active\n");
	}
	return 0;
}

DEFINE_COMMAND(reload_confirm) = {
	.name = "reload confirm",
	.aliases = (const char *const[]){"config confirm", "confirm", NULL},
	.summary = "Keep the configuration that reload --confirm put on trial.",
	.examples = (const char *const[]){"annactl reload confirm", NULL},
	.run = run,
};
