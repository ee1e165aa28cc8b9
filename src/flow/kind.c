// SPDX-License-Identifier: Apache-2.0
// The declared kinds, found by name.
#include "flow/kind.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"

struct kinds {
	const struct kind **items;
	size_t n;
	struct map by_name;
};

struct kinds *kinds_create(void) {
	return xcalloc(1, sizeof(struct kinds));
}

void kinds_destroy(struct kinds *kinds) {
	if (kinds) {
		free(kinds->items);
		map_finish(&kinds->by_name);
		free(kinds);
	}
}

void kinds_add(struct kinds *kinds, const struct kind *table) {
	for (; table && table->name; table++) {
		assert(kind_is_valid(str_from(table->name)));
		kinds->items = xreallocarray(kinds->items, kinds->n + 1, sizeof(*kinds->items));
		kinds->items[kinds->n++] = table;
		void *old = map_put(&kinds->by_name, str_from(table->name), (void *)table);
		assert(!old); // a kind is declared once
		(void)old;
	}
}

const struct kind *kinds_find(const struct kinds *kinds, struct str name) {
	return map_get(&kinds->by_name, name);
}

size_t kinds_count(const struct kinds *kinds) {
	return kinds->n;
}

const struct kind *kinds_get(const struct kinds *kinds, size_t i) {
	return kinds->items[i];
}

bool kind_is_free(struct str name) {
	return str_starts(name, STR("user.")) || str_starts(name, STR("test."));
}

bool kind_is_valid(struct str name) {
	bool part_is_empty = true;
	size_t parts = 1;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		if (c == '.') {
			if (part_is_empty) {
				return false;
			}
			part_is_empty = true;
			parts++;
			continue;
		}
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-') {
			return false;
		}
		part_is_empty = false;
	}
	return !part_is_empty && parts >= 2 && name.len <= 100;
}

const char *const journal_stream_names[JOURNAL_STREAM_COUNT] = {
	"normal", "audit", "telemetry", "state"};

const char *kind_stream_name(enum kind_stream stream) {
	return journal_stream_names[stream];
}
