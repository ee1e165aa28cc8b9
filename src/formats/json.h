// SPDX-License-Identifier: Apache-2.0
// JSON (RFC 8259), strict: UTF-8 only, no duplicate keys, no trailing bytes, integers exact in 64
// bits (others become doubles; too large for a double is an error), bounded depth.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "formats/value.h"

#define JSON_DEPTH 64

// Parses a whole text into the arena; strings without escapes borrow from `text`, which must then
// live as long as the value. NULL with *err ("line:column: what") when it is not JSON.
_must_use_ const struct value *json_parse(
	struct arena *arena, struct str text, int max_depth, struct err *err);

// Appends a value as compact JSON; VALUE_TIME as a string, non-finite numbers as null.
void json_format(struct buf *out, const struct value *value);

// Writing by hand: commas and nesting are kept by the writer. Misuse is a bug (assert).
struct json_writer {
	struct buf *out; // borrowed
	uint32_t depth;
	uint64_t has_items; // bit per depth
	bool after_key;
};

void json_writer_init(struct json_writer *writer, struct buf *out);
void json_begin_object(struct json_writer *writer);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key);
void json_key_str(struct json_writer *writer, struct str key);
void json_null(struct json_writer *writer);
void json_bool(struct json_writer *writer, bool value);
void json_int(struct json_writer *writer, int64_t value);
void json_uint(struct json_writer *writer, uint64_t value);
// Non-finite: null.
void json_double(struct json_writer *writer, double value);
// Bytes that are not UTF-8 are replaced by U+FFFD.
void json_str(struct json_writer *writer, struct str value);
// NULL gives null.
void json_text(struct json_writer *writer, const char *value);
void json_value(struct json_writer *writer, const struct value *value);
// Text that is JSON already.
void json_raw(struct json_writer *writer, struct str json);
// Members in one line: json_member_int(w, "id", 7).
static inline void json_member_int(struct json_writer *w, const char *key, int64_t value) {
	json_key(w, key);
	json_int(w, value);
}
static inline void json_member_uint(struct json_writer *w, const char *key, uint64_t value) {
	json_key(w, key);
	json_uint(w, value);
}
static inline void json_member_double(struct json_writer *w, const char *key, double value) {
	json_key(w, key);
	json_double(w, value);
}
static inline void json_member_bool(struct json_writer *w, const char *key, bool value) {
	json_key(w, key);
	json_bool(w, value);
}
static inline void json_member_str(struct json_writer *w, const char *key, struct str value) {
	json_key(w, key);
	json_str(w, value);
}
static inline void json_member_text(struct json_writer *w, const char *key, const char *value) {
	json_key(w, key);
	json_text(w, value);
}
// A wall time as an RFC 3339 string.
void json_member_time(struct json_writer *w, const char *key, int64_t wall_ns);
