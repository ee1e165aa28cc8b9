// SPDX-License-Identifier: Apache-2.0
// `annactl config default`: every option at its default, with its explanation; needs no daemon.
#include "ctl/annad.h"
#include "ctl/command.h"

static int run(struct invocation *in, const void *options) {
	const char *argv[] = {"annad", "--show", in->output.is_json ? "schema" : "default", NULL};
	struct failure failure = FAILURE_INIT;
	(void)options;
	annad_become(argv, &failure);
	return invocation_fail(in, &failure);
}

DEFINE_COMMAND(config_default) = {
	.name = "config default",
	.summary = "A config file with every option, its default and meaning.",
	.examples = (const char *const[]){"annactl config default > config.toml", NULL},
	.run = run,
};
