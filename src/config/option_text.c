// SPDX-License-Identifier: Apache-2.0
// Filled structs and rows as text for people. Secrets pass through one function, which writes
// "(secret)" for every value that is there.
#include "config/option_parts.h"

#include <math.h>

#include "base/clock.h"
#include "formats/toml.h"

#define SECRET_TEXT "\"(secret)\""

void option_format_limit(const struct option *row, double limit, struct buf *out) {
	int64_t whole = limit >= 0x1p63 ? INT64_MAX : limit < -0x1p63 ? INT64_MIN : (int64_t)limit;
	switch (row->type) {
	case OPTION_DURATION:
		duration_format(out, whole);
		break;
	case OPTION_SIZE:
		size_format(out, whole);
		break;
	case OPTION_NUMBER:
		buf_append_double(out, limit);
		break;
	default:
		buf_append_int64(out, whole);
		break;
	}
}

void option_format_limits(const struct option *row, struct buf *out) {
	if (row->min == 0 && row->max == 0) {
		return;
	}
	bool has_max = row->max != 0 || row->min < 0;
	buf_append_text(out, has_max ? " from " : " at least ");
	option_format_limit(row, row->min, out);
	if (has_max) {
		buf_append_text(out, " to ");
		option_format_limit(row, row->max, out);
	}
	if (row->type == OPTION_STRING) {
		buf_append_text(out, " bytes");
	} else if (row->type == OPTION_STRINGS) {
		buf_append_text(out, " items");
	} else if (row->unit && (row->type == OPTION_INT || row->type == OPTION_NUMBER)) {
		buf_appendf(out, " %s", row->unit);
	}
}

void option_describe_type(const struct option *row, struct buf *out) {
	static const char *const texts[] = {
		[OPTION_BOOL] = "true or false",
		[OPTION_INT] = "an integer",
		[OPTION_NUMBER] = "a number",
		[OPTION_STRING] = "a string",
		[OPTION_DURATION] = "a duration like 90s or 5m",
		[OPTION_SIZE] = "a size like 512KiB or 64MiB",
		[OPTION_STRINGS] = "a string or a list of strings like [\"a\", \"b\"]",
		[OPTION_TABLE] = "a table",
		[OPTION_LIST] = "a list of tables",
		[OPTION_TAGGED] = "a table with a type",
		[OPTION_VALUE] = "a value",
	};
	if (row->type == OPTION_CHOICE) {
		buf_append_text(out, "one of");
		for (size_t i = 0; row->choices[i]; i++) {
			buf_appendf(out, "%s %s", i ? "," : "", row->choices[i]);
		}
		return;
	}
	buf_append_text(out, texts[row->type]);
	if (row->type == OPTION_STRING && row->is_secret) {
		buf_append_text(out, ", { file = \"...\" } or { credential = \"...\" }");
	}
	option_format_limits(row, out);
}

static bool is_set(const struct option *row, const void *field) {
	switch (row->type) {
	case OPTION_STRING:
		return ((const struct str *)field)->len > 0;
	case OPTION_STRINGS:
		return ((const struct strings *)field)->n > 0;
	case OPTION_LIST:
		return ((const struct item_list *)field)->n > 0;
	case OPTION_TAGGED:
		return ((const struct tagged *)field)->variant != NULL;
	case OPTION_VALUE:
		return *(const struct value *const *)field != NULL;
	default:
		return true;
	}
}

static void format_string(struct str text, struct buf *out) {
	struct value value = value_of_string(text);
	toml_format(out, &value);
}

static void format_strings(const struct strings *strings, struct buf *out) {
	buf_append_char(out, '[');
	for (size_t i = 0; i < strings->n; i++) {
		buf_append_text(out, i ? ", " : "");
		format_string(strings->items[i], out);
	}
	buf_append_char(out, ']');
}

// Declared ahead because tables hold tables.
static void format_members(struct option_reader *defaults, const struct option *rows,
	const void *config, bool *is_first, struct buf *out);

static void format_table(struct option_reader *defaults, const char *type,
	const struct option *rows, const void *config, struct buf *out) {
	bool is_first = true;
	buf_append_char(out, '{');
	if (type) {
		buf_appendf(out, " type = \"%s\"", type);
		is_first = false;
	}
	format_members(defaults, rows, config, &is_first, out);
	buf_append_text(out, is_first ? "}" : " }");
}

static void format_list(struct option_reader *defaults, const struct option *row,
	const struct item_list *list, struct buf *out) {
	buf_append_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		buf_append_text(out, i ? ", " : "");
		format_table(
			defaults, NULL, row->rows, (char *)list->items + i * row->item_size, out);
	}
	buf_append_char(out, ']');
}

static void format_field(struct option_reader *defaults, const struct option *row,
	const void *field, struct buf *out) {
	if (row->is_secret) {
		buf_append_text(out, is_set(row, field) ? SECRET_TEXT : "\"\"");
		return;
	}
	const struct tagged *tagged = field;
	switch (row->type) {
	case OPTION_BOOL:
		buf_append_text(out, *(const bool *)field ? "true" : "false");
		break;
	case OPTION_INT:
		buf_append_int64(out, *(const int64_t *)field);
		break;
	case OPTION_NUMBER: // "90" where toml_format would write "90.0"
		buf_append_double(out, *(const double *)field);
		break;
	case OPTION_STRING:
		format_string(*(const struct str *)field, out);
		break;
	case OPTION_DURATION:
		buf_append_char(out, '"');
		duration_format(out, *(const int64_t *)field);
		buf_append_char(out, '"');
		break;
	case OPTION_SIZE:
		buf_append_char(out, '"');
		size_format(out, *(const int64_t *)field);
		buf_append_char(out, '"');
		break;
	case OPTION_CHOICE:
		buf_appendf(out, "\"%s\"", row->choices[*(const int *)field]);
		break;
	case OPTION_STRINGS:
		format_strings(field, out);
		break;
	case OPTION_TABLE:
		format_table(defaults, NULL, row->rows, field, out);
		break;
	case OPTION_LIST:
		format_list(defaults, row, field, out);
		break;
	case OPTION_TAGGED:
		if (tagged->variant) {
			format_table(defaults, tagged->variant->name, tagged->variant->rows,
				tagged->config, out);
		}
		break;
	case OPTION_VALUE:
		if (is_set(row, field)) {
			toml_format(out, *(const struct value *const *)field);
		}
		break;
	case OPTION_END:
		break;
	}
}

