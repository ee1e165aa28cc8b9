// SPDX-License-Identifier: Apache-2.0
// An event's attributes from the command line: key=value guesses the type (integer, number, true,
// false, else string), key:=json says it.
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "formats/value.h"

// A table; "key" in two words is an error. `json`: an object to begin with, or empty.
_must_use_ bool attributes_parse(struct arena *arena, const struct str *words, size_t n,
	struct str json, struct value *out, struct err *err);
// The value of a bare word. A number with leading zeros stays text: it is a code, not an amount.
struct value attribute_guess(struct str text);
