// SPDX-License-Identifier: Apache-2.0
// A growing byte buffer that owns its memory. BUF_INIT is a safe empty state without allocation;
// after any append `at` is NUL-terminated (the NUL is not counted in len).
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/str.h"

struct buf {
	char *at;
	size_t len;
	size_t cap;
};

#define BUF_INIT \
	{ NULL, 0, 0 }

// Releases the memory and returns to BUF_INIT.
void buf_finish(struct buf *buf);
// Empties the buffer and keeps its memory.
void buf_clear(struct buf *buf);
// Makes room for n more bytes and returns where they go; follow with buf->len += written.
char *buf_reserve(struct buf *buf, size_t n);
void buf_append(struct buf *buf, const void *bytes, size_t n);
void buf_append_str(struct buf *buf, struct str s);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
_printf_(2, 3) void buf_appendf(struct buf *buf, const char *format, ...);
_printf_(2, 0) void buf_vappendf(struct buf *buf, const char *format, va_list args);
void buf_append_int64(struct buf *buf, int64_t value);
void buf_append_uint64(struct buf *buf, uint64_t value);
// The shortest decimal text that reads back as the same double; NaN, +Inf, -Inf as in Prometheus.
void buf_append_double(struct buf *buf, double value);
// Drops the first n bytes (n <= len), moving the rest to the front.
void buf_consume(struct buf *buf, size_t n);
// The C string, owned by the caller; the buffer is BUF_INIT afterwards. Never NULL.
_must_use_ char *buf_take(struct buf *buf);

// Borrowed view, valid until the next change.
static inline struct str buf_str(const struct buf *buf) {
	return (struct str){buf->at, buf->len};
}
// Borrowed C string, never NULL.
static inline const char *buf_text(const struct buf *buf) {
	return buf->at ? buf->at : "";
}
