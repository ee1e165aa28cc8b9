// SPDX-License-Identifier: Apache-2.0
// What a person sees: text with styles, on a terminal in colour and cut to its width, elsewhere
// plain and whole. Text from outside goes in through output_str and cannot move the cursor, change
// colours or hide itself. Output is collected and written by output_flush.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/str.h"
#include "formats/value.h"

enum style {
	STYLE_PLAIN,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_DIM,
	STYLE_BOLD
};

struct output {
	struct buf buf;
	int fd;
	bool is_json;
	bool is_terminal;
	bool has_colour;
	bool is_utf8;
	bool broken;	// a write failed: the reader is gone
	size_t columns; // 0: no limit (not a terminal, and COLUMNS is not set)
	size_t rows;	// 0: unknown
};

// Looks at the terminal behind fd, NO_COLOR, TERM, COLUMNS and the locale.
void output_init(struct output *output, int fd, bool is_json, bool no_colour);
// The same choices for stderr.
void output_init_errors(struct output *output, const struct output *like);
// Asks the terminal again, after SIGWINCH.
void output_measure(struct output *output);
// Writes what was collected; false when the reader is gone or the disk full.
bool output_flush(struct output *output);
void output_finish(struct output *output);

// --- text ---
void output_text(struct output *output, const char *trusted);
_printf_(2, 3) void output_printf(struct output *output, const char *format, ...);
// Sanitised.
void output_str(struct output *output, struct str text);
void output_style(struct output *output, enum style style, struct str text); // sanitised
void output_pad(struct output *output, size_t columns);
// A paragraph broken at blanks to the width, ending the line: it begins at column `at` (a blank is
// put before it if there is none), its further lines at `indent`.
void output_wrapped(struct output *output, struct str text, size_t at, size_t indent);
// JSON as it is, on one line; control characters inside strings are escaped.
void output_json_line(struct output *output, struct str json);
// A value as JSON: indented on a terminal, one line elsewhere.
void output_json(struct output *output, const struct value *value);

// --- pure ---
// Appends text with everything that a terminal would act on made visible: control characters, DEL,
// C1 controls, bytes that are not UTF-8, bidirectional overrides.
void text_sanitise(struct buf *out, struct str text);
// Columns that sanitised text takes: wide characters two, combining ones none.
size_t text_width(struct str text);
// Appends the text if it fits, else its beginning and an ellipsis; exactly `columns` at most.
void text_fit(struct buf *out, struct str text, size_t columns, bool is_utf8);
// 1234567 as 1,234,567.
void text_grouped(struct buf *out, int64_t number);
// "01:23:29.123" today, "Nov 22 01:23" otherwise: always 12 columns; local time.
void text_clock(struct buf *out, int64_t wall_ns, int64_t now_wall_ns);
// "2026-11-22 01:23:29", local time.
void text_date(struct buf *out, int64_t wall_ns);
// 1536 as "1.5 KiB".
void text_bytes(struct buf *out, int64_t bytes);
