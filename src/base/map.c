// SPDX-License-Identifier: Apache-2.0
// Insertion-ordered open addressing: a dense entry array and a sparse table of indexes into it.
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static uint64_t hash_seed = 0x9e3779b97f4a7c15u;

void map_seed(uint64_t seed) {
	hash_seed = seed;
}

static uint64_t mix(uint64_t a, uint64_t b) {
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// A multiply-mix hash in the manner of wyhash; the seed makes collisions unguessable.
static uint64_t hash_key(struct str key) {
	uint64_t hash = hash_seed ^ key.len;
	size_t i = 0;
	for (; i + 8 <= key.len; i += 8) {
		uint64_t word;
		memcpy(&word, key.at + i, 8);
		hash = mix(hash ^ word, 0xa0761d6478bd642fu);
	}
	uint64_t tail = 0;
	if (i < key.len) {
		memcpy(&tail, key.at + i, key.len - i);
	}
	return mix(hash ^ tail, 0xe7037ed1a0b428dbu);
}

void map_finish(struct map *map) {
	free(map->entries);
	free(map->slots);
	*map = (struct map)MAP_INIT;
}

static void rebuild(struct map *map, size_t slot_count) {
	size_t kept = 0;
	for (size_t i = 0; i < map->n; i++) {
		if (map->entries[i].value) {
			map->entries[kept++] = map->entries[i];
		}
	}
	map->n = kept;
	free(map->slots);
	map->slots = xcalloc(slot_count, sizeof(*map->slots));
	map->slot_count = slot_count;
	for (size_t i = 0; i < kept; i++) {
		size_t slot = map->entries[i].hash & (slot_count - 1);
		while (map->slots[slot]) {
			slot = (slot + 1) & (slot_count - 1);
		}
		map->slots[slot] = (uint32_t)i + 1;
	}
}

static struct map_entry *find(const struct map *map, struct str key, uint64_t hash) {
	if (!map->slot_count) {
		return NULL;
	}
	size_t slot = hash & (map->slot_count - 1);
	for (; map->slots[slot]; slot = (slot + 1) & (map->slot_count - 1)) {
		struct map_entry *entry = &map->entries[map->slots[slot] - 1];
		if (entry->value && entry->hash == hash && str_equal(entry->key, key)) {
			return entry;
		}
	}
	return NULL;
}

void *map_get(const struct map *map, struct str key) {
	if (!map->live) {
		return NULL;
	}
	struct map_entry *entry = find(map, key, hash_key(key));
	return entry ? entry->value : NULL;
}

void *map_put(struct map *map, struct str key, void *value) {
	uint64_t hash = hash_key(key);
	struct map_entry *entry = find(map, key, hash);
	if (entry) {
		void *old = entry->value;
		entry->key = key;
		entry->value = value;
		return old;
	}
	if (map->n + 1 > map->slot_count / 4 * 3) { // removed entries count: they hold slots
		size_t want = 16;
		while (want / 4 * 3 < map->live + 1 + map->live / 2) {
			want *= 2;
		}
		rebuild(map, want);
	}
	if (map->n == map->cap) {
		map->cap = map->cap ? map->cap * 2 : 8;
		map->entries = xreallocarray(map->entries, map->cap, sizeof(*map->entries));
	}
	size_t slot = hash & (map->slot_count - 1);
	while (map->slots[slot]) {
		slot = (slot + 1) & (map->slot_count - 1);
	}
	map->entries[map->n] = (struct map_entry){key, value, hash};
	map->slots[slot] = (uint32_t)++map->n;
	map->live++;
	return NULL;
}

void *map_remove(struct map *map, struct str key) {
	struct map_entry *entry = map->live ? find(map, key, hash_key(key)) : NULL;
	if (!entry) {
		return NULL;
	}
	void *value = entry->value;
	entry->value = NULL;
	entry->key = (struct str){NULL, 0};
	map->live--;
	return value;
}

struct map_entry *map_next(const struct map *map, size_t *cursor) {
	while (*cursor < map->n) {
		struct map_entry *entry = &map->entries[(*cursor)++];
		if (entry->value) {
			return entry;
		}
	}
	return NULL;
}
