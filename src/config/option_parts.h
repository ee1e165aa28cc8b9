// SPDX-License-Identifier: Apache-2.0
// What the files of the option rows share among themselves; nobody outside config/ includes it.
#pragma once

#include "config/option.h"

// The place of a row's value inside a filled struct.
static inline void *option_field(const struct option *row, void *config) {
	return (char *)config + row->offset;
}
static inline const void *option_field_const(const struct option *row, const void *config) {
	return (const char *)config + row->offset;
}

// Rows whose items are told apart by a `name`: that row, or NULL.
const struct option *option_name_row(const struct option *rows);
bool option_field_equal(const struct option *row, const void *a, const void *b);
// What stands in a struct filled from nothing; lives as long as the reader's arena.
const void *option_defaults(struct option_reader *reader, const struct option *rows);

// "in action of [daemon]" with a space before it, or nothing.
void option_format_scope(const struct option_scope *scope, struct buf *out);
// Adds `key "x" in [y] ` and the text as a problem; always false.
_printf_(4, 5) bool option_complain(struct option_reader *reader, const struct option *row,
	struct place place, const char *format, ...);
// One value that is neither a table nor a list of tables.
bool option_fill_scalar(struct option_reader *reader, const struct option *row,
	const struct value *value, void *field);
// The value that a text stands for by its row; *out is built in the arena.
bool option_value_of_text(struct option_reader *reader, const struct option *row, struct str text,
	struct place where, struct value *out);
#define OPTION_LIST_MAX 100000
// Whether a value can be a list of tables; `list` is its name in messages.
bool option_check_list(struct option_reader *reader, const char *list, const struct value *value);
// Fills one item of a list that passed.
bool option_fill_item(struct option_reader *reader, const struct option *rows, const char *list,
	const struct value *array, size_t i, void *item);
// Two items of one list with the same name are a problem.
bool option_check_names(struct option_reader *reader, const struct option *rows, const char *list,
	const struct value *array);

// " from 1 to 9 bytes", or nothing when there is no limit.
void option_format_limits(const struct option *row, struct buf *out);
// A limit in the file's syntax: "5m", "64MiB", "7".
void option_format_limit(const struct option *row, double limit, struct buf *out);
// The value of a row as TOML: tables inline, of their options only those that are not default.
void option_format_value(const struct option *row, const void *field, struct buf *out);
// A whole struct as an inline table.
void option_format_inline(const struct option *rows, const void *config, struct buf *out);
// "[name]" or "[3]" after the path of a list.
void option_format_index(const struct option *rows, const void *item, size_t i, struct buf *path);

// Writing `path = value` lines.
struct option_writer {
	struct buf *out;
	bool only_changed;
	bool with_origin; // "  # file:line" or "  # default" after each
	struct option_reader defaults;
};
// `source`: the table it was filled from, or NULL.
void option_write(struct option_writer *writer, const struct option *rows, const void *config,
	struct buf *path, const struct value *source);

static inline uint64_t option_mix(uint64_t hash, uint64_t word) {
	hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ (hash >> 32);
}
