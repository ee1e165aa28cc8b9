// SPDX-License-Identifier: Apache-2.0
// `annactl config show`: the configuration in force, option by option, and where each comes from.
#include "ctl/command.h"
#include "ctl/fields.h"

struct show_options {
	bool origin;
};

static int run(struct invocation *in, const void *options) {
	const struct show_options *asked = options;
	struct request request = {.method = "config.show",
		.is_repeatable = true,
		.params = asked->origin ? STR("{\"origin\":true}") : STR("")};
	const struct value *result = invocation_call(in, &request);
	struct str rest, line;
	if (!result) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, result);
		return 0;
	}
	rest = str_trim(field_str(result, "text"));
	while (rest.len > 0 && str_split(&rest, '\n', &line)) {
		output_str(&in->output, line);
		output_text(&in->output, "\n");
	}
	return 0;
}

DEFINE_COMMAND(config_show) = {
	.name = "config show",
	.summary = "The configuration in force, option by option.",
	.usage = "[--origin]",
	.examples = (const char *const[]){"annactl config show --origin", NULL},
	.options =
		(const struct option[]){
			{.key = "origin",
				.letter = 'o',
				.type = OPTION_BOOL,
				.offset = offsetof(struct show_options, origin),
				.help = "Also which file and line, or that it is the default."},
			{0},
		},
	.options_size = sizeof(struct show_options),
	.run = run,
};
