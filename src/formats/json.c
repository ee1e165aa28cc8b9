// SPDX-License-Identifier: Apache-2.0
// Reading JSON (RFC 8259) in one pass; writing is in json_writer.c. Children are gathered on a
// stack shared by all nesting levels and copied to the arena once their number is known, so a
// message costs one allocation per object or array and none per string without escapes.
#include "formats/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "formats/utf8.h"

#define SMALL_OBJECT 16	    // up to here comparing keys is faster than hashing them
#define STACK_AT_ONCE 48    // members that fit before the stack moves to the heap
#define DEEPEST_ALLOWED 512 // whatever the caller asks: the C stack is finite

struct reader {
	struct arena *arena;
	const char *begin;
	const char *at;
	const char *end;
	struct err *err;
	int depth_left;
	int max_depth;
	struct member *stack;
	size_t used;
	size_t cap;
	struct member first_stack[STACK_AT_ONCE];
};

// Values hold values: the one function declared before its definition.
static bool read_value(struct reader *reader, struct value *out);

// Says what is wrong at a place; the place is counted only now, when somebody will read it.
_printf_(3, 4) static bool fail(struct reader *reader, const char *at, const char *format, ...) {
	unsigned line = 1, column = 1;
	for (const char *p = reader->begin; p < at; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			column++;
		}
	}
	char what[200];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args); // cut is fine
	va_end(args);
	return err_set(reader->err, ERR_PARSE, "%u:%u: %s", line, column, what);
}

// What stands at a place, for a message.
static const char *found(const struct reader *reader, const char *at, char text[32]) {
	if (at >= reader->end) {
		return "the end of the text";
	}
	unsigned char c = (unsigned char)*at;
	if (c > 0x20 && c < 0x7f) {
		(void)snprintf(text, 32, "'%c'", c);
	} else {
		(void)snprintf(text, 32, c == '\n' ? "the end of the line" : "byte 0x%02x", c);
	}
	return text;
}

static bool fail_expected(struct reader *reader, const char *expected) {
	char text[32];
	return fail(reader, reader->at, "expected %s, found %s", expected,
		found(reader, reader->at, text));
}

static void skip_blank(struct reader *reader) {
	while (reader->at < reader->end &&
		(*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' ||
			*reader->at == '\r')) {
		reader->at++;
	}
}

static struct member *push(struct reader *reader) {
	if (reader->used == reader->cap) {
		size_t cap = reader->cap * 2;
		bool on_heap = reader->stack != reader->first_stack;
		struct member *stack = xreallocarray(
			on_heap ? reader->stack : NULL, cap, sizeof(*stack));
		if (!on_heap) {
			memcpy(stack, reader->first_stack, sizeof(reader->first_stack));
		}
		reader->stack = stack;
		reader->cap = cap;
	}
	struct member *member = &reader->stack[reader->used++];
	memset(member, 0, sizeof(*member));
	return member;
}

static bool read_hex4(struct reader *reader, uint32_t *out) {
	uint32_t value = 0;
	for (int i = 0; i < 4; i++, reader->at++) {
		char c = reader->at < reader->end ? *reader->at : '\0';
		uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
			: c >= 'a' && c <= 'f'	      ? (uint32_t)(c - 'a' + 10)
			: c >= 'A' && c <= 'F'	      ? (uint32_t)(c - 'A' + 10)
						      : 16;
		if (digit == 16) {
			return fail_expected(reader, "four hexadecimal digits after \\u");
		}
		value = value << 4 | digit;
	}
	*out = value;
	return true;
}

// Behind "\u": one code unit or a pair of surrogates.
static bool read_code_point(struct reader *reader, char **to) {
	const char *start = reader->at - 2;
	uint32_t point, low;
	if (!read_hex4(reader, &point)) {
		return false;
	}
	if (point >= 0xdc00 && point <= 0xdfff) {
		return fail(reader, start, "a low surrogate without a high one before it");
	}
	if (point >= 0xd800 && point <= 0xdbff) {
		if (reader->end - reader->at < 2 || memcmp(reader->at, "\\u", 2) != 0) {
			return fail(reader, start, "a high surrogate without a low one after it");
		}
		reader->at += 2;
		if (!read_hex4(reader, &low)) {
			return false;
		}
		if (low < 0xdc00 || low > 0xdfff) {
			return fail(reader, start, "a high surrogate without a low one after it");
		}
		point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
	}
	*to = utf8_put(*to, point);
	return true;
}

static bool read_escape(struct reader *reader, char **to) {
	reader->at++;
	char c = reader->at < reader->end ? *reader->at : '\0';
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *name = c ? strchr(names, c) : NULL;
	if (name) {
		reader->at++;
		*(*to)++ = bytes[name - names];
		return true;
	}
	if (c != 'u') {
		return fail_expected(reader, "one of \" \\ / b f n r t u after \\");
	}
	reader->at++;
	return read_code_point(reader, to);
}

