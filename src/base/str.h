// SPDX-License-Identifier: Apache-2.0
// Borrowed text: a pointer and a length, not NUL-terminated, never owning what it points to.
// The empty str is {NULL or any pointer, 0}. All functions are pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

struct str {
	const char *at;
	size_t len;
};

// STR("literal") as an expression, STR_INIT("literal") in a static initialiser.
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal) \
	{ "" literal, sizeof(literal) - 1 }
// printf("%" STR_FMT, STR_ARG(s))
#define STR_FMT ".*s"
#define STR_ARG(s) (int)(s).len, (s).at

// The text of a C string; NULL gives the empty str.
static inline struct str str_from(const char *text) {
	return (struct str){text, text ? strlen(text) : 0};
}
static inline struct str str_range(const char *at, size_t len) {
	return (struct str){at, len};
}
static inline bool str_is_empty(struct str s) {
	return s.len == 0;
}
static inline bool str_equal(struct str a, struct str b) {
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
static inline bool str_is(struct str a, const char *text) {
	return str_equal(a, str_from(text));
}
// memcmp order, the shorter first when one is a prefix of the other.
int str_compare(struct str a, struct str b);
bool str_equal_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
// Index of the first c, or -1.
ptrdiff_t str_find_char(struct str s, char c);
// Index of the first occurrence of needle, or -1; an empty needle is found at 0.
ptrdiff_t str_find(struct str s, struct str needle);
// The part from index `from` on / of at most `len` bytes; out-of-range values are clamped.
struct str str_skip(struct str s, size_t from);
struct str str_head(struct str s, size_t len);
// Without leading and trailing space, tab, CR and LF.
struct str str_trim(struct str s);
// Cuts the next part up to separator off *rest into *out; false when *rest was used up.
// "a,,b" gives "a", "", "b"; the empty text gives one empty part. Begin with rest = the text;
// after the last part rest->at is NULL.
bool str_split(struct str *rest, char separator, struct str *out);
// Cuts the next run of non-blank characters (blank: space, tab, CR, LF); false at the end.
bool str_word(struct str *rest, struct str *out);

// Whole-text conversions: false on empty text, trailing bytes or overflow; *out untouched then.
_must_use_ bool str_to_int64(struct str s, int64_t *out);
_must_use_ bool str_to_uint64(struct str s, uint64_t *out);
// Finite decimal numbers only ("1.5", "-2e3"); locale-independent.
_must_use_ bool str_to_double(struct str s, double *out);

// Well-formed UTF-8 as in RFC 3629: no surrogates, no overlong forms, at most U+10FFFF.
bool str_is_utf8(struct str s);

// A shell-like pattern: * any run (also empty, also across dots), ? one byte, all else literal.
// Linear time per star (no exponential back-tracking).
bool str_glob(struct str pattern, struct str s);

// Edit distance (Levenshtein) for "did you mean"; both at most 64 bytes, else SIZE_MAX.
size_t str_distance(struct str a, struct str b);

// FNV-1a, 64 bits: for hash tables and change detection, not for anything hostile.
uint64_t str_hash(struct str s);
