// SPDX-License-Identifier: Apache-2.0
// The index of mappings by kind; see listeners.h. Answers are cached per kind, at most CACHE_MAX of
// them: kinds under user.* are made up by emitters, and must not fill memory.
#include "engine/listeners.h"

#include "base/alloc.h"
#include "base/map.h"
#include "engine/mapping.h"

#define CACHE_MAX 512

// The mappings that have this very pattern.
struct bucket {
	struct str pattern;
	uint32_t *items; // rising
	size_t n, cap;
	struct bucket *next_wild;
};

struct cached {
	struct str kind;
	struct match_list *list;
};

struct listeners {
	uint32_t refs;
	uint32_t lookups; // not done yet: the cache must stay
	struct arena *arena;
	struct map buckets;
	struct bucket *wild; // those with * or ?
	struct map cache;    // kind -> struct cached
};

static bool has_wildcard(struct str pattern) {
	return str_find_char(pattern, '*') >= 0 || str_find_char(pattern, '?') >= 0;
}

static void add_pattern(struct listeners *listeners, struct str pattern, uint32_t position) {
	struct bucket *bucket = map_get(&listeners->buckets, pattern);
	if (!bucket) {
		bucket = ARENA_NEW(listeners->arena, struct bucket);
		bucket->pattern = arena_copy_str(listeners->arena, pattern);
		(void)map_put(&listeners->buckets, bucket->pattern, bucket);
		if (has_wildcard(pattern)) {
			bucket->next_wild = listeners->wild;
			listeners->wild = bucket;
		}
	}
	if (bucket->n && bucket->items[bucket->n - 1] == position) {
		return; // the same pattern twice in one mapping
	}
	if (bucket->n == bucket->cap) {
		size_t cap = bucket->cap ? bucket->cap * 2 : 2;
		uint32_t *items = arena_array(listeners->arena, cap, sizeof(*items));
		if (bucket->n) {
			memcpy(items, bucket->items, bucket->n * sizeof(*items));
		}
		bucket->items = items;
		bucket->cap = cap;
	}
	bucket->items[bucket->n++] = position;
}

struct listeners *listeners_create(const struct mapping *mappings, size_t n) {
	struct listeners *listeners = xcalloc(1, sizeof(*listeners));
	listeners->refs = 1;
	listeners->arena = arena_create();
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; mappings[i].enabled && k < mappings[i].on.n; k++) {
			add_pattern(listeners, mappings[i].on.items[k], (uint32_t)i);
		}
	}
	return listeners;
}

struct listeners *listeners_ref(struct listeners *listeners) {
	listeners->refs++;
	return listeners;
}

static void clear_cache(struct listeners *listeners) {
	struct map_entry *entry;
	for (size_t cursor = 0; (entry = map_next(&listeners->cache, &cursor));) {
		struct cached *cached = entry->value;
		free(cached->list);
		free(cached);
	}
	map_finish(&listeners->cache);
	listeners->cache = (struct map)MAP_INIT;
}

void listeners_unref(struct listeners *listeners) {
	if (!listeners || --listeners->refs > 0) {
		return;
	}
	clear_cache(listeners);
	map_finish(&listeners->buckets);
	arena_destroy(listeners->arena);
	free(listeners);
}

static int compare_positions(const void *a, const void *b) {
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return left < right ? -1 : left > right;
}

static void append_bucket(struct match_list **list, size_t *cap, const struct bucket *bucket) {
	if ((*list)->n + bucket->n > *cap) {
		*cap = ((*list)->n + bucket->n) * 2;
		*list = xrealloc(*list, sizeof(**list) + *cap * sizeof(uint32_t));
	}
	memcpy((*list)->items + (*list)->n, bucket->items, bucket->n * sizeof(uint32_t));
	(*list)->n += (uint32_t)bucket->n;
}

static struct match_list *collect(const struct listeners *listeners, struct str kind) {
	size_t cap = 8;
	struct match_list *list = xmalloc(sizeof(*list) + cap * sizeof(uint32_t));
	*list = (struct match_list){0};
	const struct bucket *exact = map_get(&listeners->buckets, kind);
	if (exact && !has_wildcard(kind)) {
		append_bucket(&list, &cap, exact);
	}
	bool is_mixed = false; // several buckets: order and doubles need care
	for (const struct bucket *bucket = listeners->wild; bucket; bucket = bucket->next_wild) {
		if (mapping_pattern_matches(bucket->pattern, kind)) {
			is_mixed = is_mixed || list->n > 0;
			append_bucket(&list, &cap, bucket);
		}
	}
	if (!is_mixed) {
		return list;
	}
	qsort(list->items, list->n, sizeof(uint32_t), compare_positions);
	uint32_t n = 0;
	for (uint32_t i = 0; i < list->n; i++) {
		if (n == 0 || list->items[n - 1] != list->items[i]) {
			list->items[n++] = list->items[i];
		}
	}
	list->n = n;
	return list;
}

const struct match_list *listeners_find(struct listeners *listeners, struct str kind) {
	struct cached *cached = map_get(&listeners->cache, kind);
	if (cached) {
		listeners->lookups++;
		return cached->list;
	}
	struct match_list *list = collect(listeners, kind);
	if (map_count(&listeners->cache) >= CACHE_MAX && listeners->lookups == 0) {
		clear_cache(listeners);
	}
	if (map_count(&listeners->cache) < CACHE_MAX) {
		cached = xmalloc(sizeof(*cached) + kind.len);
		memcpy(cached + 1, kind.at, kind.len);
		*cached = (struct cached){str_range((const char *)(cached + 1), kind.len), list};
		list->is_cached = true;
		(void)map_put(&listeners->cache, cached->kind, cached);
	}
	listeners->lookups++;
	return list;
}

void listeners_done(struct listeners *listeners, const struct match_list *list) {
	assert(listeners->lookups > 0);
	listeners->lookups--;
	if (!list->is_cached) {
		free((void *)(uintptr_t)list);
	}
}
