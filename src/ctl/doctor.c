// SPDX-License-Identifier: Apache-2.0
// `annactl doctor`: what is wrong with Anna, from outside, whether she answers or not. The worst
// finding is the exit status.
#include "ctl/doctor_examine.h"

struct doctor_options {
	struct str id;
};

static int run(struct invocation *in, const void *options) {
	const struct doctor_options *asked = options;
	const struct check *only = check_find(asked->id);
	struct examination examination;
	if (asked->id.len > 0 && !only) {
		return invocation_misuse(in, "there is no check %" STR_FMT, STR_ARG(asked->id));
	}
	examination_make(in, only, &examination);
	if (in->output.is_json) {
		struct buf json = BUF_INIT;
		struct json_writer w;
		json_writer_init(&w, &json);
		examination_format(&examination, &w);
		output_json_line(&in->output, buf_str(&json));
		buf_finish(&json);
	} else {
		examination_print(&in->output, &examination);
	}
	return examination_status(&examination);
}

DEFINE_COMMAND(doctor) = {
	.name = "doctor",
	.aliases = (const char *const[]){"doctor check", NULL},
	.summary = "Find what is wrong with Anna, even if she does not answer.",
	.usage = "[ID]",
	.examples = (const char *const[]){"annactl doctor", "annactl doctor --json",
		"annactl doctor disk-space", NULL},
	.options =
		(const struct option[]){
			{.key = "ID",
				.type = OPTION_STRING,
				.is_positional = true,
				.offset = offsetof(struct doctor_options, id),
				.help = "One check only."},
			{0},
		},
	.options_size = sizeof(struct doctor_options),
	.run = run,
};
