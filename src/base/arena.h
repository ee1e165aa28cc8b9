// SPDX-License-Identifier: Apache-2.0
// Memory that lives and dies together: allocations are never freed one by one, the arena is.
// Not thread-safe; one owner at a time. Everything returned is 16-byte aligned, and zeroed unless it
// says otherwise.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/str.h"

struct arena;

_must_use_ struct arena *arena_create(void);
// Frees the arena and all that came from it; NULL is fine.
void arena_destroy(struct arena *arena);
void arena_destroyp(struct arena **arena); // for _cleanup_
// Keeps the first block, forgets the rest: for an arena reused per call.
void arena_clear(struct arena *arena);

_must_use_ void *arena_alloc(struct arena *arena, size_t size);
// The same, not zeroed: for what is written whole at once.
_must_use_ void *arena_alloc_raw(struct arena *arena, size_t size);
// n items of size bytes each; aborts on overflow.
_must_use_ void *arena_array(struct arena *arena, size_t n, size_t size);
// Copies, NUL-terminated.
_must_use_ char *arena_copy(struct arena *arena, struct str s);
_must_use_ struct str arena_copy_str(struct arena *arena, struct str s);
_must_use_ _printf_(2, 3) char *arena_printf(struct arena *arena, const char *format, ...);

// Bytes handed out so far.
size_t arena_used(const struct arena *arena);
// A limit that is asked for, not enforced: whoever fills an arena with what came from outside stops when
// it is over. 0: none.
void arena_set_limit(struct arena *arena, size_t bytes);
size_t arena_limit(const struct arena *arena);
bool arena_is_over(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
