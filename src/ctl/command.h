// SPDX-License-Identifier: Apache-2.0
// A command of annactl: one file in src/ctl/ that ends in its descriptor, one row in commands.def.
// Flags and words come from option rows, parsed and checked before run is called. A name may have
// two words ("config check"); its file is then config_check.c.
#pragma once

#include "base/arena.h"
#include "config/option.h"
#include "ctl/client.h"
#include "ctl/output.h"

struct invocation;

struct command {
	const char *name;
	const char *const *aliases;  // NULL-terminated, or NULL
	const char *summary;	     // one line
	const char *usage;	     // after the name: "[--limit N]"; NULL: nothing
	const char *const *examples; // whole lines; NULL-terminated, or NULL
	// Rows; positional ones are words, in order; a positional list takes all that are left.
	const struct option *options; // NULL: none
	size_t options_size;
	// The exit status. What went wrong was printed by invocation_fail.
	int (*run)(struct invocation *in, const void *options);
};

#define DEFINE_COMMAND(name) const struct command command_##name

// Flags that every command knows, before or after the verb.
struct globals {
	bool json;
	bool no_color;
	bool help;
	bool version;
	bool schema;
	struct str socket;
	struct str state_dir;
	int64_t timeout_ns;
};

extern const struct option global_options[];

// One run of one command: what it may use, all borrowed.
struct invocation {
	const struct command *command;
	struct globals globals;
	struct client client;
	struct arena *arena; // lives until annactl ends
	struct output output;
	struct clock *clock;
	const char *socket;
	int exit_status; // of the failure last printed
};

// Prints the failure, with a diagnosis when the daemon could not be asked; returns its exit status.
int invocation_fail(struct invocation *in, const struct failure *failure);
// The result of a call, or NULL after the failure was printed and in->exit_status set.
_must_use_ const struct value *invocation_call(
	struct invocation *in, const struct request *request);
// As invocation_call, for methods without parameters that only read.
_must_use_ const struct value *invocation_ask(struct invocation *in, const char *method);
// A mistake of the caller that rows cannot express: exit status 2.
_printf_(2, 3) int invocation_misuse(struct invocation *in, const char *format, ...);

// --- the table ---
size_t command_count(void);
const struct command *command_get(size_t i);
// By name or alias, "config check" with one blank; NULL when there is none.
const struct command *command_find(struct str name);
// Whether some name or alias begins with this word and goes on.
bool command_is_group(struct str word);
// For "did you mean"; NULL when nothing is near.
const char *command_nearest(struct str wrong);
