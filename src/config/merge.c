// SPDX-License-Identifier: Apache-2.0
// config.toml, conf.d/*.toml and policies.d/*.yaml as one table. Values are shared with the files' trees, which live
// in the same arena; nothing that came from a file is changed.
#include "config/snapshot_parts.h"

#include "base/map.h"

static bool is_list_of_tables(const struct value *value) {
	for (size_t i = 0; value->type == VALUE_ARRAY && i < value->array.n; i++) {
		if (value->array.items[i].type != VALUE_TABLE) {
			return false;
		}
	}
	return value->type == VALUE_ARRAY && value->array.n > 0;
}

static struct value join(struct arena *arena, const struct value *a, const struct value *b) {
	struct value joined = *a;
	joined.array.n = a->array.n + b->array.n;
	joined.array.items = arena_array(arena, joined.array.n, sizeof(struct value));
	memcpy(joined.array.items, a->array.items, a->array.n * sizeof(struct value));
	memcpy(joined.array.items + a->array.n, b->array.items, b->array.n * sizeof(struct value));
	return joined;
}

static struct value merge_tables(struct arena *arena, const struct value *a, const struct value *b,
	struct problems *problems) {
	struct value merged = *a;
	merged.table.n = 0;
	merged.table.members = arena_array(arena, a->table.n + b->table.n, sizeof(struct member));
	struct map known = MAP_INIT;
	for (size_t i = 0; i < a->table.n; i++) {
		struct member *member = &merged.table.members[merged.table.n++];
		*member = a->table.members[i];
		map_put(&known, member->key, member);
	}
	for (size_t i = 0; i < b->table.n; i++) {
		const struct member *second = &b->table.members[i];
		struct member *first = map_get(&known, second->key);
		if (!first) {
			merged.table.members[merged.table.n++] = *second;
		} else if (first->value.type == VALUE_TABLE && second->value.type == VALUE_TABLE) {
			first->value = merge_tables(arena, &first->value, &second->value, problems);
		} else if (is_list_of_tables(&first->value) && is_list_of_tables(&second->value)) {
			first->value = join(arena, &first->value, &second->value);
		} else {
			struct str key = str_head(second->key, 80);
			problems_add(problems, second->place,
				"\"%" STR_FMT "\" is given in two files; it stands at %s:%u:%u too",
				STR_ARG(key), first->place.file ? first->place.file : "",
				first->place.line, first->place.column);
		}
	}
	map_finish(&known);
	return merged;
}

const struct value *merge_roots(struct arena *arena, const struct value *const *roots, size_t n,
	struct problems *problems) {
	if (n == 0) {
		return NULL;
	}
	struct value merged = *roots[0];
	for (size_t i = 1; i < n; i++) {
		merged = merge_tables(arena, &merged, roots[i], problems);
	}
	struct value *root = ARENA_NEW(arena, struct value);
	*root = merged;
	return root;
}
