// SPDX-License-Identifier: Apache-2.0
// Making a snapshot: parse, merge, fill, check. Whoever holds a reference may read it from any
// thread, because nothing in it changes after snapshot_create has returned it.
#include "config/snapshot_parts.h"

#include "base/alloc.h"
#include "config/policy.h"
#include "formats/toml.h"

const char *section_title(struct arena *arena, const struct section *section) {
	return arena_printf(arena, section->is_list ? "[[%s]]" : "[%s]", section->name);
}

const struct part *snapshot_part(const struct snapshot *snapshot, const struct section *section) {
	const struct schema *schema = snapshot->schema;
	for (size_t i = 0; i < schema->section_count; i++) {
		if (schema->sections[i] == section) {
			return &snapshot->parts[i];
		}
	}
	return NULL;
}

static void run_check(const struct section *section, void *config, struct place place,
	struct option_reader *reader) {
	if (section->check) {
		section->check(config, place, reader->arena, reader->problems);
	}
}

static void fill_table(struct option_reader *reader, const struct section *section,
	const struct value *value, struct place where, struct part *part) {
	part->config = arena_alloc(reader->arena, section->size);
	if (value && value->type == VALUE_ARRAY) {
		problems_add(reader->problems, value->place,
			"[%s] is one section, not a list: write [%s]", section->name,
			section->name);
		value = NULL;
	}
	struct option_scope scope = {.name = section_title(reader->arena, section)};
	reader->scope = &scope;
	reader->hash = 0;
	if (option_fill(reader, section->rows, value, where, part->config)) {
		run_check(section, part->config, where, reader);
	}
	reader->scope = NULL;
	part->hash = reader->hash;
}

static void fill_list(struct option_reader *reader, const struct section *section,
	const struct value *value, struct part *part) {
	if (!value) {
		return;
	}
	if (value->type == VALUE_TABLE) {
		problems_add(reader->problems, value->place,
			"[[%s]] is a list of sections: write [[%s]]", section->name, section->name);
		return;
	}
	const char *title = section_title(reader->arena, section);
	if (!option_check_list(reader, title, value)) {
		return;
	}
	size_t n = value->array.n;
	char *items = arena_array(reader->arena, n, section->size);
	part->hashes = arena_array(reader->arena, n, sizeof(uint64_t));
	for (size_t i = 0; i < n && !arena_is_over(reader->arena); i++) {
		void *item = items + i * section->size;
		reader->hash = 0;
		if (option_fill_item(reader, section->rows, title, value, i, item)) {
			run_check(section, item, value->array.items[i].place, reader);
		}
		part->hashes[i] = reader->hash;
		part->hash = option_mix(part->hash, reader->hash);
	}
	part->hash = option_mix(part->hash, n);
	part->list = (struct item_list){items, n};
	(void)option_check_names(reader, section->rows, title, value);
}

static void complain_section(
	const struct schema *schema, const struct member *member, struct problems *problems) {
	struct buf known = BUF_INIT;
	const char **names = xcalloc(schema->section_count, sizeof(*names));
	for (size_t i = 0; i < schema->section_count; i++) {
		names[i] = schema->sections[i]->name;
		buf_appendf(&known, "%s %s", i ? "," : "", names[i]);
	}
	struct str key = str_head(member->key, 80);
	bool is_section = member->value.type == VALUE_TABLE || member->value.type == VALUE_ARRAY;
	const char *near = option_nearest(member->key, names, schema->section_count);
	if (!is_section) {
		problems_add(problems, member->place,
			"the key \"%" STR_FMT "\" stands outside of any section; the sections "
			"are%s",
			STR_ARG(key), buf_text(&known));
	} else if (near) {
		problems_add(problems, member->place,
			"unknown section [%" STR_FMT "]; did you mean [%s]?", STR_ARG(key), near);
	} else {
		problems_add(problems, member->place,
			"unknown section [%" STR_FMT "]; the sections are%s", STR_ARG(key),
			buf_text(&known));
	}
	free(names);
	buf_finish(&known);
}

static void fill_sections(struct snapshot *snapshot, struct option_reader *reader,
	const struct value *root, struct place nowhere) {
	const struct schema *schema = snapshot->schema;
	for (size_t i = 0; i < schema->section_count; i++) {
		const struct section *section = schema->sections[i];
		struct part *part = &snapshot->parts[i];
		const struct member *member = value_find_member(root, str_from(section->name));
		part->source = member ? &member->value : NULL;
		if (section->is_list) {
			part->source = presets_join(reader->arena, section, part->source);
			fill_list(reader, section, part->source, part);
		} else {
			fill_table(reader, section, part->source,
				member ? member->value.place : nowhere, part);
		}
	}
	for (size_t i = 0; root && i < root->table.n; i++) {
		if (!schema_find(schema, root->table.members[i].key)) {
			complain_section(schema, &root->table.members[i], reader->problems);
		}
	}
}

