// SPDX-License-Identifier: Apache-2.0
// Tables and arrays while they grow. A struct value has no room for a capacity, so one stands
// hidden before the first member or item; it stays there unused when the value is complete.
// Growing doubles, so a table of n keys costs O(n), and a large one gets a hash index.
#include "formats/toml_reader.h"

#include <assert.h>

#define SMALL_TABLE 16 // up to here comparing keys is faster than hashing them

struct growth {
	_Alignas(16) size_t cap;
	enum toml_origin origin;
	struct toml_index *index;
};

// Both kinds are a pointer to the first element and a count: value.array and value.table.
static struct growth *growth_of(const struct value *value) {
	void *first = value->type == VALUE_TABLE ? (void *)value->table.members
						 : (void *)value->array.items;
	return (struct growth *)first - 1;
}

// Room for `cap` elements with a fresh growth before them.
static void *make_room(struct toml_reader *reader, size_t cap, size_t size, struct growth growth) {
	struct growth *head = arena_alloc(reader->arena, sizeof(*head) + cap * size);
	*head = growth;
	head->cap = cap;
	return head + 1;
}

void toml_make_table(struct toml_reader *reader, struct value *out, enum toml_origin origin) {
	size_t cap = origin == TOML_DEFINED ? 6 : 2; // most sections are small
	out->type = VALUE_TABLE;
	out->table.n = 0;
	out->table.members = make_room(
		reader, cap, sizeof(struct member), (struct growth){.origin = origin});
}

void toml_make_array(struct toml_reader *reader, struct value *out, enum toml_origin origin) {
	out->type = VALUE_ARRAY;
	out->array.n = 0;
	out->array.items = make_room(
		reader, 2, sizeof(struct value), (struct growth){.origin = origin});
}

enum toml_origin toml_origin(const struct value *value) {
	return growth_of(value)->origin;
}

void toml_set_origin(struct value *value, enum toml_origin origin) {
	growth_of(value)->origin = origin;
}

static void make_index(
	struct toml_reader *reader, const struct value *table, struct growth *growth) {
	struct toml_index *index = ARENA_NEW(reader->arena, struct toml_index);
	for (size_t i = 0; i < table->table.n; i++) {
		(void)map_put(&index->map, table->table.members[i].key, (void *)(uintptr_t)(i + 1));
	}
	index->next = reader->indexes;
	reader->indexes = index;
	growth->index = index;
}

struct member *toml_find(struct toml_reader *reader, const struct value *table, struct str key) {
	struct growth *growth = growth_of(table);
	if (table->table.n <= SMALL_TABLE) {
		for (size_t i = 0; i < table->table.n; i++) {
			if (str_equal(table->table.members[i].key, key)) {
				return &table->table.members[i];
			}
		}
		return NULL;
	}
	if (!growth->index) {
		make_index(reader, table, growth);
	}
	uintptr_t position = (uintptr_t)map_get(&growth->index->map, key);
	return position ? &table->table.members[position - 1] : NULL;
}

struct member *toml_add(
	struct toml_reader *reader, struct value *table, const struct toml_key_part *part) {
	struct growth *growth = growth_of(table);
	size_t n = table->table.n;
	if (n == growth->cap) {
		struct member *more = make_room(reader, n * 2, sizeof(*more), *growth);
		memcpy(more, table->table.members, n * sizeof(*more));
		table->table.members = more;
		growth = growth_of(table);
	}
	struct member *member = &table->table.members[table->table.n++];
	member->key = part->name;
	member->place = part->place;
	if (growth->index) {
		void *old = map_put(&growth->index->map, part->name, (void *)(uintptr_t)(n + 1));
		assert(!old);
	}
	return member;
}

struct value *toml_append(struct toml_reader *reader, struct value *array) {
	struct growth *growth = growth_of(array);
	size_t n = array->array.n;
	if (n == growth->cap) {
		struct value *more = make_room(reader, n * 2, sizeof(*more), *growth);
		memcpy(more, array->array.items, n * sizeof(*more));
		array->array.items = more;
	}
	return &array->array.items[array->array.n++];
}
