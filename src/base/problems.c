// SPDX-License-Identifier: Apache-2.0
// A list of mistakes; see problems.h.
#include "base/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void problems_finish(struct problems *problems) {
	for (size_t i = 0; i < problems->n; i++) {
		free(problems->items[i].file);
		free(problems->items[i].message);
	}
	free(problems->items);
	*problems = (struct problems)PROBLEMS_INIT;
}

_printf_(4, 0) static void add(struct problems *problems, struct place place, bool is_warning,
	const char *format, va_list args) {
	problems->errors += is_warning ? 0 : 1;
	if (problems->n >= PROBLEMS_KEPT) {
		return;
	}
	struct buf message = BUF_INIT;
	buf_vappendf(&message, format, args);
	problems->items = xreallocarray(problems->items, problems->n + 1, sizeof(*problems->items));
	problems->items[problems->n++] = (struct problem){place.file ? xstrdup(place.file) : NULL,
		place.line, place.column, is_warning, buf_take(&message)};
}

void problems_add(struct problems *problems, struct place place, const char *format, ...) {
	va_list args;
	va_start(args, format);
	add(problems, place, false, format, args);
	va_end(args);
}

void problems_warn(struct problems *problems, struct place place, const char *format, ...) {
	va_list args;
	va_start(args, format);
	add(problems, place, true, format, args);
	va_end(args);
}

static int compare(const struct problem *a, const struct problem *b) {
	int by_file = strcmp(a->file ? a->file : "", b->file ? b->file : "");
	if (by_file) {
		return by_file;
	}
	if (a->line != b->line) {
		return a->line < b->line ? -1 : 1;
	}
	return a->column < b->column ? -1 : a->column > b->column;
}

void problems_sort(struct problems *problems) {
	for (size_t i = 1; i < problems->n; i++) { // at most PROBLEMS_KEPT: insertion is fine
		struct problem item = problems->items[i];
		size_t j = i;
		for (; j > 0 && compare(&item, &problems->items[j - 1]) < 0; j--) {
			problems->items[j] = problems->items[j - 1];
		}
		problems->items[j] = item;
	}
}

void problems_format(const struct problems *problems, struct buf *out) {
	size_t kept_errors = 0;
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *problem = &problems->items[i];
		kept_errors += problem->is_warning ? 0 : 1;
		if (problem->file) {
			buf_appendf(out, "%s:", problem->file);
		}
		if (problem->line) {
			buf_appendf(out, "%u:%u:", problem->line, problem->column);
		}
		buf_appendf(out, "%s%s: %s\n", problem->file || problem->line ? " " : "",
			problem->is_warning ? "warning" : "error", problem->message);
	}
	if (problems->errors > kept_errors) {
		buf_appendf(out, "... and %zu more\n", problems->errors - kept_errors);
	}
}
