// SPDX-License-Identifier: Apache-2.0
// Option rows: the single description of every input. One row says key, type, place in a struct,
// default, limits, unit, how a change applies and what it is for; config files, RPC parameters,
// action arguments and CLI flags are parsed, checked, listed and documented from the same rows.
//
// A table of rows ends with an all-zero row. Filled structs hold borrowed text: everything lives in
// the arena given. Which C type stands at the offset is fixed by the row's type, below.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/problems.h"
#include "formats/value.h"

enum option_type {
	OPTION_END = 0,
	OPTION_BOOL,	 // bool
	OPTION_INT,	 // int64_t, min..max
	OPTION_NUMBER,	 // double, min..max
	OPTION_STRING,	 // struct str; min..max is its length in bytes
	OPTION_DURATION, // int64_t nanoseconds; "5m" or a number of seconds; min..max in nanoseconds
	OPTION_SIZE,	 // int64_t bytes; "64MiB" (KiB MiB GiB; kB MB GB) or a number of bytes
	OPTION_CHOICE,	 // int: index into choices
	OPTION_STRINGS,	 // struct strings; one string is a list of one; min..max is the count
	OPTION_TABLE,	 // the struct of `rows`, embedded at the offset
	OPTION_LIST,	 // struct item_list of structs of `rows`, item_size bytes each
	OPTION_TAGGED,	 // struct tagged: a table whose `type` names one of `variants`
	OPTION_VALUE // const struct value *: kept as it is (NULL when absent), compiled by a check
};

// How a change of this option takes effect.
enum option_apply {
	APPLY_LIVE = 0,
	APPLY_RESTART
};

struct strings {
	struct str *items;
	size_t n;
};

struct item_list {
	void *items; // n structs, item_size bytes apart
	size_t n;
};

// One kind of thing a tagged table can be (an action, say).
struct variant {
	const char *name;
	const char *summary;
	const struct option *rows;
	size_t size;		// of its struct
	const void *descriptor; // whoever made the set knows what this is
	// Cross-field rules; may be NULL.
	void (*check)(const void *config, struct place place, struct problems *problems);
};

struct variants {
	const char *noun; // "action"
	const struct variant *items;
	size_t n;
};

struct tagged {
	const struct variant *variant; // NULL when absent
	void *config;
	struct place place;
};

struct option {
	const char *key;
	enum option_type type;
	size_t offset;
	const char
		*fallback; // the default, as text in the file's syntax; NULL: zero / empty / absent
	double min, max;   // both 0: no limit
	const char *const *choices; // NULL-terminated
	const struct option *rows;  // of TABLE and LIST
	size_t item_size;	    // of LIST
	const char *variants;	    // of TAGGED: name of the set, found in the reader
	const char *unit;	    // for the documentation: "bytes", "percent"
	enum option_apply apply;
	bool is_required;
	bool is_secret;	    // never shown, written or journaled; also accepts { file = "…" } and
			    // { credential = "…" } ($CREDENTIALS_DIRECTORY, systemd.exec(5))
	bool is_positional; // on the command line: a word, not a flag
	char letter;	    // on the command line: short form, or 0
	const char *since;
	const char *deprecated; // what to use instead
	const char *help;	// one sentence
};

// Where a reading is, for messages: "in action of [[mappings]] "disk-full"".
struct option_scope {
	const struct option_scope *parent;
	const char *name;	  // "[daemon]", "action"
	const struct value *item; // of a list's item: its `name`, or else
	size_t number;		  // its number from 1, is told too
};

struct fs;
struct option_defaults;

// What a reading needs beside the rows; what is not set may be zero.
struct option_reader {
	struct arena *arena;
	struct problems *problems;
	const struct variants *variant_sets; // matched by noun
	size_t variant_set_count;
	const struct option_scope *scope; // NULL: messages do not say where
	const char *noun;		  // what messages call a key: "parameter"; NULL: "key"
	struct fs *fs; // reads the files of secrets (blocking); NULL: they stay empty, unchecked
	// Of all that was given since it was last set to 0: an equal hash means equal input (secrets
	// included), wherever it stood; a different one may. Never leaves the process.
	uint64_t hash;
	struct option_defaults *defaults; // own
};

// Fills the struct at `out` (of the rows' layout) from a table: defaults first, then the table's
// members. Unknown keys ("did you mean"), wrong types, values out of range and missing required
// options are problems, all of them, at their places; `table` may be NULL (defaults only, required
// options then are problems at `where`). True when no error was added.
bool option_fill(struct option_reader *reader, const struct option *rows, const struct value *table,
	struct place where, void *out);

// One value by its row from text (a CLI flag or a `fallback`), as the file's syntax would read it;
// strings need no quotes. For lists of strings appends one item. False: a problem was added.
bool option_fill_text(struct option_reader *reader, const struct option *row, struct str text,
	struct place where, void *out);

// Appends the filled struct as lines `prefix.key = value` in TOML syntax, in the rows' order;
// list items that have a `name` are written prefix[name].key, others prefix[0].key. Secrets are
// written as "(secret)" followed by nothing that depends on them. With only_changed, options that
// have their default value are left out.
void option_format(const struct option *rows, const void *config, struct str prefix,
	bool only_changed, struct buf *out);
// Deep equality of two filled structs of the same rows; secrets included.
bool option_equal(const struct option *rows, const void *a, const void *b);

const struct option *option_find(const struct option *rows, struct str key);
// The nearest of a set of names for "did you mean"; NULL when none is near (distance > 1/3).
const char *option_nearest(struct str wrong, const char *const *names, size_t n);
// "a duration like 90s or 5m", "one of low, high": for messages and documentation.
void option_describe_type(const struct option *row, struct buf *out);
// Sizes as text: "64MiB", and back.
_must_use_ bool size_parse(struct str text, int64_t *out_bytes);
void size_format(struct buf *out, int64_t bytes);
