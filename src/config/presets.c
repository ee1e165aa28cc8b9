// SPDX-License-Identifier: Apache-2.0
// The built-in items of a list section, joined with the given ones before anything is filled: a
// given item of the same name changes only the keys it has. So checks, diffs, origins and hashes
// see one list and know of no difference.
#include "config/snapshot_parts.h"

#include "base/map.h"
#include "formats/toml.h"

// All members of `given`, then those of `preset` that it leaves out.
static struct value overlay(
	struct arena *arena, const struct value *preset, const struct value *given) {
	struct value joined = *given;
	joined.table.members = arena_array(
		arena, given->table.n + preset->table.n, sizeof(struct member));
	if (given->table.n) {
		memcpy(joined.table.members, given->table.members,
			given->table.n * sizeof(struct member));
	}
	for (size_t i = 0; i < preset->table.n; i++) {
		if (!value_find_member(given, preset->table.members[i].key)) {
			joined.table.members[joined.table.n++] = preset->table.members[i];
		}
	}
	return joined;
}

static const struct value *name_of(const struct value *item) {
	const struct value *name = value_get(item, STR("name"));
	return name && name->type == VALUE_STRING ? name : NULL;
}

static const struct value *parse(struct arena *arena, const struct section *section) {
	struct problems problems = PROBLEMS_INIT;
	const struct value *root = toml_parse(
		arena, "built-in", str_from(section->presets), &problems);
	const struct value *items = value_get(root, str_from(section->name));
	assert(!problems.errors && items && "the presets of a section are not its TOML");
	problems_finish(&problems);
	return items;
}

const struct value *presets_join(
	struct arena *arena, const struct section *section, const struct value *given) {
	if (!section->presets || (given && given->type != VALUE_ARRAY)) {
		return given; // a wrong type is told where it is filled
	}
	const struct value *presets = parse(arena, section);
	struct value *joined = ARENA_NEW(arena, struct value);
	struct map by_name = MAP_INIT;
	*joined = given ? *given : *presets;
	joined->array.n = presets->array.n;
	joined->array.items = arena_array(
		arena, presets->array.n + (given ? given->array.n : 0), sizeof(struct value));
	for (size_t i = 0; i < presets->array.n; i++) {
		struct value *item = &joined->array.items[i];
		*item = presets->array.items[i];
		map_put(&by_name, name_of(item)->string, item);
	}
	for (size_t i = 0; given && i < given->array.n; i++) {
		const struct value *item = &given->array.items[i];
		const struct value *name = name_of(item);
		struct value *preset = name ? map_remove(&by_name, name->string) : NULL;
		if (preset) {
			*preset = overlay(arena, preset, item);
		} else {
			joined->array.items[joined->array.n++] = *item;
		}
	}
	map_finish(&by_name);
	return joined;
}
