// SPDX-License-Identifier: Apache-2.0
// Borrowed text; see str.h.
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

int str_compare(struct str a, struct str b) {
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.at, b.at, n) : 0;
	if (order) {
		return order;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

static char lower(char c) {
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_equal_nocase(struct str a, struct str b) {
	if (a.len != b.len) {
		return false;
	}
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.at[i]) != lower(b.at[i])) {
			return false;
		}
	}
	return true;
}

bool str_starts(struct str s, struct str prefix) {
	return s.len >= prefix.len && str_equal(str_head(s, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix) {
	return s.len >= suffix.len && str_equal(str_skip(s, s.len - suffix.len), suffix);
}

ptrdiff_t str_find_char(struct str s, char c) {
	const char *found = s.len ? memchr(s.at, c, s.len) : NULL;
	return found ? found - s.at : -1;
}

ptrdiff_t str_find(struct str s, struct str needle) {
	if (!needle.len) {
		return 0;
	}
	const char *found = s.len ? memmem(s.at, s.len, needle.at, needle.len) : NULL;
	return found ? found - s.at : -1;
}

struct str str_skip(struct str s, size_t from) {
	if (from >= s.len) {
		return (struct str){s.at ? s.at + s.len : NULL, 0};
	}
	return (struct str){s.at + from, s.len - from};
}

struct str str_head(struct str s, size_t len) {
	return (struct str){s.at, len < s.len ? len : s.len};
}

static bool is_blank(char c) {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s) {
	while (s.len && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && is_blank(s.at[s.len - 1])) {
		s.len--;
	}
	return s;
}

bool str_split(struct str *rest, char separator, struct str *out) {
	if (!rest->at) {
		return false;
	}
	ptrdiff_t at = str_find_char(*rest, separator);
	if (at < 0) {
		*out = *rest;
		*rest = (struct str){NULL, 0};
		return true;
	}
	*out = str_head(*rest, (size_t)at);
	*rest = str_skip(*rest, (size_t)at + 1);
	return true;
}

bool str_word(struct str *rest, struct str *out) {
	while (rest->len && is_blank(rest->at[0])) {
		*rest = str_skip(*rest, 1);
	}
	size_t n = 0;
	while (n < rest->len && !is_blank(rest->at[n])) {
		n++;
	}
	*out = str_head(*rest, n);
	*rest = str_skip(*rest, n);
	return n > 0;
}

bool str_to_uint64(struct str s, uint64_t *out) {
	uint64_t value = 0;
	if (!s.len) {
		return false;
	}
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(s.at[i] - '0'), &value)) {
			return false;
		}
	}
	*out = value;
	return true;
}

bool str_to_int64(struct str s, int64_t *out) {
	bool negative = s.len && s.at[0] == '-';
	bool sign = negative || (s.len && s.at[0] == '+');
	uint64_t value;
	if (!str_to_uint64(str_skip(s, sign), &value) ||
		value > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
		return false;
	}
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

static pthread_once_t plain_once = PTHREAD_ONCE_INIT;
static locale_t plain; // never freed: it lives as long as the process

static void make_plain(void) {
	plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!plain) {
		abort(); // the C locale is built in: only memory can be missing
	}
}

static bool text_to_double(const char *text, double *out) {
	char *end;
	pthread_once(&plain_once, make_plain);
	double value = strtod_l(text, &end, plain);
	if (*end || end == text || !isfinite(value)) {
		return false;
	}
	*out = value;
	return true;
}

bool str_to_double(struct str s, double *out) {
	for (size_t i = 0; i < s.len; i++) {
		if (!s.at[i] || !strchr("0123456789+-.eE", s.at[i])) {
			return false;
		}
	}
	char small[64];
	if (s.len >= sizeof(small)) { // no limit: a file may write 1000 digits
		char *copy = xstrndup(s.at, s.len);
		bool ok = text_to_double(copy, out);
		free(copy);
		return ok;
	}
	if (s.len) {
		memcpy(small, s.at, s.len);
	}
	small[s.len] = '\0';
	return text_to_double(small, out);
}

bool str_is_utf8(struct str s) {
	const unsigned char *p = (const unsigned char *)s.at;
	if (!s.len) {
		return true;
	}
	const unsigned char *end = p + s.len;
	while (p < end) {
		uint64_t eight; // most text is ASCII: eight bytes at a time
		if (end - p >= 8 && (memcpy(&eight, p, 8), !(eight & 0x8080808080808080u))) {
			p += 8;
			continue;
		}
		if (*p < 0x80) {
			p++;
			continue;
		}
		size_t more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : 1;
		if (*p < 0xc2 || *p > 0xf4 || (size_t)(end - p) <= more) {
			return false;
		}
		unsigned char low = 0x80, high = 0xbf; // RFC 3629 §4 narrows the second byte
		switch (*p) {
		case 0xe0:
			low = 0xa0;
			break;
		case 0xed:
			high = 0x9f;
			break;
		case 0xf0:
			low = 0x90;
			break;
		case 0xf4:
			high = 0x8f;
			break;
		default:
			break;
		}
		if (p[1] < low || p[1] > high) {
			return false;
		}
		for (size_t i = 2; i <= more; i++) {
			if (p[i] < 0x80 || p[i] > 0xbf) {
				return false;
			}
		}
		p += more + 1;
	}
	return true;
}

bool str_glob(struct str pattern, struct str s) {
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;
	while (i < s.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pattern.len && (pattern.at[p] == '?' || pattern.at[p] == s.at[i])) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*') {
		p++;
	}
	return p == pattern.len;
}

size_t str_distance(struct str a, struct str b) {
	size_t row[65];
	if (a.len > 64 || b.len > 64) {
		return SIZE_MAX;
	}
	for (size_t j = 0; j <= b.len; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = diagonal + (a.at[i - 1] != b.at[j - 1]);
			diagonal = row[j];
			best = best < row[j] + 1 ? best : row[j] + 1;
			row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
		}
	}
	return row[b.len];
}

uint64_t str_hash(struct str s) {
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < s.len; i++) {
		hash = (hash ^ (unsigned char)s.at[i]) * 0x100000001b3u;
	}
	return hash;
}
