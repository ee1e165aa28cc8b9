// SPDX-License-Identifier: Apache-2.0
// `annactl undo`: goes back to an older generation of the configuration. The file is not touched;
// what was undone is not applied again by itself.
#include "ctl/command.h"
#include "ctl/reload_report.h"

struct undo_options {
	int64_t generation;
};

static int run(struct invocation *in, const void *options) {
	const struct undo_options *asked = options;
	struct request request = {.method = "undo"};
	const struct value *result;
	if (asked->generation > 0) {
		request.params = str_from(arena_printf(
			in->arena, "{\"generation\":%lld}", (long long)asked->generation));
	}
	result = invocation_call(in, &request);
	return result ? reload_report(in, result, "undone") : in->exit_status;
}

DEFINE_COMMAND(undo) = {
	.name = "undo",
	.summary = "Go back to the configuration before, or to a generation.",
	.usage = "[GENERATION]",
	.examples = (const char *const[]){"annactl undo", "annactl config history",
		"annactl undo 5", NULL},
	.options =
		(const struct option[]){
			{.key = "GENERATION",
				.type = OPTION_INT,
				.is_positional = true,
				.max = 9007199254740991,
				.offset = offsetof(struct undo_options, generation),
				.help = "Which; annactl config history lists them. Else the one "
					"before."},
			{0},
		},
	.options_size = sizeof(struct undo_options),
	.run = run,
};
