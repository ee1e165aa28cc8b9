// SPDX-License-Identifier: Apache-2.0
// Allocators that abort instead of failing.
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _noreturn_ void out_of_memory(void) {
	static const char text[] = "out of memory: aborting\n";
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1); // nothing better is left to do
	abort();
}

void *xmalloc(size_t n) {
	void *at = malloc(n ? n : 1);
	if (!at) {
		out_of_memory();
	}
	return at;
}

void *xcalloc(size_t n, size_t size) {
	void *at = calloc(n ? n : 1, size ? size : 1);
	if (!at) {
		out_of_memory();
	}
	return at;
}

void *xrealloc(void *at, size_t n) {
	at = realloc(at, n ? n : 1);
	if (!at) {
		out_of_memory();
	}
	return at;
}

void *xreallocarray(void *at, size_t n, size_t size) {
	size_t total;
	if (__builtin_mul_overflow(n, size, &total)) {
		out_of_memory();
	}
	return xrealloc(at, total);
}

char *xstrndup(const char *text, size_t len) {
	char *copy = xmalloc(len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *xstrdup(const char *text) {
	return xstrndup(text, strlen(text));
}

char *xasprintf(const char *format, ...) {
	va_list args;
	char *text = NULL;
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		out_of_memory();
	}
	return text;
}
