// SPDX-License-Identifier: Apache-2.0
// Rows by name, kept from one reading to the next: disks, network devices. Each reading begins,
// finds every row the text names, and ends; what it did not name is dropped. Zeroed memory with
// `size` set is an empty table.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define ROWS_MAX 4096
#define ROW_NAME 64 // the kernel's names have at most 31 bytes (disks), 15 (network devices)

// First member of a row.
struct row {
	char name[ROW_NAME];	  // as the kernel says it
	char label[3 * ROW_NAME]; // the same as clean text
	bool is_seen;
};

struct rows {
	size_t size; // of one, its struct row included
	char *items;
	size_t n, cap;
	size_t at; // where the next name is expected: texts keep their order
};

void rows_begin(struct rows *rows);
// The row of that name, zeroed when it is new; NULL when the table is full, the name too long or
// empty, or named twice in this reading. Rows move when one is added.
void *rows_find(struct rows *rows, struct str name);
void rows_end(struct rows *rows);
static inline void *rows_get(const struct rows *rows, size_t i) {
	return rows->items + i * rows->size;
}
void rows_finish(struct rows *rows);
