// SPDX-License-Identifier: Apache-2.0
// TOML 1.0.0 (toml.io/en/v1.0.0), complete, reading only. Goes on after an error at the next
// line, so all mistakes of a file are reported at once.
#pragma once

#include "base/problems.h"
#include "formats/value.h"

// Parses a whole document into the arena and returns its root table (never NULL; what could be
// read, when there are errors). `file` (copied into the arena) names it in places and problems.
// Reading ends where the arena is over its limit, which the caller has to tell.
// The text must be UTF-8 and may begin with a BOM. Strings never borrow from `text`.
const struct value *toml_parse(
	struct arena *arena, const char *file, struct str text, struct problems *problems);

// Appends a value as TOML text usable after `key = ` (tables inline, strings basic-quoted).
void toml_format(struct buf *out, const struct value *value);
// A key, quoted where it must be.
void toml_format_key(struct buf *out, struct str key);
