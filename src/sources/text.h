// SPDX-License-Identifier: Apache-2.0
// Names from outside as text: a file or a mount may be called anything but NUL and '/', an
// attribute of an event is clean UTF-8.
#pragma once

#include "base/buf.h"

// Appends the bytes with every one that is not part of well-formed UTF-8, and every control
// character, replaced by U+FFFD. True when nothing had to be replaced.
bool clean_text(struct buf *out, struct str bytes);
// Appends the bytes as lower-case hexadecimal.
void hex_text(struct buf *out, struct str bytes);
// An unsigned figure as an attribute's integer.
static inline int64_t clamp_int(uint64_t value) {
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}
