// SPDX-License-Identifier: Apache-2.0
// A hash table from text to pointer. Keys and values are borrowed: a key must live as long as its
// entry (usually inside the value). Hashing is keyed per process, so outside input cannot choose
// collisions. The order of iteration is the order of insertion as long as nothing is removed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct map_entry {
	struct str key;
	void *value; // NULL: removed
	uint64_t hash;
};

struct map {
	struct map_entry *entries; // in insertion order
	size_t n;		   // entries in use, removed ones included
	size_t live;
	size_t cap;
	uint32_t *slots; // index + 1 into entries; 0 empty
	size_t slot_count;
};

#define MAP_INIT \
	{ NULL, 0, 0, 0, NULL, 0 }

void map_finish(struct map *map);
// The value, or NULL.
void *map_get(const struct map *map, struct str key);
// Adds or replaces (the new key pointer too); value is not NULL. Returns the old value or NULL.
void *map_put(struct map *map, struct str key, void *value);
// Returns the value taken out, or NULL.
void *map_remove(struct map *map, struct str key);
static inline size_t map_count(const struct map *map) {
	return map->live;
}
// Iteration: start with *cursor = 0; NULL at the end. The entry returned may be removed.
struct map_entry *map_next(const struct map *map, size_t *cursor);
// The key of a number, for maps keyed by id: the bytes of *number, which must live as long.
static inline struct str map_key_u64(const uint64_t *number) {
	return (struct str){(const char *)number, sizeof(*number)};
}
// Sets the process-wide hash key; call once at start, before any map is used. The simulator
// leaves it at its default so that a seed fixes everything.
void map_seed(uint64_t seed);
