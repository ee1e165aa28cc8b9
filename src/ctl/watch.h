// SPDX-License-Identifier: Apache-2.0
// --watch: a full screen drawn anew every second, with what changed since the last sample. Ctrl-C
// or q gives the terminal back and exits 0; a daemon that goes away is shown and awaited. Without a
// terminal the samples follow one another; with --json they are one object a line.
#pragma once

#include "ctl/command.h"

struct watch {
	const char *method;
	// Draws one sample; `before` is the one before, or NULL.
	void (*draw)(struct output *output, const struct value *now, const struct value *before,
		bool is_verbose);
	bool is_verbose;
};

int watch_run(struct invocation *in, const struct watch *watch);
