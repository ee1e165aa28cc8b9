// SPDX-License-Identifier: Apache-2.0
// Sizes in bytes as people write them: KiB, MiB, GiB, TiB (powers of 1024), kB, MB, GB, TB
// (powers of 1000), B or nothing. What size_format writes, size_parse reads back exactly.
#include "config/option.h"

#include <math.h>

struct unit {
	const char *name;
	int64_t bytes;
};

// From the largest down: the first that divides a size gives its shortest text.
static const struct unit units[] = {
	{"TiB", INT64_C(1) << 40},
	{"TB", INT64_C(1000000000000)},
	{"GiB", INT64_C(1) << 30},
	{"GB", INT64_C(1000000000)},
	{"MiB", INT64_C(1) << 20},
	{"MB", INT64_C(1000000)},
	{"KiB", INT64_C(1) << 10},
	{"kB", INT64_C(1000)},
	{"KB", INT64_C(1000)},
	{"B", 1},
};

static bool scale(struct str number, int64_t unit, int64_t *out_bytes) {
	int64_t whole;
	if (str_to_int64(number, &whole)) {
		int64_t bytes;
		if (whole < 0 || __builtin_mul_overflow(whole, unit, &bytes)) {
			return false;
		}
		*out_bytes = bytes;
		return true;
	}
	double fraction;
	if (unit == 1 || !str_to_double(number, &fraction) || fraction < 0) {
		return false;
	}
	double bytes = fraction * (double)unit;
	if (bytes >= 0x1p63 || bytes != floor(bytes)) {
		return false;
	}
	*out_bytes = (int64_t)bytes;
	return true;
}

bool size_parse(struct str text, int64_t *out_bytes) {
	text = str_trim(text);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct str name = str_from(units[i].name);
		if (str_ends(text, name)) {
			struct str number = str_trim(str_head(text, text.len - name.len));
			return scale(number, units[i].bytes, out_bytes);
		}
	}
	return scale(text, 1, out_bytes);
}

void size_format(struct buf *out, int64_t bytes) {
	for (size_t i = 0; bytes > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (bytes % units[i].bytes == 0) {
			buf_append_int64(out, bytes / units[i].bytes);
			buf_append_text(out, units[i].name);
			return;
		}
	}
	buf_append_int64(out, bytes);
	buf_append_text(out, "B");
}
