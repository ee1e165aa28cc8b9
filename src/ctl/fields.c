// SPDX-License-Identifier: Apache-2.0
// Tolerant reading of results; see fields.h.
#include "ctl/fields.h"

#include "base/clock.h"
#include "formats/json.h"

struct str field_str(const struct value *table, const char *key) {
	const struct value *value = value_get(table, str_from(key));
	return value && value->type == VALUE_STRING ? value->string : STR("");
}

int64_t field_int(const struct value *table, const char *key, int64_t fallback) {
	const struct value *value = value_get(table, str_from(key));
	if (value && value->type == VALUE_DOUBLE && value->number > -9e18 && value->number < 9e18) {
		return (int64_t)value->number;
	}
	return value && value->type == VALUE_INT ? value->integer : fallback;
}

double field_double(const struct value *table, const char *key, double fallback) {
	const struct value *value = value_get(table, str_from(key));
	double number = fallback;
	return value && value_to_double(value, &number) ? number : fallback;
}

bool field_bool(const struct value *table, const char *key) {
	const struct value *value = value_get(table, str_from(key));
	return value && value->type == VALUE_BOOL && value->boolean;
}

int64_t field_time(const struct value *table, const char *key) {
	int64_t ns = 0;
	return time_parse(field_str(table, key), &ns) ? ns : 0;
}

size_t field_count(const struct value *array) {
	return array && array->type == VALUE_ARRAY ? array->array.n : 0;
}

const struct value *field_item(const struct value *array, size_t i) {
	return i < field_count(array) ? &array->array.items[i] : NULL;
}

void field_format(struct buf *out, const struct value *value) {
	if (!value || value->type == VALUE_NULL) {
		buf_append_char(out, '-');
	} else if (value->type == VALUE_STRING) {
		buf_append_str(out, value->string);
	} else {
		json_format(out, value);
	}
}
