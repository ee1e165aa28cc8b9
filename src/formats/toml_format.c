// SPDX-License-Identifier: Apache-2.0
// Writing values as TOML 1.0.0: what toml_parse reads back equal. JSON's null, which TOML does
// not have, becomes an empty string.
#include "formats/toml.h"

#include <math.h>

#include "formats/toml_reader.h"

static void append_char(struct buf *out, unsigned char c) {
	static const char names[] = "\"\\bfnrt", bytes[] = "\"\\\b\f\n\r\t";
	const char *byte = c ? strchr(bytes, c) : NULL;
	if (byte) {
		buf_append_char(out, '\\');
		buf_append_char(out, names[byte - bytes]);
	} else if (c < 0x20 || c == 0x7f) {
		buf_appendf(out, "\\u%04X", c);
	} else {
		buf_append_char(out, (char)c);
	}
}

static void append_string(struct buf *out, struct str text) {
	buf_append_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		append_char(out, (unsigned char)text.at[i]);
	}
	buf_append_char(out, '"');
}

// A float that looks like an integer gets ".0", so it stays a float.
static void append_double(struct buf *out, double value) {
	if (isnan(value)) {
		buf_append_text(out, "nan");
	} else if (isinf(value)) {
		buf_append_text(out, value < 0 ? "-inf" : "inf");
	} else {
		size_t start = out->len;
		buf_append_double(out, value);
		struct str text = str_skip(buf_str(out), start);
		if (str_find_char(text, '.') < 0 && str_find_char(text, 'e') < 0) {
			buf_append_text(out, ".0");
		}
	}
}

void toml_format_key(struct buf *out, struct str key) {
	bool is_bare = key.len > 0;
	for (size_t i = 0; i < key.len; i++) {
		is_bare = is_bare && toml_is_bare(key.at[i]);
	}
	if (is_bare) {
		buf_append_str(out, key);
	} else {
		append_string(out, key);
	}
}

static void append_array(struct buf *out, const struct value *value) {
	buf_append_char(out, '[');
	for (size_t i = 0; i < value->array.n; i++) {
		buf_append_text(out, i ? ", " : "");
		toml_format(out, &value->array.items[i]);
	}
	buf_append_char(out, ']');
}

static void append_table(struct buf *out, const struct value *value) {
	buf_append_char(out, '{');
	for (size_t i = 0; i < value->table.n; i++) {
		buf_append_text(out, i ? ", " : " ");
		toml_format_key(out, value->table.members[i].key);
		buf_append_text(out, " = ");
		toml_format(out, &value->table.members[i].value);
	}
	buf_append_text(out, value->table.n ? " }" : "}");
}

void toml_format(struct buf *out, const struct value *value) {
	switch (value->type) {
	case VALUE_NULL:
		buf_append_text(out, "\"\"");
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
		append_string(out, value->string);
		break;
	case VALUE_TIME:
		buf_append_str(out, value->string);
		break;
	case VALUE_ARRAY:
		append_array(out, value);
		break;
	case VALUE_TABLE:
		append_table(out, value);
		break;
	}
}
