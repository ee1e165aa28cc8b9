// SPDX-License-Identifier: Apache-2.0
// Blocks that double in size up to 64 KiB; larger wishes get a block of their own.
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define BLOCK_MOST 65536

struct block {
	struct block *next;
	size_t size;
	size_t used;
	_Alignas(16) char bytes[];
};

struct arena {
	struct block *newest;
	size_t used;
	size_t limit; // 0: none
};

static struct block *block_create(size_t size) {
	struct block *block = xmalloc(sizeof(*block) + size);
	*block = (struct block){.size = size};
	return block;
}

struct arena *arena_create(void) {
	struct arena *arena = xcalloc(1, sizeof(*arena));
	return arena;
}

static void blocks_free(struct block *block) {
	while (block) {
		struct block *next = block->next;
		free(block);
		block = next;
	}
}

void arena_destroy(struct arena *arena) {
	if (arena) {
		blocks_free(arena->newest);
		free(arena);
	}
}

void arena_destroyp(struct arena **arena) {
	arena_destroy(*arena);
}

void arena_clear(struct arena *arena) {
	struct block *kept = arena->newest;
	if (kept && kept->size > BLOCK_MOST) { // one large call must not hold memory for ever
		blocks_free(kept);
		arena->newest = NULL;
	} else if (kept) {
		blocks_free(kept->next);
		kept->next = NULL;
		kept->used = 0;
	}
	arena->used = 0;
}

void *arena_alloc_raw(struct arena *arena, size_t size) {
	size_t rounded = (size + 15) & ~(size_t)15;
	struct block *block = arena->newest;
	if (rounded < size) {
		abort(); // sizes from outside are limited long before this
	}
	if (!block || block->size - block->used < rounded) {
		size_t want = block ? block->size * 2 : 1024;
		want = want > BLOCK_MOST ? BLOCK_MOST : want;
		block = block_create(want > rounded ? want : rounded);
		block->next = arena->newest;
		arena->newest = block;
	}
	void *at = block->bytes + block->used;
	block->used += rounded;
	arena->used += rounded;
	return at;
}

void *arena_alloc(struct arena *arena, size_t size) {
	return memset(arena_alloc_raw(arena, size), 0, size);
}

void *arena_array(struct arena *arena, size_t n, size_t size) {
	size_t total;
	if (__builtin_mul_overflow(n, size, &total)) {
		abort();
	}
	return arena_alloc(arena, total);
}

char *arena_copy(struct arena *arena, struct str s) {
	char *copy = arena_alloc_raw(arena, s.len + 1);
	if (s.len) {
		memcpy(copy, s.at, s.len);
	}
	copy[s.len] = '\0';
	return copy;
}

struct str arena_copy_str(struct arena *arena, struct str s) {
	return (struct str){arena_copy(arena, s), s.len};
}

char *arena_printf(struct arena *arena, const char *format, ...) {
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *text = arena_alloc(arena, n < 0 ? 1 : (size_t)n + 1);
	if (n > 0) {
		(void)vsnprintf(text, (size_t)n + 1, format, again);
	}
	va_end(again);
	return text;
}

size_t arena_used(const struct arena *arena) {
	return arena->used;
}

void arena_set_limit(struct arena *arena, size_t bytes) {
	arena->limit = bytes;
}

bool arena_is_over(const struct arena *arena) {
	return arena->limit && arena->used > arena->limit;
}

size_t arena_limit(const struct arena *arena) {
	return arena->limit;
}
