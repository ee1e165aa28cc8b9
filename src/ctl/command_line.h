// SPDX-License-Identifier: Apache-2.0
// The command line by option rows: global flags anywhere, the verb (one or two words), its flags
// and words in any order, `--` before words that begin with a dash. Pure.
#pragma once

#include "ctl/command.h"
#include "ctl/failure.h"

struct command_line {
	const struct command *command; // NULL: no verb was given
	void *options;		       // the filled struct of the command's rows
	struct globals globals;
};

// False with *failure (exit status 2). out->globals is filled as far as it was read, so that the
// failure can be printed as asked for (--json).
_must_use_ bool command_line_parse(struct arena *arena, int argc, const char *const *argv,
	struct command_line *out, struct failure *failure);
