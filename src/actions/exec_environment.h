// SPDX-License-Identifier: Apache-2.0
// The environment a program of the exec action gets: a few plain names, what is known of the event,
// and what the mapping adds. Values are never looked at by anything of ours again.
#pragma once

#include "engine/action.h"

// One `env` entry of the configuration, compiled.
struct exec_variable {
	struct str name;
	const struct template *value;
};

// Bytes of one argument or variable; the kernel's MAX_ARG_STRLEN is 128 KiB with its NUL.
#define EXEC_TEXT_MAX (120 * 1024)

// NULL-terminated "NAME=value", in the arena.
_must_use_ const char *const *exec_environment(struct arena *arena, const struct action_call *call,
	const struct exec_variable *variables, size_t n);
// The template's text as a C string: a NUL in a value, which would cut it short, becomes U+FFFD.
_must_use_ char *exec_expand(
	struct arena *arena, const struct template *template, const struct action_call *call);
