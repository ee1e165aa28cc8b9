// SPDX-License-Identifier: Apache-2.0
// A parsed value, the same for JSON and TOML: what readers produce, what option rows consume and
// what an event's attributes are. A tree in one arena, immutable once parsed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/problems.h"
#include "base/str.h"

enum value_type {
	VALUE_NULL, // JSON only
	VALUE_BOOL,
	VALUE_INT,
	VALUE_DOUBLE, // never NaN or infinite from JSON; TOML may give both
	VALUE_STRING, // valid UTF-8
	VALUE_TIME,   // TOML date-times only: the text as written, in `string`
	VALUE_ARRAY,
	VALUE_TABLE
};

struct value {
	enum value_type type;
	struct place place;
	union {
		bool boolean;
		int64_t integer;
		double number;
		struct str string;
		struct {
			struct value *items;
			size_t n;
		} array;
		struct {
			struct member *members; // in the order written; keys are unique
			size_t n;
		} table;
	};
};

struct member {
	struct str key;
	struct place place; // of the key
	struct value value;
};

// The value of a key, or NULL when there is none or `table` is NULL or not a table.
const struct value *value_get(const struct value *table, struct str key);
const struct member *value_find_member(const struct value *table, struct str key);
// "a string", "an integer", …: for messages.
const char *value_type_name(enum value_type type);
// INT or DOUBLE as double; false for anything else.
_must_use_ bool value_to_double(const struct value *value, double *out);
// Deep equality; 1 and 1.0 are equal, members in any order.
bool value_equal(const struct value *a, const struct value *b);
// A deep copy into the arena, strings included (places keep their file pointer).
struct value value_copy(struct arena *arena, const struct value *value);

// Makers for values built by hand.
static inline struct value value_of_string(struct str text) {
	return (struct value){.type = VALUE_STRING, .string = text};
}
static inline struct value value_of_int(int64_t integer) {
	return (struct value){.type = VALUE_INT, .integer = integer};
}
static inline struct value value_of_double(double number) {
	return (struct value){.type = VALUE_DOUBLE, .number = number};
}
static inline struct value value_of_bool(bool boolean) {
	return (struct value){.type = VALUE_BOOL, .boolean = boolean};
}
