// SPDX-License-Identifier: Apache-2.0
// Allocation that cannot fail: out of memory aborts the process and systemd restarts it.
// Sizes that come from outside are checked against a limit before they reach these.
#pragma once

#include <stdlib.h>

#include "base/attributes.h"

// Memory of n bytes (n may be 0), never NULL; the caller frees it with free().
_must_use_ void *xmalloc(size_t n);
// Zeroed memory for n items of size bytes; aborts when n * size overflows.
_must_use_ void *xcalloc(size_t n, size_t size);
_must_use_ void *xrealloc(void *at, size_t n);
// As xrealloc for n items of size bytes; aborts when n * size overflows.
_must_use_ void *xreallocarray(void *at, size_t n, size_t size);
_must_use_ char *xstrdup(const char *text);
_must_use_ char *xstrndup(const char *text, size_t len);
_must_use_ _printf_(1, 2) char *xasprintf(const char *format, ...);

// _cleanup_(freep): frees what a local pointer owns.
static inline void freep(void *pointer) {
	free(*(void **)pointer);
}

// Hands a local owner's pointer on: the variable becomes NULL, the value is returned.
#define take_ptr(variable) \
	__extension__({ \
		__typeof__(variable) taken_ = (variable); \
		(variable) = NULL; \
		taken_; \
	})
