// SPDX-License-Identifier: Apache-2.0
// Looking things up in a parsed value; see value.h. Nothing here changes a value, so a tree may
// be read from several threads.
#include "formats/value.h"

#include <math.h>

const struct member *value_find_member(const struct value *table, struct str key) {
	if (!table || table->type != VALUE_TABLE) {
		return NULL;
	}
	for (size_t i = 0; i < table->table.n; i++) {
		if (str_equal(table->table.members[i].key, key)) {
			return &table->table.members[i];
		}
	}
	return NULL;
}

const struct value *value_get(const struct value *table, struct str key) {
	const struct member *member = value_find_member(table, key);
	return member ? &member->value : NULL;
}

const char *value_type_name(enum value_type type) {
	switch (type) {
	case VALUE_NULL:
		return "null";
	case VALUE_BOOL:
		return "a boolean";
	case VALUE_INT:
		return "an integer";
	case VALUE_DOUBLE:
		return "a number";
	case VALUE_STRING:
		return "a string";
	case VALUE_TIME:
		return "a date or time";
	case VALUE_ARRAY:
		return "an array";
	case VALUE_TABLE:
		return "a table";
	}
	return "an unknown type";
}

bool value_to_double(const struct value *value, double *out) {
	if (!value || (value->type != VALUE_INT && value->type != VALUE_DOUBLE)) {
		return false;
	}
	*out = value->type == VALUE_INT ? (double)value->integer : value->number;
	return true;
}

// Exact: beyond 2^53 a double cannot be told from its neighbours by converting the integer.
static bool int_equals_double(int64_t integer, double number) {
	return number >= -0x1p63 && number < 0x1p63 && (double)(int64_t)number == number &&
		(int64_t)number == integer;
}

static bool arrays_equal(const struct value *a, const struct value *b) {
	if (a->array.n != b->array.n) {
		return false;
	}
	for (size_t i = 0; i < a->array.n; i++) {
		if (!value_equal(&a->array.items[i], &b->array.items[i])) {
			return false;
		}
	}
	return true;
}

static bool tables_equal(const struct value *a, const struct value *b) {
	if (a->table.n != b->table.n) {
		return false;
	}
	for (size_t i = 0; i < a->table.n; i++) {
		const struct member *ours = &a->table.members[i];
		const struct member *theirs = &b->table.members[i]; // most often in the same order
		if (!str_equal(ours->key, theirs->key)) {
			theirs = value_find_member(b, ours->key);
		}
		if (!theirs || !value_equal(&ours->value, &theirs->value)) {
			return false;
		}
	}
	return true;
}

bool value_equal(const struct value *a, const struct value *b) {
	if (a->type == VALUE_INT && b->type == VALUE_DOUBLE) {
		return int_equals_double(a->integer, b->number);
	}
	if (a->type == VALUE_DOUBLE && b->type == VALUE_INT) {
		return int_equals_double(b->integer, a->number);
	}
	if (a->type != b->type) {
		return false;
	}
	switch (a->type) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_INT:
		return a->integer == b->integer;
	case VALUE_DOUBLE: // a setting that stays nan has not changed
		return a->number == b->number || (isnan(a->number) && isnan(b->number));
	case VALUE_STRING:
	case VALUE_TIME:
		return str_equal(a->string, b->string);
	case VALUE_ARRAY:
		return arrays_equal(a, b);
	case VALUE_TABLE:
		return tables_equal(a, b);
	}
	return false;
}

struct value value_copy(struct arena *arena, const struct value *value) {
	struct value copy = *value;
	switch (value->type) {
	case VALUE_STRING:
	case VALUE_TIME:
		copy.string = arena_copy_str(arena, value->string);
		break;
	case VALUE_ARRAY:
		copy.array.items = arena_array(arena, value->array.n, sizeof(struct value));
		for (size_t i = 0; i < value->array.n; i++) {
			copy.array.items[i] = value_copy(arena, &value->array.items[i]);
		}
		break;
	case VALUE_TABLE:
		copy.table.members = arena_array(arena, value->table.n, sizeof(struct member));
		for (size_t i = 0; i < value->table.n; i++) {
			const struct member *from = &value->table.members[i];
			copy.table.members[i] = (struct member){arena_copy_str(arena, from->key),
				from->place, value_copy(arena, &from->value)};
		}
		break;
	default:
		break;
	}
	return copy;
}
