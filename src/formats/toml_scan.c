// SPDX-License-Identifier: Apache-2.0
// Moving over a TOML text and saying where something is; see toml_reader.h.
#include "formats/toml_reader.h"

// Columns count characters. Counting goes on from the last place asked for, so a long line with
// many values is still counted only once.
struct place toml_place(struct toml_reader *reader, const char *at) {
	if (reader->is_ascii && at >= reader->line_start) {
		return (struct place){
			reader->file, reader->line, (uint32_t)(at - reader->line_start) + 1};
	}
	if (reader->counted < reader->line_start || at < reader->counted) {
		reader->counted = reader->line_start;
		reader->counted_column = 1;
	}
	uint32_t column = reader->counted_column;
	for (const char *p = reader->counted; p < at; p++) {
		column += ((unsigned char)*p & 0xc0) != 0x80;
	}
	reader->counted = at;
	reader->counted_column = column;
	return (struct place){reader->file, reader->line, column};
}

bool toml_fail(struct toml_reader *reader, struct place place, const char *format, ...) {
	for (size_t i = 0; i < reader->bad_line_count; i++) {
		if (reader->bad_lines[i] == place.line) {
			return false;
		}
	}
	struct buf message = BUF_INIT;
	if (!toml_is_full(reader)) {
		va_list args;
		va_start(args, format);
		buf_vappendf(&message, format, args);
		va_end(args);
	}
	problems_add(reader->problems, place, "%s", buf_text(&message));
	buf_finish(&message);
	return false;
}

static bool is_word(char c) {
	return toml_is_bare(c) || c == '.' || c == ':' || c == '+' || (unsigned char)c >= 0x80;
}

const char *toml_found(struct toml_reader *reader, const char *at) {
	if (toml_is_full(reader)) {
		return "";
	}
	if (at >= reader->end) {
		return "end of file";
	}
	if (*at == '\n') {
		return "end of line";
	}
	size_t len = 0;
	while (len < 40 && is_word(at[len])) {
		len++;
	}
	len = len ? len : 1;
	while (((unsigned char)at[len] & 0xc0) == 0x80) { // not within a character
		len++;
	}
	return *at == '#' ? "a comment" : arena_printf(reader->arena, "'%.*s'", (int)len, at);
}

bool toml_fail_expected(struct toml_reader *reader, const char *format, ...) {
	struct buf expected = BUF_INIT;
	va_list args;
	va_start(args, format);
	buf_vappendf(&expected, format, args);
	va_end(args);
	toml_fail(reader, toml_place(reader, reader->at), "expected %s, found %s",
		buf_text(&expected), toml_found(reader, reader->at));
	buf_finish(&expected);
	return false;
}

void toml_next_line(struct toml_reader *reader) {
	reader->at++;
	reader->line++;
	reader->line_start = reader->at;
}

void toml_skip_to_line_end(struct toml_reader *reader) {
	const char *line_end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	reader->at = line_end ? line_end : reader->end;
}

void toml_skip_lines(struct toml_reader *reader) {
	for (;;) {
		toml_skip_blank(reader);
		if (*reader->at == '#') {
			toml_skip_to_line_end(reader);
		} else if (*reader->at == '\n') {
			toml_next_line(reader);
		} else {
			return;
		}
	}
}