static bool is_plain(char c) {
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

// The rest of a string whose first escape is at reader->at; decoding never lengthens the text.
static bool read_escaped(struct reader *reader, const char *start, struct str *out) {
	const char *close = reader->at;
	while (close < reader->end && *close != '"') {
		close += *close == '\\' && reader->end - close > 1 ? 2 : 1;
	}
	char *copy = arena_alloc(reader->arena, (size_t)(close - start) + 1);
	char *to = copy;
	memcpy(to, start, (size_t)(reader->at - start));
	to += reader->at - start;
	while (reader->at < reader->end && *reader->at != '"') {
		if (*reader->at == '\\') {
			if (!read_escape(reader, &to)) {
				return false;
			}
		} else if (is_plain(*reader->at)) {
			*to++ = *reader->at++;
		} else {
			return true; // the caller reports it
		}
	}
	*out = str_range(copy, (size_t)(to - copy));
	return true;
}

// How many bytes from `at` on are plain ASCII, in words of eight: none below 0x20, no quote, no
// backslash, no high bit. (x - 0x01…) & ~x has a high bit where a byte of x is zero.
static size_t skip_plain_words(const char *at, const char *end) {
	static const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
	const char *start = at;
	for (; end - at >= 8; at += 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
		uint64_t found = word | ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
			((backslash - ones) & ~backslash);
		if (found & highs) {
			break;
		}
	}
	return (size_t)(at - start);
}

// At the opening quote.
static bool read_string(struct reader *reader, struct str *out) {
	const char *open = reader->at++, *start = reader->at;
	unsigned char all = 0;
	reader->at += skip_plain_words(reader->at, reader->end);
	while (reader->at < reader->end && is_plain(*reader->at)) {
		all |= (unsigned char)*reader->at++;
	}
	*out = str_range(start, (size_t)(reader->at - start));
	if (reader->at < reader->end && *reader->at == '\\') {
		all = 0x80;
		if (!read_escaped(reader, start, out)) {
			return false;
		}
	}
	if (reader->at >= reader->end) {
		return fail(reader, open, "this string is not closed before the end of the text");
	}
	if (*reader->at != '"') {
		return fail(reader, reader->at,
			"control character 0x%02x in a string; write it as \\u%04x",
			(unsigned char)*reader->at, (unsigned char)*reader->at);
	}
	if (all >= 0x80 && !str_is_utf8(*out)) {
		return fail(reader, open, "this string is not UTF-8");
	}
	reader->at++;
	return true;
}

static size_t skip_digits(struct reader *reader) {
	const char *start = reader->at;
	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
		reader->at++;
	}
	return (size_t)(reader->at - start);
}

static bool read_number(struct reader *reader, struct value *out) {
	const char *start = reader->at;
	bool is_integer = true;
	reader->at += *reader->at == '-';
	bool zero = reader->at < reader->end && *reader->at == '0';
	size_t digits = skip_digits(reader);
	if (!digits) {
		return fail_expected(reader, "a digit");
	}
	if (zero && digits > 1) {
		return fail(reader, start, "a number may not begin with 0");
	}
	if (reader->at < reader->end && *reader->at == '.') {
		is_integer = false;
		reader->at++;
		if (!skip_digits(reader)) {
			return fail_expected(reader, "a digit after the decimal point");
		}
	}
	if (reader->at < reader->end && (*reader->at == 'e' || *reader->at == 'E')) {
		is_integer = false;
		reader->at++;
		reader->at += reader->at < reader->end &&
			(*reader->at == '+' || *reader->at == '-');
		if (!skip_digits(reader)) {
			return fail_expected(reader, "a digit in the exponent");
		}
	}
	struct str text = str_range(start, (size_t)(reader->at - start));
	if (is_integer && str_to_int64(text, &out->integer)) {
		out->type = VALUE_INT;
		return true;
	}
	out->type = VALUE_DOUBLE;
	return str_to_double(text, &out->number) || fail(reader, start, "this number is too large");
}

static bool read_word(struct reader *reader, struct value *out) {
	static const struct {
		struct str word;
		struct value value;
	} words[] = {{STR_INIT("true"), {.type = VALUE_BOOL, .boolean = true}},
		{STR_INIT("false"), {.type = VALUE_BOOL, .boolean = false}},
		{STR_INIT("null"), {.type = VALUE_NULL}}};
	struct str rest = str_range(reader->at, (size_t)(reader->end - reader->at));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (str_starts(rest, words[i].word)) {
			reader->at += words[i].word.len;
			*out = words[i].value;
			return true;
		}
	}
	return fail_expected(reader, "a value");
}

// Notes the newest key of an object; false when it was there before.
static bool add_key(struct reader *reader, size_t base, struct map *keys) {
	const struct member *members = reader->stack + base;
	size_t n = reader->used - base;
	struct str key = members[n - 1].key;
	if (n <= SMALL_OBJECT) {
		for (size_t i = 0; i + 1 < n; i++) {
			if (str_equal(members[i].key, key)) {
				return false;
			}
		}
		return true;
	}
	for (size_t i = map_count(keys); i + 1 < n; i++) {
		(void)map_put(keys, members[i].key, reader);
	}
	return !map_put(keys, key, reader);
}

