// SPDX-License-Identifier: Apache-2.0
// Rows by name; see host_rows.h. The text of one reading mostly names what the last one named, in
// the same order, so a search begins where the last one ended.
#include "sources/host_rows.h"

#include "base/alloc.h"
#include "sources/text.h"

void rows_begin(struct rows *rows) {
	for (size_t i = 0; i < rows->n; i++) {
		struct row *row = rows_get(rows, i);
		row->is_seen = false;
	}
	rows->at = 0;
}

static struct row *find_known(struct rows *rows, struct str name) {
	for (size_t i = 0; i < rows->n; i++) {
		size_t at = (rows->at + i) % rows->n;
		struct row *row = rows_get(rows, at);
		if (str_is(name, row->name)) {
			rows->at = at + 1;
			return row;
		}
	}
	return NULL;
}

static struct row *add(struct rows *rows, struct str name) {
	struct buf label = BUF_INIT;
	if (rows->n == rows->cap) {
		rows->cap = rows->cap ? rows->cap * 2 : 4;
		rows->items = xreallocarray(rows->items, rows->cap, rows->size);
	}
	struct row *row = rows_get(rows, rows->n++);
	memset(row, 0, rows->size);
	memcpy(row->name, name.at, name.len);
	clean_text(&label, name);
	snprintf(row->label, sizeof(row->label), "%s", buf_text(&label));
	buf_finish(&label);
	return row;
}

void *rows_find(struct rows *rows, struct str name) {
	if (!name.len || name.len >= ROW_NAME || memchr(name.at, '\0', name.len)) {
		return NULL;
	}
	struct row *row = find_known(rows, name);
	if (row && row->is_seen) {
		return NULL;
	}
	if (!row && rows->n < ROWS_MAX) {
		row = add(rows, name);
	}
	if (row) {
		row->is_seen = true;
	}
	return row;
}

void rows_end(struct rows *rows) {
	size_t kept = 0;
	for (size_t i = 0; i < rows->n; i++) {
		struct row *row = rows_get(rows, i);
		if (row->is_seen) {
			memmove(rows_get(rows, kept++), row, rows->size);
		}
	}
	rows->n = kept;
}

void rows_finish(struct rows *rows) {
	free(rows->items);
	rows->items = NULL;
	rows->n = rows->cap = 0;
}
