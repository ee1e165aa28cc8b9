// SPDX-License-Identifier: Apache-2.0
// All that is wrong with some input, each with its place: parsers and checks add to one list and
// go on, so a person sees every mistake at once. Bounded: after 100 only the count goes on.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"

#define PROBLEMS_KEPT 100

// Where something stands in a text. line and column start at 1; 0 is "unknown". The column
// counts characters (UTF-8 sequences), not bytes. file may be NULL.
struct place {
	const char *file; // borrowed; lives as long as the text's arena
	uint32_t line;
	uint32_t column;
};

struct problem {
	char *file; // owned copies, so the list may outlive the text
	uint32_t line;
	uint32_t column;
	bool is_warning;
	char *message;
};

struct problems {
	struct problem *items;
	size_t n;      // kept, warnings included
	size_t errors; // all errors ever added, also those not kept
};

#define PROBLEMS_INIT \
	{ NULL, 0, 0 }

void problems_finish(struct problems *problems);
_printf_(3, 4) void problems_add(
	struct problems *problems, struct place place, const char *format, ...);
_printf_(3, 4) void problems_warn(
	struct problems *problems, struct place place, const char *format, ...);
static inline bool problems_has_errors(const struct problems *problems) {
	return problems->errors > 0;
}
// By file, line, column (stable).
void problems_sort(struct problems *problems);
// "file:line:column: error: message" a line each, and "… and N more" when some were not kept.
void problems_format(const struct problems *problems, struct buf *out);
