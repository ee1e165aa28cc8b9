// SPDX-License-Identifier: Apache-2.0
// Deep equality of filled structs. Only what the rows name is compared, never padding or what a
// check has compiled beside it, and never the place where a value stood.
#include "config/option_parts.h"

const struct option *option_name_row(const struct option *rows) {
	const struct option *row = option_find(rows, STR("name"));
	return row && row->type == OPTION_STRING ? row : NULL;
}

static bool strings_equal(const struct strings *a, const struct strings *b) {
	if (a->n != b->n) {
		return false;
	}
	for (size_t i = 0; i < a->n; i++) {
		if (!str_equal(a->items[i], b->items[i])) {
			return false;
		}
	}
	return true;
}

static bool lists_equal(
	const struct option *row, const struct item_list *a, const struct item_list *b) {
	if (a->n != b->n) {
		return false;
	}
	for (size_t i = 0; i < a->n; i++) {
		if (!option_equal(row->rows, (char *)a->items + i * row->item_size,
			    (char *)b->items + i * row->item_size)) {
			return false;
		}
	}
	return true;
}

static bool tagged_equal(const struct tagged *a, const struct tagged *b) {
	return a->variant == b->variant &&
		(!a->variant || option_equal(a->variant->rows, a->config, b->config));
}

static bool values_equal(const struct value *a, const struct value *b) {
	return a == b || (a && b && value_equal(a, b));
}

bool option_field_equal(const struct option *row, const void *a, const void *b) {
	switch (row->type) {
	case OPTION_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case OPTION_INT:
	case OPTION_DURATION:
	case OPTION_SIZE:
		return *(const int64_t *)a == *(const int64_t *)b;
	case OPTION_NUMBER: // by bits, so that nan stays what it is
		return memcmp(a, b, sizeof(double)) == 0;
	case OPTION_STRING:
		return str_equal(*(const struct str *)a, *(const struct str *)b);
	case OPTION_CHOICE:
		return *(const int *)a == *(const int *)b;
	case OPTION_STRINGS:
		return strings_equal(a, b);
	case OPTION_TABLE:
		return option_equal(row->rows, a, b);
	case OPTION_LIST:
		return lists_equal(row, a, b);
	case OPTION_TAGGED:
		return tagged_equal(a, b);
	case OPTION_VALUE:
		return values_equal(
			*(const struct value *const *)a, *(const struct value *const *)b);
	case OPTION_END:
		break;
	}
	return true;
}

bool option_equal(const struct option *rows, const void *a, const void *b) {
	for (const struct option *row = rows; row->type; row++) {
		if (!option_field_equal(
			    row, option_field_const(row, a), option_field_const(row, b))) {
			return false;
		}
	}
	return true;
}
