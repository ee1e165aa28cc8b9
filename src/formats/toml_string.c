// SPDX-License-Identifier: Apache-2.0
// The four kinds of TOML strings (TOML 1.0.0, "String"). A string without escapes borrows from
// the reader's copy of the text; one with escapes is built in the arena, never longer than it was
// written.
#include "formats/toml_reader.h"

#include "formats/utf8.h"

static bool read_code_point(struct toml_reader *reader, int digits, char **to) {
	const char *start = reader->at - 2;
	uint32_t point = 0;
	for (int i = 0; i < digits; i++, reader->at++) {
		char c = *reader->at;
		uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
			: c >= 'a' && c <= 'f'	      ? (uint32_t)(c - 'a' + 10)
			: c >= 'A' && c <= 'F'	      ? (uint32_t)(c - 'A' + 10)
						      : 16;
		if (digit == 16) {
			return toml_fail_expected(reader, "%d hexadecimal digits after \\%c",
				digits, digits == 4 ? 'u' : 'U');
		}
		point = point << 4 | digit;
	}
	if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
		return toml_fail(reader, toml_place(reader, start),
			"'%.*s' is not a character: use 0 to D7FF or E000 to 10FFFF",
			(int)(reader->at - start), start);
	}
	*to = utf8_put(*to, point);
	return true;
}

// A backslash at the end of a line swallows all blanks and line ends up to the next text.
static bool skip_line_continuation(struct toml_reader *reader) {
	const char *p = reader->at + 1;
	while (*p == ' ' || *p == '\t') {
		p++;
	}
	if (*p != '\n') {
		return false;
	}
	reader->at = p;
	while (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n') {
		if (*reader->at == '\n') {
			toml_next_line(reader);
		} else {
			reader->at++;
		}
	}
	return true;
}

// At a backslash. A bad escape is reported and passed over, so the rest of the string is read.
static void read_escape(struct toml_reader *reader, bool many_lines, char **to) {
	if (many_lines && skip_line_continuation(reader)) {
		return;
	}
	static const char names[] = "btnfr\"\\", bytes[] = "\b\t\n\f\r\"\\";
	char c = reader->at[1];
	const char *name = c ? strchr(names, c) : NULL;
	if (name) {
		*(*to)++ = bytes[name - names];
		reader->at += 2;
	} else if (c == 'u' || c == 'U') {
		reader->at += 2;
		(void)read_code_point(reader, c == 'u' ? 4 : 8, to); // it has reported
	} else {
		reader->at++;
		if (c && c != '\n') { // else the string is not closed, which is said once
			(void)toml_fail_expected(reader,
				"one of b t n f r \" \\ u U after \\ "
				"(or put the text in 'single quotes')");
		}
	}
}

// One line, up to `quote`; at the first character of the text.
static bool read_line_string(struct toml_reader *reader, char quote, struct str *out) {
	const char *open = reader->at - 1, *start = reader->at, *end = start;
	char escape = quote == '"' ? '\\' : quote;
	while (*end != quote && *end != escape && *end != '\n' && *end) {
		end++;
	}
	*out = str_range(start, (size_t)(end - start));
	reader->at = end;
	if (*end == '\\' && quote == '"') {
		const char *close = reader->at;
		while (*close != quote && *close != '\n' && *close) {
			close += *close == '\\' && close[1] && close[1] != '\n' ? 2 : 1;
		}
		char *copy = arena_alloc(reader->arena, (size_t)(close - start) + 1);
		char *to = copy + out->len;
		memcpy(copy, start, out->len);
		while (*reader->at != quote && *reader->at != '\n' && *reader->at) {
			if (*reader->at != '\\') {
				*to++ = *reader->at++;
			} else {
				read_escape(reader, false, &to);
			}
		}
		*out = str_range(copy, (size_t)(to - copy));
	}
	if (*reader->at != quote) {
		return toml_fail(reader, toml_place(reader, open),
			"this string is not closed before the end of the line; close it with %c, "
			"or use %c%c%c for text of several lines",
			quote, quote, quote, quote);
	}
	reader->at++;
	return true;
}

// Behind the opening quotes: the end of the text, NULL if it is not closed. Up to two quotes
// may stand directly before the closing three.
static const char *find_close(const char *at, char quote) {
	for (; *at; at++) {
		if (*at == '\\' && quote == '"' && at[1]) {
			at++;
		} else if (*at == quote && at[1] == quote && at[2] == quote) {
			at += at[3] == quote;
			at += at[3] == quote;
			return at;
		}
	}
	return NULL;
}

// Three quotes; behind them.
static bool read_lines_string(struct toml_reader *reader, char quote, struct str *out) {
	struct place open = toml_place(reader, reader->at - 3);
	if (*reader->at == '\n') { // a line end right after the quotes is not part of the text
		toml_next_line(reader);
	}
	const char *close = find_close(reader->at, quote);
	if (!close) {
		reader->at = reader->end;
		return toml_fail(reader, open,
			"this string of several lines is never closed with %c%c%c", quote, quote,
			quote);
	}
	const char *start = reader->at;
	bool has_escapes = quote == '"' && memchr(start, '\\', (size_t)(close - start));
	char *copy = has_escapes ? arena_alloc(reader->arena, (size_t)(close - start) + 1) : NULL;
	char *to = copy;
	while (reader->at < close) {
		if (*reader->at == '\\' && has_escapes) {
			read_escape(reader, true, &to);
			continue;
		}
		if (has_escapes) {
			*to++ = *reader->at;
		}
		if (*reader->at == '\n') {
			toml_next_line(reader);
		} else {
			reader->at++;
		}
	}
	*out = has_escapes ? str_range(copy, (size_t)(to - copy))
			   : str_range(start, (size_t)(close - start));
	reader->at = close + 3;
	return true;
}

bool toml_read_string(struct toml_reader *reader, bool allow_lines, struct str *out) {
	char quote = *reader->at;
	bool is_triple = reader->at[1] == quote && reader->at[2] == quote;
	if (is_triple && !allow_lines) {
		return toml_fail(reader, toml_place(reader, reader->at),
			"a key cannot be a string of several lines");
	}
	reader->at += is_triple ? 3 : 1;
	return is_triple ? read_lines_string(reader, quote, out)
			 : read_line_string(reader, quote, out);
}
