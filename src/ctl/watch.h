// SPDX-License-Identifier: Apache-2.0
// --watch: a full screen drawn anew every second or as asked, with what changed since the last
// sample. Ctrl-C or q gives the terminal back and exits 0; a daemon that goes away is shown and
// awaited. Without a terminal the samples follow one another; with --json they are one object a line.
#pragma once

#include "ctl/command.h"

struct watch {
	const char *method;
	// Draws one sample; `before` is the one before, or NULL.
	void (*draw)(struct output *output, const struct value *now, const struct value *before,
		bool is_verbose);
	bool is_verbose;
	// What follows may be left out.
	struct str params; // of the method: a JSON object
	int64_t period_ns; // 0: a second
	const char *hint;  // the last line of the screen; NULL: how to end it
	// In place of draw, with what is the command's own.
	void (*draw_own)(void *arg, struct output *output, const struct value *now,
		const struct value *before);
	void (*on_key)(void *arg, char key); // other than q; the screen is drawn again after it
	const bool *is_paused;		     // while true nothing is asked and the screen stands
	void *arg;
};

int watch_run(struct invocation *in, const struct watch *watch);
