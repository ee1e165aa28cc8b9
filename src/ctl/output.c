// SPDX-License-Identifier: Apache-2.0
// Output to a terminal or a pipe; see output.h. Only this file knows escape codes.
#include "ctl/output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "formats/json.h"

#define COLUMNS_MIN 40
#define COLUMNS_MAX 500

static bool environment_has(const char *name) {
	const char *value = getenv(name);
	return value && value[0];
}

static bool locale_is_utf8(void) {
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < 3; i++) {
		if (environment_has(names[i])) {
			struct str value = str_from(getenv(names[i]));
			return str_find(value, STR("UTF-8")) >= 0 ||
				str_find(value, STR("utf8")) >= 0;
		}
	}
	return false;
}

void output_measure(struct output *output) {
	struct winsize size = {0};
	uint64_t asked = 0;
	output->columns = output->rows = 0;
	if (output->is_terminal) {
		output->columns = 80;
		if (ioctl(output->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
			output->columns = size.ws_col;
			output->rows = size.ws_row;
		}
	} else if (environment_has("COLUMNS") &&
		str_to_uint64(str_from(getenv("COLUMNS")), &asked)) {
		output->columns = asked;
	}
	if (output->columns > 0 && output->columns < COLUMNS_MIN) {
		output->columns = COLUMNS_MIN;
	}
	if (output->columns > COLUMNS_MAX) {
		output->columns = COLUMNS_MAX;
	}
}

void output_init(struct output *output, int fd, bool is_json, bool no_colour) {
	const char *term = getenv("TERM");
	*output = (struct output){.buf = BUF_INIT, .fd = fd, .is_json = is_json};
	output->is_terminal = isatty(fd) == 1;
	output->has_colour = output->is_terminal && !is_json && !no_colour &&
		!environment_has("NO_COLOR") && term && strcmp(term, "dumb") != 0;
	output->is_utf8 = locale_is_utf8();
	output_measure(output);
}

void output_init_errors(struct output *output, const struct output *like) {
	output_init(output, STDERR_FILENO, like->is_json, !like->has_colour && like->is_terminal);
}

bool output_flush(struct output *output) {
	size_t done = 0;
	while (done < output->buf.len && !output->broken) {
		ssize_t n = write(output->fd, output->buf.at + done, output->buf.len - done);
		if (n > 0) {
			done += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = {.fd = output->fd, .events = POLLOUT};
			(void)poll(&wait, 1, -1); // the next write tells
		} else if (n < 0 && errno != EINTR) {
			output->broken = true;
		}
	}
	buf_clear(&output->buf);
	return !output->broken;
}

void output_finish(struct output *output) {
	buf_finish(&output->buf);
}

void output_text(struct output *output, const char *trusted) {
	buf_append_text(&output->buf, trusted);
}

void output_printf(struct output *output, const char *format, ...) {
	va_list args;
	va_start(args, format);
	buf_vappendf(&output->buf, format, args);
	va_end(args);
}

void output_str(struct output *output, struct str text) {
	text_sanitise(&output->buf, text);
}

void output_style(struct output *output, enum style style, struct str text) {
	static const char *const codes[] = {
		[STYLE_PLAIN] = "",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_WARN] = "\033[33m",
		[STYLE_BAD] = "\033[31m",
		[STYLE_DIM] = "\033[2m",
		[STYLE_BOLD] = "\033[1m",
	};
	bool is_styled = output->has_colour && style != STYLE_PLAIN;
	if (is_styled) {
		buf_append_text(&output->buf, codes[style]);
	}
	output_str(output, text);
	if (is_styled) {
		buf_append_text(&output->buf, "\033[0m");
	}
}

void output_pad(struct output *output, size_t columns) {
	memset(buf_reserve(&output->buf, columns), ' ', columns);
	output->buf.len += columns;
}

void output_wrapped(struct output *output, struct str text, size_t at, size_t indent) {
	struct buf clean = BUF_INIT;
	size_t limit = output->columns ? output->columns : SIZE_MAX;
	size_t column = at;
	bool is_first = true;
	struct str rest, word;

	text_sanitise(&clean, text);
	rest = buf_str(&clean);
	if (at > 0 && output->buf.len > 0 && output->buf.at[output->buf.len - 1] != ' ') {
		output_text(output, " ");
	}
	while (str_word(&rest, &word)) {
		size_t width = text_width(word);
		if (!is_first && column + 1 + width > limit) {
			output_text(output, "\n");
			output_pad(output, indent);
			column = indent;
		} else if (!is_first) {
			output_text(output, " ");
			column++;
		}
		buf_append_str(&output->buf, word);
		column += width;
		is_first = false;
	}
	output_text(output, "\n");
	buf_finish(&clean);
}

// What JSON allows raw in strings but a terminal acts on: DEL, the C1 controls, and the marks that
// change the direction of text. Returns its length in bytes, 0 for all else.
static size_t unsafe_length(struct str s, unsigned *out_point) {
	const unsigned char *c = (const unsigned char *)s.at;
	if (c[0] == 0x7f) {
		*out_point = c[0];
		return 1;
	}
	if (s.len >= 2 && c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) {
		*out_point = c[1];
		return 2;
	}
	if (s.len >= 3 && c[0] == 0xe2 && (c[1] == 0x80 || c[1] == 0x81)) {
		unsigned point = 0x2000u | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
		*out_point = point;
		return point == 0x200e || point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
				(point >= 0x2066 && point <= 0x2069)
			? 3
			: 0;
	}
	return 0;
}

// Outside strings valid JSON holds none of these, so an escape is always inside one.
static void append_safe_json(struct buf *out, struct str json) {
	while (json.len > 0) {
		unsigned point = 0;
		size_t len = unsafe_length(json, &point);
		if (len > 0) {
			buf_appendf(out, "\\u%04x", point);
		} else {
			len = 1;
			buf_append_char(out, json.at[0]);
		}
		json = str_skip(json, len);
	}
}

void output_json_line(struct output *output, struct str json) {
	append_safe_json(&output->buf, json);
	buf_append_char(&output->buf, '\n');
}

static void append_indented(struct buf *out, const struct value *value, size_t depth) {
	bool is_table = value->type == VALUE_TABLE;
	size_t n = is_table ? value->table.n : value->type == VALUE_ARRAY ? value->array.n : 0;
	if (n == 0) {
		json_format(out, value);
		return;
	}
	buf_append_char(out, is_table ? '{' : '[');
	for (size_t i = 0; i < n; i++) {
		const struct value *item = is_table ? &value->table.members[i].value
						    : &value->array.items[i];
		buf_appendf(out, "%s\n%*s", i ? "," : "", (int)(2 * depth + 2), "");
		if (is_table) {
			struct value key = value_of_string(value->table.members[i].key);
			json_format(out, &key);
			buf_append_text(out, ": ");
		}
		append_indented(out, item, depth + 1);
	}
	buf_appendf(out, "\n%*s%c", (int)(2 * depth), "", is_table ? '}' : ']');
}

void output_json(struct output *output, const struct value *value) {
	struct buf json = BUF_INIT;
	if (output->is_terminal) {
		append_indented(&json, value, 0); // depth is bounded by JSON_DEPTH
	} else {
		json_format(&json, value);
	}
	output_json_line(output, buf_str(&json));
	buf_finish(&json);
}