static const struct value *parse_files(
	struct arena *arena, const struct config_files *files, struct problems *problems) {
	const struct value **roots = arena_array(arena, files->n, sizeof(*roots));
	for (size_t i = 0; i < files->n; i++) {
		const char *path = arena_copy(arena, files->items[i].path);
		bool is_policy = str_ends(files->items[i].path, STR(".yaml"));
		roots[i] = is_policy ? policy_parse(arena, path, files->items[i].text, problems)
				     : toml_parse(arena, path, files->items[i].text, problems);
	}
	return merge_roots(arena, roots, files->n, problems);
}

static atomic_size_t bytes_held;

size_t snapshot_bytes(void) {
	return atomic_load_explicit(&bytes_held, memory_order_relaxed);
}

// Beyond the limit nothing was read any more: whatever else is told of it may be wrong.
static void complain_size(
	const struct snapshot *snapshot, struct place where, struct problems *problems) {
	problems_add(problems, where,
		"the configuration takes more than %.1f MB of memory, a twelfth of what Anna may "
		"take in all: fewer mappings, or a larger MemoryMax for her unit",
		(double)arena_limit(snapshot->arena) / 1e6);
}

struct snapshot *snapshot_create(
	const struct schema *schema, const struct config_files *files, struct problems *problems) {
	size_t errors = problems->errors;
	struct snapshot *snapshot = xcalloc(1, sizeof(*snapshot));
	atomic_init(&snapshot->references, 1);
	snapshot->arena = arena_create();
	snapshot->schema = schema;
	snapshot->parts = arena_array(snapshot->arena, schema->section_count, sizeof(struct part));
	memcpy(snapshot->hash, files->hash, sizeof(snapshot->hash));
	arena_set_limit(snapshot->arena, schema->memory_max);
	const struct value *root = parse_files(snapshot->arena, files, problems);
	struct option_reader reader = {.arena = snapshot->arena,
		.problems = problems,
		.variant_sets = schema->variant_sets,
		.variant_set_count = schema->variant_set_count,
		.fs = files->fs};
	struct place nowhere = {0};
	if (files->n) {
		nowhere.file = arena_copy(snapshot->arena, files->items[0].path);
	}
	if (!arena_is_over(snapshot->arena)) {
		fill_sections(snapshot, &reader, root, nowhere);
	}
	if (arena_is_over(snapshot->arena)) {
		complain_size(snapshot, nowhere, problems);
	}
	problems_sort(problems);
	if (problems->errors != errors) {
		snapshot_unref(snapshot);
		return NULL;
	}
	snapshot->counted_bytes = arena_used(snapshot->arena);
	atomic_fetch_add_explicit(&bytes_held, snapshot->counted_bytes, memory_order_relaxed);
	return snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot) {
	atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
	return snapshot;
}

void snapshot_unref(struct snapshot *snapshot) {
	if (snapshot &&
		atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) == 1) {
		atomic_fetch_sub_explicit(
			&bytes_held, snapshot->counted_bytes, memory_order_relaxed);
		arena_destroy(snapshot->arena);
		free(snapshot);
	}
}

const void *snapshot_section(const struct snapshot *snapshot, const struct section *section) {
	const struct part *part = snapshot_part(snapshot, section);
	assert(part && !section->is_list);
	return part->config;
}

struct item_list snapshot_list(const struct snapshot *snapshot, const struct section *section) {
	const struct part *part = snapshot_part(snapshot, section);
	assert(part && section->is_list);
	return part->list;
}

const char *snapshot_hash(const struct snapshot *snapshot) {
	return snapshot->hash;
}

static void format_part(struct option_writer *writer, const struct section *section,
	const struct part *part, struct buf *path) {
	buf_clear(path);
	buf_append_text(path, section->name);
	if (!section->is_list) {
		option_write(writer, section->rows, part->config, path, part->source);
		return;
	}
	size_t len = path->len;
	for (size_t i = 0; i < part->list.n; i++) {
		const void *item = (char *)part->list.items + i * section->size;
		option_format_index(section->rows, item, i, path);
		option_write(writer, section->rows, item, path, &part->source->array.items[i]);
		path->len = len;
	}
}

void snapshot_format(const struct snapshot *snapshot, bool with_origin, struct buf *out) {
	struct option_writer writer = {
		.out = out, .with_origin = with_origin, .defaults = {.arena = arena_create()}};
	struct buf path = BUF_INIT;
	for (size_t i = 0; i < snapshot->schema->section_count; i++) {
		format_part(&writer, snapshot->schema->sections[i], &snapshot->parts[i], &path);
	}
	buf_finish(&path);
	arena_destroy(writer.defaults.arena);
}
