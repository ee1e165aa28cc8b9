// SPDX-License-Identifier: Apache-2.0
// Message templates: "{mount} at {used_percent} %". {name} is replaced by a value, {{ and }} are
// braces. Names are letters, digits, '_' and '.'; a missing value gives "". The text that replaces
// a name is never looked at again, so values cannot inject templates.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct template;

// Called for each name; appends the value's text. False when there is no such value.
typedef bool template_lookup(void *arg, struct str name, struct buf *out);

// Compiled into the arena. NULL with *err naming the column when the braces do not pair.
_must_use_ const struct template *template_compile(
	struct arena *arena, struct str text, struct err *err);
// Appends the expansion; at most `limit` bytes are appended (cut at a UTF-8 boundary).
void template_expand(const struct template *template, template_lookup *lookup, void *arg,
	size_t limit, struct buf *out);
// Calls `on_name` for each name used, in order: for checks.
void template_names(
	const struct template *template, void (*on_name)(void *arg, struct str name), void *arg);
