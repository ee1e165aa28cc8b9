// SPDX-License-Identifier: Apache-2.0
// Names from outside as text; see text.h.
#include "sources/text.h"

#define REPLACEMENT "\xef\xbf\xbd"

// Length of the well-formed sequence at the front (RFC 3629), 0 when there is none.
static size_t sequence_len(struct str s) {
	for (size_t n = 1; n <= 4 && n <= s.len; n++) {
		if (str_is_utf8(str_head(s, n))) {
			return n;
		}
	}
	return 0;
}

// C0 and DEL, and C1, which terminals obey too (U+0080 to U+009F).
static bool is_control(struct str s, size_t n) {
	unsigned char first = (unsigned char)s.at[0];
	return (n == 1 && (first < 0x20 || first == 0x7f)) ||
		(n == 2 && first == 0xc2 && (unsigned char)s.at[1] < 0xa0);
}

bool clean_text(struct buf *out, struct str bytes) {
	bool is_clean = true;
	while (bytes.len) {
		size_t n = sequence_len(bytes);
		if (n && !is_control(bytes, n)) {
			buf_append_str(out, str_head(bytes, n));
		} else {
			buf_append_text(out, REPLACEMENT);
			is_clean = false;
		}
		bytes = str_skip(bytes, n ? n : 1);
	}
	return is_clean;
}

void hex_text(struct buf *out, struct str bytes) {
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < bytes.len; i++) {
		buf_append_char(out, digits[(unsigned char)bytes.at[i] >> 4]);
		buf_append_char(out, digits[bytes.at[i] & 15]);
	}
}
