// SPDX-License-Identifier: Apache-2.0
// Hexadecimal numbers without a prefix, as /proc/net writes them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

// The whole text, 1 to 16 digits; *out is untouched when it is none.
static inline bool hex_parse(struct str text, uint64_t *out) {
	uint64_t value = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		bool is_digit = c >= '0' && c <= '9', is_letter = c >= 'a' && c <= 'f';
		if (!is_digit && !is_letter) {
			return false;
		}
		value = value << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
	}
	if (!text.len || text.len > 16) {
		return false;
	}
	*out = value;
	return true;
}
