// SPDX-License-Identifier: Apache-2.0
// One configuration, read, checked and immutable, with one arena that owns all of it. Reference
// counted: a borrower that outlives a reload keeps the old one alive.
#pragma once

#include "base/err.h"
#include "config/schema.h"
#include "io/fs.h"

struct snapshot;

// The text of one file, as it was read.
struct config_file {
	struct str path;
	struct str text;
};

// All files of a configuration: config.toml, then conf.d/*.toml and policies.d/*.yaml beside it,
// each in order of name. Owned by its arena. All may be missing: no files is the default configuration.
struct config_files {
	struct arena *arena;
	struct config_file *items;
	size_t n;
	char hash[65]; // SHA-256 over names (below the folder of the main file) and contents
	struct fs *fs; // where the files of secrets are read when it is filled; NULL: they are not
};

#define CONFIG_FILE_MAX (8 * 1024 * 1024) // of all files together
#define CONFIG_FILES_MAX 100		  // in each folder

// Reads the files. `path` NULL: no file. A main file that is named and missing is an error
// (ERR_NOT_FOUND) only if is_required. Never writes, never creates. Blocking: for jobs.
_must_use_ bool config_files_read(struct fs *fs, const char *path, bool is_required,
	struct config_files *out, struct err *err);
void config_files_finish(struct config_files *files);
// Writes the hash from the items.
void config_files_hash(struct config_files *files);

// Parses, merges (a key given in two files is a problem, lists are joined in order), fills and
// checks every section. NULL when there are errors; warnings leave it usable; problems come sorted.
// Pure, but for the files of secrets (files->fs). Does not keep `files`; keeps `schema`.
_must_use_ struct snapshot *snapshot_create(
	const struct schema *schema, const struct config_files *files, struct problems *problems);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);

// The filled struct of a section that is a table. Never NULL for a section of the schema.
const void *snapshot_section(const struct snapshot *snapshot, const struct section *section);
// The items of a section that is a list: n structs, section->size bytes apart.
struct item_list snapshot_list(const struct snapshot *snapshot, const struct section *section);
// Bytes that all configurations together take which somebody still holds, from any thread.
size_t snapshot_bytes(void);
const char *snapshot_hash(const struct snapshot *snapshot);

// The effective configuration as `path = value` lines; with_origin appends "  # file:line" or
// "  # default".
void snapshot_format(const struct snapshot *snapshot, bool with_origin, struct buf *out);

struct change {
	const char *path;   // "mappings[disk-full].where", in the arena given
	const char *before; // TOML text; NULL: was not there
	const char *after;  // NULL: is gone
	bool needs_restart;
};

struct changes {
	struct change *items;
	size_t n;
};

// What is different, option by option (secrets only as "(secret)"). Items of lists are matched by
// `name`. Fast when little is different: parts whose fill hash is equal are not compared.
void snapshot_diff(const struct snapshot *before, const struct snapshot *after, struct arena *arena,
	struct changes *out);
// Whether a section differs at all between two snapshots.
bool snapshot_section_equal(
	const struct snapshot *a, const struct snapshot *b, const struct section *section);
