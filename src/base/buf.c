// SPDX-License-Identifier: Apache-2.0
// A growing byte buffer; see buf.h.
#include "base/buf.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void buf_finish(struct buf *buf) {
	free(buf->at);
	*buf = (struct buf)BUF_INIT;
}

void buf_clear(struct buf *buf) {
	buf->len = 0;
	if (buf->at) {
		buf->at[0] = '\0';
	}
}

char *buf_reserve(struct buf *buf, size_t n) {
	size_t need = buf->len + n + 1;
	if (need > buf->cap) {
		size_t cap = buf->cap ? buf->cap * 2 : 64;
		buf->cap = cap < need ? need : cap;
		buf->at = xrealloc(buf->at, buf->cap);
	}
	return buf->at + buf->len;
}

void buf_append(struct buf *buf, const void *bytes, size_t n) {
	char *to = buf_reserve(buf, n);
	if (n) {
		memcpy(to, bytes, n);
	}
	buf->len += n;
	buf->at[buf->len] = '\0';
}

void buf_append_str(struct buf *buf, struct str s) {
	buf_append(buf, s.at, s.len);
}

void buf_append_text(struct buf *buf, const char *text) {
	buf_append(buf, text, strlen(text));
}

void buf_append_char(struct buf *buf, char c) {
	buf_append(buf, &c, 1);
}

void buf_vappendf(struct buf *buf, const char *format, va_list args) {
	va_list again;
	va_copy(again, args);
	char *to = buf_reserve(buf, 128);
	size_t room = buf->cap - buf->len;
	int n = vsnprintf(to, room, format, args);
	if (n >= 0 && (size_t)n >= room) {
		to = buf_reserve(buf, (size_t)n);
		n = vsnprintf(to, (size_t)n + 1, format, again);
	}
	va_end(again);
	if (n > 0) {
		buf->len += (size_t)n;
	}
	buf->at[buf->len] = '\0';
}

void buf_appendf(struct buf *buf, const char *format, ...) {
	va_list args;
	va_start(args, format);
	buf_vappendf(buf, format, args);
	va_end(args);
}

void buf_append_uint64(struct buf *buf, uint64_t value) {
	char digits[20];
	size_t n = sizeof(digits);
	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_append(buf, digits + n, sizeof(digits) - n);
}

void buf_append_int64(struct buf *buf, int64_t value) {
	if (value < 0) {
		buf_append_char(buf, '-');
	}
	buf_append_uint64(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_append_double(struct buf *buf, double value) {
	if (isnan(value)) {
		buf_append_text(buf, "NaN");
		return;
	}
	if (isinf(value)) {
		buf_append_text(buf, value > 0 ? "+Inf" : "-Inf");
		return;
	}
	if (fabs(value) < 1e15 && value == (double)(int64_t)value) {
		if (value == 0 && signbit(value)) {
			buf_append_char(buf, '-');
		}
		buf_append_int64(buf, (int64_t)value);
		return;
	}
	char text[32];
	// 15 digits survive the way through a double, except where doubles have fewer bits.
	for (int precision = fabs(value) < DBL_MIN ? 1 : 15; precision <= 17; precision++) {
		(void)snprintf(text, sizeof(text), "%.*g", precision, value);
		if (strtod(text, NULL) == value) {
			break;
		}
	}
	buf_append_text(buf, text);
}

void buf_consume(struct buf *buf, size_t n) {
	if (n == buf->len) {
		buf_clear(buf);
		return;
	}
	memmove(buf->at, buf->at + n, buf->len - n);
	buf->len -= n;
	buf->at[buf->len] = '\0';
}

char *buf_take(struct buf *buf) {
	(void)buf_reserve(buf, 0);
	buf->at[buf->len] = '\0';
	char *text = buf->at;
	*buf = (struct buf)BUF_INIT;
	return text;
}
