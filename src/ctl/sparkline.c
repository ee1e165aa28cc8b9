// SPDX-License-Identifier: Apache-2.0
// Bars of an eighth of a line each; see sparkline.h.
#include "ctl/sparkline.h"

#include "ctl/fields.h"

static bool number_of(const struct value *value, double *out) {
	*out = value->type == VALUE_INT	      ? (double)value->integer
		: value->type == VALUE_DOUBLE ? value->number
					      : -1;
	return *out >= 0;
}

void sparkline_append(
	struct buf *out, const struct value *values, size_t columns, double full, bool is_utf8) {
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const plain[] = {"_", ".", "-", "=", "+", "*", "#", "@"};
	size_t n = field_count(values);
	size_t from = n > columns ? n - columns : 0;
	double number, most = full;
	for (size_t i = from; i < n; i++) {
		if (number_of(field_item(values, i), &number) && number > most) {
			most = number;
		}
	}
	for (size_t i = n - from; i < columns; i++) {
		buf_append_char(out, ' ');
	}
	for (size_t i = from; i < n; i++) {
		if (!number_of(field_item(values, i), &number)) {
			buf_append_char(out, ' ');
			continue;
		}
		size_t height = most > 0 ? (size_t)(number / most * 7 + 0.5) : 0;
		buf_append_text(out, (is_utf8 ? bars : plain)[height < 8 ? height : 7]);
	}
}