static void format_members(struct option_reader *defaults, const struct option *rows,
	const void *config, bool *is_first, struct buf *out) {
	const void *fallback = option_defaults(defaults, rows);
	for (const struct option *row = rows; row->type; row++) {
		const void *field = option_field_const(row, config);
		if (option_field_equal(row, field, option_field_const(row, fallback))) {
			continue;
		}
		buf_appendf(out, "%s %s = ", *is_first ? "" : ",", row->key);
		*is_first = false;
		format_field(defaults, row, field, out);
	}
}

void option_format_value(const struct option *row, const void *field, struct buf *out) {
	struct option_reader defaults = {.arena = arena_create()};
	format_field(&defaults, row, field, out);
	arena_destroy(defaults.arena);
}

void option_format_inline(const struct option *rows, const void *config, struct buf *out) {
	struct option_reader defaults = {.arena = arena_create()};
	format_table(&defaults, NULL, rows, config, out);
	arena_destroy(defaults.arena);
}

void option_format_index(const struct option *rows, const void *item, size_t i, struct buf *path) {
	const struct option *row = option_name_row(rows);
	const struct str *name = row ? option_field_const(row, item) : NULL;
	buf_append_char(path, '[');
	if (name && name->len) {
		toml_format_key(path, *name);
	} else {
		buf_append_uint64(path, i);
	}
	buf_append_char(path, ']');
}

static void write_line(struct option_writer *writer, const struct buf *path,
	const struct option *row, const void *field, const struct value *source) {
	buf_append_str(writer->out, buf_str(path));
	buf_append_text(writer->out, " = ");
	format_field(&writer->defaults, row, field, writer->out);
	if (writer->with_origin && source) {
		buf_appendf(writer->out, "  # %s:%u", source->place.file ? source->place.file : "",
			source->place.line);
	} else if (writer->with_origin) {
		buf_append_text(writer->out, "  # default");
	}
	buf_append_char(writer->out, '\n');
}

static void cut_path(struct buf *path, size_t len) {
	path->len = len;
	if (path->at) {
		path->at[len] = '\0';
	}
}

static void write_list(struct option_writer *writer, const struct option *row,
	const struct item_list *list, struct buf *path, const struct value *source) {
	size_t len = path->len;
	for (size_t i = 0; i < list->n; i++) {
		const void *item = (char *)list->items + i * row->item_size;
		bool has_source = source && source->type == VALUE_ARRAY && i < source->array.n;
		option_format_index(row->rows, item, i, path);
		option_write(
			writer, row->rows, item, path, has_source ? &source->array.items[i] : NULL);
		cut_path(path, len);
	}
}

static void write_tagged(struct option_writer *writer, const struct tagged *tagged,
	struct buf *path, const struct value *source) {
	size_t len = path->len;
	struct str name = str_from(tagged->variant->name);
	buf_append_text(path, ".type");
	write_line(writer, path, &(struct option){.key = "type", .type = OPTION_STRING}, &name,
		value_get(source, STR("type")));
	cut_path(path, len);
	option_write(writer, tagged->variant->rows, tagged->config, path, source);
}

static void write_row(struct option_writer *writer, const struct option *row, const void *field,
	struct buf *path, const struct value *source) {
	if (row->is_secret ||
		!(row->type == OPTION_TABLE || row->type == OPTION_LIST ||
			row->type == OPTION_TAGGED || row->type == OPTION_VALUE)) {
		write_line(writer, path, row, field, source);
	} else if (row->type == OPTION_TABLE) {
		option_write(writer, row->rows, field, path, source);
	} else if (row->type == OPTION_LIST && is_set(row, field)) {
		write_list(writer, row, field, path, source);
	} else if (row->type == OPTION_TAGGED && is_set(row, field)) {
		write_tagged(writer, field, path, source);
	} else if (row->type == OPTION_LIST || is_set(row, field)) {
		write_line(writer, path, row, field, source);
	}
}

void option_write(struct option_writer *writer, const struct option *rows, const void *config,
	struct buf *path, const struct value *source) {
	size_t len = path->len;
	const void *fallback = writer->only_changed ? option_defaults(&writer->defaults, rows)
						    : NULL;
	for (const struct option *row = rows; row->type; row++) {
		const void *field = option_field_const(row, config);
		if (fallback && option_field_equal(row, field, option_field_const(row, fallback))) {
			continue;
		}
		buf_appendf(path, "%s%s", len ? "." : "", row->key);
		write_row(writer, row, field, path, value_get(source, str_from(row->key)));
		cut_path(path, len);
	}
}

void option_format(const struct option *rows, const void *config, struct str prefix,
	bool only_changed, struct buf *out) {
	struct option_writer writer = {
		.out = out, .only_changed = only_changed, .defaults = {.arena = arena_create()}};
	struct buf path = BUF_INIT;
	buf_append_str(&path, prefix);
	option_write(&writer, rows, config, &path, NULL);
	buf_finish(&path);
	arena_destroy(writer.defaults.arena);
}
