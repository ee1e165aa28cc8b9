// SPDX-License-Identifier: Apache-2.0
// What the files of the TOML reader share; nobody else includes this. The text being read is a
// scrubbed copy: valid UTF-8, no control characters but tab and LF (CR LF became LF), and a NUL
// at `end`, so no reader needs to look for the end of the text by itself.
#pragma once

#include "base/map.h"
#include "base/problems.h"
#include "formats/value.h"

#define TOML_DEPTH 64
#define TOML_BAD_LINES 20 // after so many lines with bad bytes it is not a text file

struct toml_index {
	struct toml_index *next;
	struct map map; // key -> position + 1
};

struct toml_reader {
	struct arena *arena;
	const char *file;
	struct problems *problems;
	const char *at;
	const char *end;
	const char *line_start;
	uint32_t line;
	bool is_ascii;	     // then a column is a number of bytes
	const char *counted; // up to here the column is known
	uint32_t counted_column;
	int open_arrays; // arrays begun and not yet closed, for recovery after an error
	struct toml_index *indexes;
	uint32_t bad_lines[TOML_BAD_LINES]; // reported already: no second report
	size_t bad_line_count;
};

// How a table or array came to be, which says what may still be added to it.
enum toml_origin {
	TOML_IMPLICIT, // a parent named only inside a longer [header]; may be defined once
	TOML_DEFINED,  // by its own [header]
	TOML_DOTTED,   // by a dotted key
	TOML_INLINE,   // {...}: closed
	TOML_LIST,     // by [[header]]
	TOML_STATIC    // [...]: closed
};

struct toml_key_part {
	struct str name;
	struct place place;
};

struct toml_key {
	size_t n;
	struct toml_key_part parts[TOML_DEPTH];
};

// --- toml_scan.c: places, errors, blanks ---
struct place toml_place(struct toml_reader *reader, const char *at);
// Reports an error, unless its line was reported as unreadable; returns false.
_printf_(3, 4) bool toml_fail(
	struct toml_reader *reader, struct place place, const char *format, ...);
// Whether only the number of errors still matters: then no message needs to be built, so that
// a file of nothing but mistakes costs no more than a good one.
static inline bool toml_is_full(const struct toml_reader *reader) {
	return reader->problems->n >= PROBLEMS_KEPT;
}
// What stands at a place, for a message: "end of line", "'word'".
const char *toml_found(struct toml_reader *reader, const char *at);
// "expected <what>, found <what is there>" at the current place; returns false.
_printf_(2, 3) bool toml_fail_expected(struct toml_reader *reader, const char *format, ...);
// Blanks, comments and line ends.
void toml_skip_lines(struct toml_reader *reader);
// At a line end: go to the next line.
void toml_next_line(struct toml_reader *reader);
// To the line end, without passing it.
void toml_skip_to_line_end(struct toml_reader *reader);
// Both run for every byte of a key: inline.
static inline bool toml_is_bare(char c) {
	static const bool bare[256] = {['a' ... 'z'] = true,
		['0' ... '9'] = true,
		['_'] = true,
		['-'] = true,
		['A' ... 'Z'] = true};
	return bare[(unsigned char)c];
}
static inline void toml_skip_blank(struct toml_reader *reader) {
	const char *at = reader->at;
	while (*at == ' ' || *at == '\t') {
		at++;
	}
	reader->at = at;
}

// --- toml_tree.c: tables and arrays that grow ---
void toml_make_table(struct toml_reader *reader, struct value *out, enum toml_origin origin);
void toml_make_array(struct toml_reader *reader, struct value *out, enum toml_origin origin);
enum toml_origin toml_origin(const struct value *value);
void toml_set_origin(struct value *value, enum toml_origin origin);
struct member *toml_find(struct toml_reader *reader, const struct value *table, struct str key);
// The key is not there yet. Moves the table's members, so pointers to them end here.
struct member *toml_add(
	struct toml_reader *reader, struct value *table, const struct toml_key_part *part);
struct value *toml_append(struct toml_reader *reader, struct value *array);

// --- toml_string.c, toml_number.c, toml_value.c ---
// At a quote. `allow_lines`: also the triple-quoted kinds.
bool toml_read_string(struct toml_reader *reader, bool allow_lines, struct str *out);
// Numbers, booleans, dates and times.
bool toml_read_bare(struct toml_reader *reader, struct value *out);
bool toml_read_key(struct toml_reader *reader, struct toml_key *key);
// The first n parts as they are written, shortened for a message.
const char *toml_key_text(struct toml_reader *reader, const struct toml_key *key, size_t n);
// key = value into a table that is `depth` levels below the root.
bool toml_read_pair(struct toml_reader *reader, struct value *table, int depth);
