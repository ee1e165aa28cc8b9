// SPDX-License-Identifier: Apache-2.0
// `annactl config check`: all that is wrong with a config file, without a daemon and without
// writing anything. annad itself does it, so that both read it the same way; its exit status is
// ours.
#include "ctl/annad.h"
#include "ctl/command.h"

struct check_options {
	struct str file;
};

static int run(struct invocation *in, const void *options) {
	const struct check_options *asked = options;
	const char *argv[8] = {"annad", "--check"};
	size_t n = 2;
	struct failure failure = FAILURE_INIT;
	struct buf file = BUF_INIT;
	if (asked->file.len > 0) {
		buf_append_str(&file, asked->file);
	} else {
		annad_default_config(in, &file);
	}
	if (file.len > 0) {
		argv[n++] = "--config";
		argv[n++] = buf_text(&file);
	}
	if (in->output.is_json) {
		argv[n++] = "--json";
	}
	annad_become(argv, &failure);
	buf_finish(&file);
	return invocation_fail(in, &failure);
}

DEFINE_COMMAND(config_check) = {
	.name = "config check",
	.aliases = (const char *const[]){"config validate", "validate", NULL},
	.summary = "Say all that is wrong with a config file; needs no daemon.",
	.usage = "[FILE]",
	.examples = (const char *const[]){"annactl config check",
		"annactl config check ./config.toml", NULL},
	.options =
		(const struct option[]){
			{.key = "FILE",
				.type = OPTION_STRING,
				.is_positional = true,
				.unit = "file",
				.offset = offsetof(struct check_options, file),
				.help = "Else the running daemon's, yours, or "
					"/etc/anna/config.toml."},
			{0},
		},
	.options_size = sizeof(struct check_options),
	.run = run,
};
