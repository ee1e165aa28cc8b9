// SPDX-License-Identifier: Apache-2.0
// Writing one character as UTF-8 (RFC 3629), for the readers of escapes.
#pragma once

#include <stdint.h>

// Puts the 1 to 4 bytes of a scalar value at `to` and returns the end.
static inline char *utf8_put(char *to, uint32_t point) {
	if (point < 0x80) {
		*to++ = (char)point;
		return to;
	}
	if (point < 0x800) {
		*to++ = (char)(0xc0 | point >> 6);
	} else if (point < 0x10000) {
		*to++ = (char)(0xe0 | point >> 12);
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | point >> 18);
		*to++ = (char)(0x80 | (point >> 12 & 0x3f));
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (point & 0x3f));
	return to;
}
