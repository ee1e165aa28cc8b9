// SPDX-License-Identifier: Apache-2.0
// Tables; see table.h. Two passes: widths, then lines. The gap between columns is two blanks.
#include "ctl/table.h"

#include <stdarg.h>

#include "base/alloc.h"

#define GAP 2
// A flexible column is never cut below this; rather the line grows too long.
#define FLEXIBLE_MIN 8

struct cell {
	struct str text;
	enum style style;
};

struct row {
	struct row *next;
	struct cell cells[TABLE_COLUMNS_MAX];
	size_t n;
};

struct table {
	struct arena *arena;
	const struct table_column *columns;
	size_t column_count;
	size_t indent;
	struct row *first, *last;
	bool is_open; // the last row takes more cells
};

struct table *table_create(
	struct arena *arena, const struct table_column *columns, size_t n, size_t indent) {
	struct table *table = ARENA_NEW(arena, struct table);
	assert(n > 0 && n <= TABLE_COLUMNS_MAX);
	*table = (struct table){
		.arena = arena, .columns = columns, .column_count = n, .indent = indent};
	return table;
}

static struct row *open_row(struct table *table) {
	if (!table->is_open) {
		struct row *row = ARENA_NEW(table->arena, struct row);
		if (table->last) {
			table->last->next = row;
		} else {
			table->first = row;
		}
		table->last = row;
		table->is_open = true;
	}
	return table->last;
}

void table_cell(struct table *table, enum style style, struct str text) {
	struct row *row = open_row(table);
	struct buf clean = BUF_INIT;
	assert(row->n < table->column_count);
	text_sanitise(&clean, text);
	row->cells[row->n++] = (struct cell){arena_copy_str(table->arena, buf_str(&clean)), style};
	buf_finish(&clean);
}

void table_cellf(struct table *table, enum style style, const char *format, ...) {
	struct buf text = BUF_INIT;
	va_list args;
	va_start(args, format);
	buf_vappendf(&text, format, args);
	va_end(args);
	table_cell(table, style, buf_str(&text));
	buf_finish(&text);
}

void table_end_row(struct table *table) {
	(void)open_row(table);
	table->is_open = false;
}

bool table_is_empty(const struct table *table) {
	return !table->first;
}

static bool has_titles(const struct table *table) {
	for (size_t i = 0; i < table->column_count; i++) {
		if (table->columns[i].title) {
			return true;
		}
	}
	return false;
}

static void measure(const struct table *table, size_t limit, size_t *widths) {
	size_t total = table->indent;
	for (size_t i = 0; i < table->column_count; i++) {
		widths[i] = text_width(str_from(table->columns[i].title));
		for (const struct row *row = table->first; row; row = row->next) {
			size_t width = text_width(row->cells[i].text);
			widths[i] = width > widths[i] ? width : widths[i];
		}
		total += widths[i] + (i ? GAP : 0);
	}
	for (size_t i = table->column_count; i-- > 0 && limit > 0 && total > limit;) {
		size_t excess = total - limit;
		if (table->columns[i].is_flexible && widths[i] > FLEXIBLE_MIN) {
			size_t room = widths[i] - FLEXIBLE_MIN;
			widths[i] -= excess < room ? excess : room;
			total -= excess < room ? excess : room;
		}
	}
}

static void print_cell(
	struct output *output, const struct cell *cell, size_t width, bool is_right, bool is_last) {
	struct buf text = BUF_INIT;
	size_t used;
	text_fit(&text, cell->text, width, output->is_utf8);
	used = text_width(buf_str(&text));
	if (is_right) {
		output_pad(output, width - used);
	}
	output_style(output, cell->style, buf_str(&text));
	if (!is_right && !is_last) {
		output_pad(output, width - used);
	}
	buf_finish(&text);
}

static void print_row(const struct table *table, struct output *output, const struct cell *cells,
	const size_t *widths) {
	size_t last = 0;
	for (size_t i = 0; i < table->column_count; i++) {
		last = cells[i].text.len > 0 ? i : last;
	}
	output_pad(output, table->indent);
	for (size_t i = 0; i <= last; i++) {
		output_pad(output, i ? GAP : 0);
		print_cell(output, &cells[i], widths[i], table->columns[i].is_right, i == last);
	}
	output_text(output, "\n");
}

void table_print(const struct table *table, struct output *output) {
	size_t widths[TABLE_COLUMNS_MAX];
	measure(table, output->columns, widths);
	if (has_titles(table)) {
		struct cell titles[TABLE_COLUMNS_MAX] = {0};
		for (size_t i = 0; i < table->column_count; i++) {
			titles[i] = (struct cell){str_from(table->columns[i].title), STYLE_BOLD};
		}
		print_row(table, output, titles, widths);
	}
	for (const struct row *row = table->first; row; row = row->next) {
		print_row(table, output, row->cells, widths);
	}
}
