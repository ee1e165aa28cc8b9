// SPDX-License-Identifier: Apache-2.0
// Writing JSON (RFC 8259). Whatever is given, what comes out is valid JSON: bytes that are not
// UTF-8 become U+FFFD, numbers that JSON does not have become null.
#include "formats/json.h"

#include <assert.h>
#include <endian.h>
#include <math.h>

#include "base/clock.h"

// Length of the well-formed UTF-8 sequence at the front, 0 if there is none.
static size_t sequence_len(struct str s) {
	unsigned char c = (unsigned char)s.at[0];
	size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	return len <= s.len && str_is_utf8(str_head(s, len)) ? len : 0;
}

// Bit 7 of every byte that is `c`, and perhaps of some behind the first.
static uint64_t find_byte(uint64_t word, unsigned char c) {
	uint64_t other = word ^ (0x0101010101010101u * c);
	return (other - 0x0101010101010101u) & ~other;
}

// How many of the 8 bytes from `at` on stand in a string as they are, at least: a borrow may spoil a
// byte behind the first that does not, never one before.
static unsigned plain_of_8(const char *at) {
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	word = le64toh(word);
	uint64_t special = (word | (word - 0x2020202020202020u) | find_byte(word, '"') |
				   find_byte(word, '\\')) &
		0x8080808080808080u;
	return special ? (unsigned)__builtin_ctzll(special) / 8 : 8;
}