static bool read_member(struct reader *reader, size_t base, struct map *keys) {
	if (reader->at >= reader->end || *reader->at != '"') {
		return fail_expected(reader, "a key in double quotes");
	}
	const char *key_at = reader->at;
	struct str key;
	if (!read_string(reader, &key)) {
		return false;
	}
	push(reader)->key = key;
	if (!add_key(reader, base, keys)) {
		return fail(reader, key_at, "the key \"%.64s\" is given twice",
			arena_copy(reader->arena, key));
	}
	skip_blank(reader);
	if (reader->at >= reader->end || *reader->at != ':') {
		return fail_expected(reader, "':' after the key");
	}
	reader->at++;
	size_t index = reader->used - 1; // the stack may move
	struct value value = {0};
	if (!read_value(reader, &value)) {
		return false;
	}
	reader->stack[index].value = value;
	return true;
}

static bool read_members(struct reader *reader, size_t base, struct map *keys) {
	for (;;) {
		skip_blank(reader);
		if (!read_member(reader, base, keys)) {
			return false;
		}
		skip_blank(reader);
		if (reader->at < reader->end && *reader->at == '}') {
			reader->at++;
			return true;
		}
		if (reader->at >= reader->end || *reader->at != ',') {
			return fail_expected(reader, "',' or '}' after a member");
		}
		reader->at++;
	}
}

// Behind '{'.
static bool read_object(struct reader *reader, struct value *out) {
	size_t base = reader->used;
	skip_blank(reader);
	out->type = VALUE_TABLE;
	if (reader->at < reader->end && *reader->at == '}') {
		reader->at++;
		return true;
	}
	struct map keys = MAP_INIT;
	bool ok = read_members(reader, base, &keys);
	map_finish(&keys);
	if (ok) {
		out->table.n = reader->used - base;
		out->table.members = arena_array(
			reader->arena, out->table.n, sizeof(struct member));
		memcpy(out->table.members, reader->stack + base,
			out->table.n * sizeof(struct member));
	}
	reader->used = base;
	return ok;
}

// Behind '['.
static bool read_array(struct reader *reader, struct value *out) {
	size_t base = reader->used;
	skip_blank(reader);
	out->type = VALUE_ARRAY;
	if (reader->at < reader->end && *reader->at == ']') {
		reader->at++;
		return true;
	}
	for (;;) {
		struct value item = {0};
		if (!read_value(reader, &item)) {
			return false;
		}
		push(reader)->value = item;
		skip_blank(reader);
		if (reader->at < reader->end && *reader->at == ']') {
			break;
		}
		if (reader->at >= reader->end || *reader->at != ',') {
			return fail_expected(reader, "',' or ']' after an item");
		}
		reader->at++;
	}
	reader->at++;
	out->array.n = reader->used - base;
	out->array.items = arena_array(reader->arena, out->array.n, sizeof(struct value));
	for (size_t i = 0; i < out->array.n; i++) {
		out->array.items[i] = reader->stack[base + i].value;
	}
	reader->used = base;
	return true;
}

static bool read_nested(struct reader *reader, struct value *out) {
	if (reader->depth_left == 0) {
		return fail(reader, reader->at, "nested deeper than %d levels", reader->max_depth);
	}
	reader->depth_left--;
	bool is_object = *reader->at++ == '{';
	bool ok = is_object ? read_object(reader, out) : read_array(reader, out);
	reader->depth_left++;
	return ok;
}

static bool read_value(struct reader *reader, struct value *out) {
	skip_blank(reader);
	if (reader->at >= reader->end) {
		return fail_expected(reader, "a value");
	}
	char c = *reader->at;
	if (c == '"') {
		out->type = VALUE_STRING;
		return read_string(reader, &out->string);
	}
	if (c == '{' || c == '[') {
		return read_nested(reader, out);
	}
	return c == '-' || (c >= '0' && c <= '9') ? read_number(reader, out)
						  : read_word(reader, out);
}

const struct value *json_parse(
	struct arena *arena, struct str text, int max_depth, struct err *err) {
	struct reader reader;
	reader.arena = arena; // one by one: clearing first_stack would cost more than a ping
	reader.begin = reader.at = text.at ? text.at : "";
	reader.end = reader.begin + text.len;
	reader.err = err;
	reader.max_depth = max_depth < DEEPEST_ALLOWED ? max_depth : DEEPEST_ALLOWED;
	reader.depth_left = reader.max_depth > 0 ? reader.max_depth : 0;
	reader.stack = reader.first_stack;
	reader.used = 0;
	reader.cap = STACK_AT_ONCE;
	struct value *root = ARENA_NEW(arena, struct value);
	bool ok = read_value(&reader, root);
	if (ok) {
		skip_blank(&reader);
		ok = reader.at == reader.end || fail_expected(&reader, "nothing after the value");
	}
	if (reader.stack != reader.first_stack) {
		free(reader.stack);
	}
	return ok ? root : NULL;
}
