// SPDX-License-Identifier: Apache-2.0
// What a config file may hold: sections, each a table or a list of tables described by rows. The
// schema is put together by daemon/ from the tables of capabilities and sources, and passed in:
// this folder knows options, no capability by name.
#pragma once

#include "config/option.h"

struct section {
	const char *name;    // "host"; for a list "mappings" ([[mappings]])
	const char *summary; // one sentence
	bool is_list;
	const struct option *rows;
	size_t size; // of one filled struct
	// Pure cross-field rules over the filled struct (of a list: over each item); may be NULL.
	// May compile (for instance conditions) into the snapshot's arena and write the result into
	// the config struct; problems name the place.
	void (*check)(
		void *config, struct place place, struct arena *arena, struct problems *problems);
	const char *example; // TOML for the documentation and the sample config; may be NULL
	// Of a list: TOML of items that are there without being given; an item given with the name
	// of one changes only the keys it has. NULL: none.
	const char *presets;
};

struct json_writer;

struct schema {
	const struct section *const *sections; // in the order of documentation
	size_t section_count;
	const struct variants *variant_sets;
	size_t variant_set_count;
	// What one filled configuration may take, in bytes; 0: no limit. Set while jobs read it.
	_Atomic size_t memory_max;
};

const struct section *schema_find(const struct schema *schema, struct str name);
// Appends all as one JSON object: what documentation, manual pages and completions are made from
// (its shape is described at the top of tools/docs).
void schema_format_json(const struct schema *schema, struct buf *out);
// The same as members ("sections", "variants") of an object that the caller has begun.
void schema_write_members(struct json_writer *json, const struct schema *schema);
// The member "options" of any rows (a method's parameters, a command's flags), in the same shape.
void schema_write_options(struct json_writer *json, const struct option *rows);
// Appends a commented sample configuration: every option at its default, commented out, with text.
void schema_format_sample(const struct schema *schema, struct buf *out);
