// SPDX-License-Identifier: Apache-2.0
// The Prometheus text format 0.0.4: HELP and TYPE once a family, then its samples in one group.
#include "formats/exposition.h"

#include <assert.h>
#include <stdarg.h>

void exposition_init(struct exposition *exposition, struct buf *out) {
	*exposition = (struct exposition){.out = out};
}

// Escapes \ and line ends, in label values also the quote; other bytes are taken as UTF-8.
static void append_escaped(struct buf *out, const char *text, bool is_label) {
	for (; *text; text++) {
		if (*text == '\n') {
			buf_append(out, "\\n", 2);
			continue;
		}
		if (*text == '\\' || (is_label && *text == '"')) {
			buf_append_char(out, '\\');
		}
		buf_append_char(out, *text);
	}
}

void exposition_family(
	struct exposition *exposition, const char *name, const char *type, const char *help) {
	struct buf *out = exposition->out;
	exposition->family = name;
	if (help) {
		buf_appendf(out, "# HELP %s ", name);
		append_escaped(out, help, false);
		buf_append_char(out, '\n');
	}
	buf_appendf(out, "# TYPE %s %s\n", name, type);
}

static void append_labels(struct buf *out, va_list labels) {
	char before = '{';
	for (const char *name; (name = va_arg(labels, const char *)) != NULL; before = ',') {
		const char *value = va_arg(labels, const char *);
		assert(value); // names and values come in pairs
		buf_append_char(out, before);
		buf_append_text(out, name);
		buf_append(out, "=\"", 2);
		append_escaped(out, value, true);
		buf_append_char(out, '"');
	}
	if (before == ',') {
		buf_append_char(out, '}');
	}
}

static void append_sample(
	struct exposition *exposition, const char *suffix, double value, va_list labels) {
	struct buf *out = exposition->out;
	assert(exposition->family);
	buf_append_text(out, exposition->family);
	buf_append_text(out, suffix);
	append_labels(out, labels);
	buf_append_char(out, ' ');
	buf_append_double(out, value);
	buf_append_char(out, '\n');
}

void exposition_sample(struct exposition *exposition, double value, ...) {
	va_list labels;
	va_start(labels, value);
	append_sample(exposition, "", value, labels);
	va_end(labels);
}

void exposition_suffixed(struct exposition *exposition, const char *suffix, double value, ...) {
	va_list labels;
	va_start(labels, value);
	append_sample(exposition, suffix, value, labels);
	va_end(labels);
}