static bool is_plain(char c) {
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

// Appends what stands as it is, or with a backslash before it; returns how many bytes of s that was.
static size_t append_simple(struct buf *out, struct str s) {
	static const char names[256] = {['"'] = '"',
		['\\'] = '\\',
		['\b'] = 'b',
		['\f'] = 'f',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't'};
	const char *at = s.at, *end = s.at + s.len;
	char *start = buf_reserve(out, 2 * s.len + 8), *to = start;
	while (at < end) {
		unsigned plain;
		if (end - at >= 8) {
			plain = plain_of_8(at);
			memcpy(to, at, 8); // what is too much is written over
		} else {
			plain = is_plain(*at);
			*to = *at;
		}
		at += plain;
		to += plain;
		if (!plain) {
			char name = names[(unsigned char)*at];
			if (!name) {
				break;
			}
			*to++ = '\\';
			*to++ = name;
			at++;
		}
	}
	out->len += (size_t)(to - start);
	return (size_t)(at - s.at);
}

// Appends the first character, which is not ASCII or has no short escape; returns how many bytes it was.
static size_t append_other(struct buf *out, struct str s) {
	unsigned char c = (unsigned char)s.at[0];
	if (c >= 0x80) {
		size_t len = sequence_len(s);
		buf_append_str(out, len ? str_head(s, len) : STR("\xef\xbf\xbd"));
		return len ? len : 1;
	}
	buf_appendf(out, "\\u%04x", c);
	return 1;
}

static void append_string(struct buf *out, struct str s) {
	buf_append_char(out, '"');
	while (s.len) {
		size_t n = append_simple(out, str_head(s, 65536));
		n = n ? n : append_other(out, s);
		s = str_skip(s, n);
	}
	buf_append_char(out, '"');
}

static void append_double(struct buf *out, double value) {
	if (value == 0 && signbit(value)) {
		buf_append_text(out, "-0.0"); // "-0" would be read as the integer 0
	} else if (isfinite(value)) {
		buf_append_double(out, value);
	} else {
		buf_append_text(out, "null");
	}
}

static void format_array(struct buf *out, const struct value *value) {
	buf_append_char(out, '[');
	for (size_t i = 0; i < value->array.n; i++) {
		if (i) {
			buf_append_char(out, ',');
		}
		json_format(out, &value->array.items[i]);
	}
	buf_append_char(out, ']');
}

static void format_table(struct buf *out, const struct value *value) {
	buf_append_char(out, '{');
	for (size_t i = 0; i < value->table.n; i++) {
		if (i) {
			buf_append_char(out, ',');
		}
		append_string(out, value->table.members[i].key);
		buf_append_char(out, ':');
		json_format(out, &value->table.members[i].value);
	}
	buf_append_char(out, '}');
}

void json_format(struct buf *out, const struct value *value) {
	switch (value->type) {
	case VALUE_NULL:
		buf_append_text(out, "null");
		break;
	case VALUE_BOOL:
		buf_append_text(out, value->boolean ? "true" : "false");
		break;
	case VALUE_INT:
		buf_append_int64(out, value->integer);
		break;
	case VALUE_DOUBLE:
		append_double(out, value->number);
		break;
	case VALUE_STRING:
	case VALUE_TIME:
		append_string(out, value->string);
		break;
	case VALUE_ARRAY:
		format_array(out, value);
		break;
	case VALUE_TABLE:
		format_table(out, value);
		break;
	}
}

void json_writer_init(struct json_writer *writer, struct buf *out) {
	*writer = (struct json_writer){.out = out};
}

// The comma before an item, unless it is the first or follows its key.
static void begin_item(struct json_writer *writer) {
	uint64_t bit = UINT64_C(1) << writer->depth;
	if (!writer->after_key && writer->has_items & bit) {
		assert(writer->depth); // two values at the top are not JSON
		buf_append_char(writer->out, ',');
	}
	writer->has_items |= bit;
	writer->after_key = false;
}

static void begin_nested(struct json_writer *writer, char open) {
	begin_item(writer);
	assert(writer->depth < 63);
	writer->depth++;
	writer->has_items &= ~(UINT64_C(1) << writer->depth);
	buf_append_char(writer->out, open);
}

static void end_nested(struct json_writer *writer, char close) {
	assert(writer->depth && !writer->after_key);
	writer->depth--;
	buf_append_char(writer->out, close);
}

void json_begin_object(struct json_writer *writer) {
	begin_nested(writer, '{');
}

void json_end_object(struct json_writer *writer) {
	end_nested(writer, '}');
}

void json_begin_array(struct json_writer *writer) {
	begin_nested(writer, '[');
}

void json_end_array(struct json_writer *writer) {
	end_nested(writer, ']');
}

void json_key_str(struct json_writer *writer, struct str key) {
	assert(writer->depth && !writer->after_key);
	begin_item(writer);
	append_string(writer->out, key);
	buf_append_char(writer->out, ':');
	writer->after_key = true;
}

void json_key(struct json_writer *writer, const char *key) {
	json_key_str(writer, str_from(key));
}

void json_null(struct json_writer *writer) {
	json_raw(writer, STR("null"));
}

void json_bool(struct json_writer *writer, bool value) {
	json_raw(writer, value ? STR("true") : STR("false"));
}

void json_int(struct json_writer *writer, int64_t value) {
	begin_item(writer);
	buf_append_int64(writer->out, value);
}

void json_uint(struct json_writer *writer, uint64_t value) {
	begin_item(writer);
	buf_append_uint64(writer->out, value);
}

void json_double(struct json_writer *writer, double value) {
	begin_item(writer);
	append_double(writer->out, value);
}

void json_str(struct json_writer *writer, struct str value) {
	begin_item(writer);
	append_string(writer->out, value);
}

void json_text(struct json_writer *writer, const char *value) {
	if (value) {
		json_str(writer, str_from(value));
	} else {
		json_null(writer);
	}
}

void json_value(struct json_writer *writer, const struct value *value) {
	begin_item(writer);
	json_format(writer->out, value);
}

void json_raw(struct json_writer *writer, struct str json) {
	begin_item(writer);
	buf_append_str(writer->out, json);
}

void json_member_time(struct json_writer *w, const char *key, int64_t wall_ns) {
	json_key(w, key);
	begin_item(w);
	buf_append_char(w->out, '"');
	time_format(w->out, wall_ns);
	buf_append_char(w->out, '"');
}
