// SPDX-License-Identifier: Apache-2.0
// Aligned columns that fit the terminal: cells are collected, then printed with the widths they
// need; what does not fit is cut from the column named flexible. Without a limit nothing is cut.
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "ctl/output.h"

#define TABLE_COLUMNS_MAX 8

struct table_column {
	const char *title; // NULL in all: no title line
	bool is_right;	   // numbers
	bool is_flexible;  // gives way when the line is too long
};

struct table;

// At most TABLE_COLUMNS_MAX columns; `columns` is borrowed.
_must_use_ struct table *table_create(
	struct arena *arena, const struct table_column *columns, size_t n, size_t indent);
// Cells from left to right, then the next row; missing ones are empty. Text is copied, sanitised.
void table_cell(struct table *table, enum style style, struct str text);
_printf_(3, 4) void table_cellf(struct table *table, enum style style, const char *format, ...);
void table_end_row(struct table *table);
bool table_is_empty(const struct table *table);
void table_print(const struct table *table, struct output *output);
