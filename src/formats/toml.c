// SPDX-License-Identifier: Apache-2.0
// A TOML document: scrubbing the text, lines, [headers], and going on after a mistake. Every
// statement is read into the table of the last header; a header that is refused gets a table of
// its own that nobody sees, so the keys below it are checked too without further complaints.
#include "formats/toml.h"

#include <endian.h>

#include "formats/toml_reader.h"

#define DOCUMENT_MAX (8u << 20)

// How many of the 8 bytes from `at` on are plain ASCII text (no control character, nothing from 0x7f
// on), at least: a borrow or carry may spoil a byte behind the first that is not, never one before.
static unsigned plain_of_8(const char *at) {
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	word = le64toh(word);
	uint64_t special = (word | (word + 0x0101010101010101u) | (word - 0x2020202020202020u)) &
		0x8080808080808080u;
	return special ? (unsigned)__builtin_ctzll(special) / 8 : 8;
}

// Length of the well-formed UTF-8 sequence at the front, 0 if there is none.
static size_t sequence_len(const char *at, const char *end) {
	unsigned char c = (unsigned char)*at;
	size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	return (size_t)(end - at) >= len && str_is_utf8(str_range(at, len)) ? len : 0;
}

// Notes a byte that may not stand in a TOML text, once a line.
static void add_bad_byte(struct toml_reader *reader, const char *written, unsigned char byte) {
	size_t n = reader->bad_line_count;
	if (n == TOML_BAD_LINES || (n && reader->bad_lines[n - 1] == reader->line)) {
		return;
	}
	(void)toml_fail(reader, toml_place(reader, written),
		byte >= 0x80 ? "byte 0x%02x is not UTF-8"
			: byte == '\r'
			? "a carriage return (0x%02x) may only stand at the end of a line"
			: "control character 0x%02x is not allowed (in a string: \\u%04x)",
		byte, byte);
	reader->bad_lines[reader->bad_line_count++] = reader->line;
}

// One byte or sequence that is not plain; returns where reading goes on.
static const char *scrub_special(
	struct toml_reader *reader, const char *from, const char *end, char **to) {
	unsigned char c = (unsigned char)*from;
	if (c >= 0x80) {
		size_t len = sequence_len(from, end);
		reader->is_ascii = false;
		if (len) {
			memcpy(*to, from, len);
			*to += len;
			return from + len;
		}
	} else if ((c >= 0x20 && c != 0x7f) || c == '\t') {
		*(*to)++ = (char)c;
		return from + 1;
	} else if (c == '\n') {
		*(*to)++ = '\n';
		reader->line++;
		reader->line_start = *to;
		return from + 1;
	} else if (c == '\r' && end - from > 1 && from[1] == '\n') {
		return from + 1;
	}
	add_bad_byte(reader, *to, c);
	*(*to)++ = '_'; // fits in a key, a string and a comment
	return from + 1;
}

// Copies the text as toml_reader.h says, so that nothing behind this has to check bytes again.
static void scrub(struct toml_reader *reader, struct str text) {
	if (str_starts(text, STR("\xef\xbb\xbf"))) {
		text = str_skip(text, 3);
	}
	char *copy = arena_alloc_raw(reader->arena, text.len + 1), *to = copy;
	const char *from = text.at, *end = text.len ? text.at + text.len : text.at;
	reader->line = 1;
	reader->is_ascii = true;
	reader->line_start = reader->counted = copy;
	reader->counted_column = 1;
	while (from < end && reader->bad_line_count < TOML_BAD_LINES) {
		unsigned plain = end - from >= 8 ? plain_of_8(from) : 0;
		if (plain) {
			memcpy(to, from, 8); // what is too much is written over by what follows
			to += plain;
			from += plain;
		} else {
			from = scrub_special(reader, from, end, &to);
		}
	}
	reader->at = reader->line_start = reader->counted = copy;
	reader->counted_column = 1;
	reader->line = 1;
	reader->end = to;
	*to = '\0';
}

static void fail_header(struct toml_reader *reader, const struct toml_key *key, size_t n,
	const struct member *old) {
	const char *name = toml_key_text(reader, key, n);
	const struct value *value = &old->value;
	struct place place = key->parts[n - 1].place;
	unsigned line = old->place.line;
	if (value->type == VALUE_ARRAY && toml_origin(value) == TOML_LIST) {
		toml_fail(reader, place, "'%s' is a list of tables since line %u: write [[%s]]",
			name, line, name);
	} else if (value->type != VALUE_TABLE) {
		toml_fail(reader, place, "'%s' is already %s at line %u, so it cannot be a table",
			name, value_type_name(value->type), line);
	} else if (toml_origin(value) == TOML_INLINE) {
		toml_fail(reader, place,
			"the table '%s' is written inline at line %u and cannot be added to", name,
			line);
	} else {
		toml_fail(
			reader, place, "the table '%s' is already defined at line %u", name, line);
	}
}

// From a parent to the table that the next part of a header is looked up in. NULL: it is none.
static struct value *step_into(struct member *member, int *depth) {
	struct value *value = &member->value;
	++*depth;
	if (value->type == VALUE_TABLE) {
		return toml_origin(value) == TOML_INLINE ? NULL : value;
	}
	if (value->type == VALUE_ARRAY && toml_origin(value) == TOML_LIST) {
		++*depth;
		return &value->array.items[value->array.n - 1];
	}
	return NULL;
}

static struct value *define_table(
	struct toml_reader *reader, struct value *parent, const struct toml_key *key) {
	const struct toml_key_part *part = &key->parts[key->n - 1];
	struct member *member = toml_find(reader, parent, part->name);
	if (!member) {
		member = toml_add(reader, parent, part);
		toml_make_table(reader, &member->value, TOML_DEFINED);
	} else if (member->value.type != VALUE_TABLE ||
		toml_origin(&member->value) != TOML_IMPLICIT) {
		fail_header(reader, key, key->n, member);
		return NULL;
	}
	toml_set_origin(&member->value, TOML_DEFINED);
	member->place = member->value.place = part->place;
	return &member->value;
}

static struct value *extend_list(
	struct toml_reader *reader, struct value *parent, const struct toml_key *key) {
	const struct toml_key_part *part = &key->parts[key->n - 1];
	struct member *member = toml_find(reader, parent, part->name);
	if (!member) {
		member = toml_add(reader, parent, part);
		member->value.place = part->place;
		toml_make_array(reader, &member->value, TOML_LIST);
	} else if (member->value.type != VALUE_ARRAY || toml_origin(&member->value) != TOML_LIST) {
		toml_fail(reader, part->place,
			"'%s' is already %s at line %u, so it cannot be a list of tables",
			toml_key_text(reader, key, key->n), value_type_name(member->value.type),
			member->place.line);
		return NULL;
	}
	struct value *item = toml_append(reader, &member->value);
	toml_make_table(reader, item, TOML_DEFINED);
	item->place = part->place;
	return item;
}

// The table a header names; NULL with an error reported.
static struct value *resolve_header(struct toml_reader *reader, struct value *root,
	const struct toml_key *key, bool is_list, int *out_depth) {
	struct value *table = root;
	int depth = 0;
	for (size_t i = 0; i + 1 < key->n; i++) {
		struct member *member = toml_find(reader, table, key->parts[i].name);
		if (!member) {
			member = toml_add(reader, table, &key->parts[i]);
			member->value.place = key->parts[i].place;
			toml_make_table(reader, &member->value, TOML_IMPLICIT);
		}
		table = step_into(member, &depth);
		if (!table) {
			fail_header(reader, key, i + 1, member);
			return NULL;
		}
	}
	depth += is_list ? 2 : 1;
	if (depth > TOML_DEPTH) {
		toml_fail(reader, key->parts[0].place, "nested deeper than %d levels", TOML_DEPTH);
		return NULL;
	}
	*out_depth = depth;
	return is_list ? extend_list(reader, table, key) : define_table(reader, table, key);
}

struct section {
	struct value *table;
	int depth;
	struct value refused; // takes the keys below a header that could not be used
};

// At '['.
static bool read_header(struct toml_reader *reader, struct value *root, struct section *section) {
	struct toml_key key;
	bool is_list = reader->at[1] == '[';
	reader->at += is_list ? 2 : 1;
	bool ok = toml_read_key(reader, &key);
	if (ok && (*reader->at != ']' || (is_list && reader->at[1] != ']'))) {
		ok = toml_fail_expected(reader,
			is_list ? "']]' after the name of the table"
				: "']' after the name of the table");
	}
	section->table = NULL;
	section->depth = 1;
	if (ok) {
		reader->at += is_list ? 2 : 1;
		section->table = resolve_header(reader, root, &key, is_list, &section->depth);
	}
	if (!section->table) {
		toml_make_table(reader, &section->refused, TOML_DEFINED);
		section->table = &section->refused;
	}
	return ok;
}

static bool expect_line_end(struct toml_reader *reader) {
	toml_skip_blank(reader);
	if (*reader->at == '#') {
		toml_skip_to_line_end(reader);
	}
	return *reader->at == '\n' || reader->at >= reader->end ||
		toml_fail_expected(reader, "end of line");
}

// Passes a key without reporting anything; false if there is none.
static bool skip_key(const char **at) {
	for (;;) {
		const char *start = *at += strspn(*at, " \t");
		if (*start == '"' || *start == '\'') {
			const char *close = start + 1;
			while (*close && *close != '\n' && *close != *start) {
				close += *close == '\\' && *start == '"' && close[1] ? 2 : 1;
			}
			if (*close != *start) {
				return false;
			}
			*at = close + 1;
		} else {
			while (toml_is_bare(**at)) {
				++*at;
			}
		}
		bool is_empty = *at == start;
		*at += strspn(*at, " \t");
		if (is_empty || **at != '.') {
			return !is_empty;
		}
		++*at;
	}
}

// Whether a line begins like "key =" or is a "[header]" and nothing more.
static bool is_statement(const char *at) {
	at += strspn(at, " \t");
	size_t brackets = strspn(at, "[");
	brackets = brackets > 2 ? 2 : brackets;
	at += brackets;
	if (!skip_key(&at)) {
		return false;
	}
	if (!brackets) {
		return *at == '=';
	}
	for (; brackets; brackets--) {
		if (*at++ != ']') {
			return false;
		}
	}
	at += strspn(at, " \t");
	return *at == '\n' || *at == '#' || !*at;
}

// Goes to the end of the line, counting the brackets it passes outside quotes.
static void skip_line_in_array(struct toml_reader *reader) {
	char quote = '\0';
	for (; *reader->at && *reader->at != '\n'; reader->at++) {
		char c = *reader->at;
		if (quote) {
			quote = c == quote ? '\0' : quote;
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '#') {
			toml_skip_to_line_end(reader);
			return;
		} else {
			reader->open_arrays += c == '[' ? 1 : c == ']' ? -1 : 0;
		}
	}
}

// After a mistake: to the next line that can be understood by itself. Within an array that is
// still open, lines are its items, until one looks like a statement or closes the array.
static void recover(struct toml_reader *reader, uint32_t first_line) {
	if (reader->open_arrays && reader->line > first_line && is_statement(reader->line_start)) {
		reader->at = reader->line_start;
		reader->open_arrays = 0;
		return;
	}
	if (!reader->open_arrays) {
		toml_skip_to_line_end(reader);
		return;
	}
	skip_line_in_array(reader);
	while (reader->open_arrays > 0 && reader->at < reader->end) {
		toml_next_line(reader);
		if (is_statement(reader->at)) {
			break;
		}
		skip_line_in_array(reader);
	}
	reader->open_arrays = 0;
}

static void read_document(struct toml_reader *reader, struct value *root) {
	struct section section = {.table = root};
	for (;;) {
		toml_skip_lines(reader);
		if (reader->at >= reader->end || arena_is_over(reader->arena)) {
			return;
		}
		uint32_t first_line = reader->line;
		bool ok = *reader->at == '[' ? read_header(reader, root, &section)
					     : toml_read_pair(reader, section.table, section.depth);
		if (!ok || !expect_line_end(reader)) {
			recover(reader, first_line);
		}
	}
}

const struct value *toml_parse(
	struct arena *arena, const char *file, struct str text, struct problems *problems) {
	struct toml_reader reader = {.arena = arena, .problems = problems};
	struct value *root = ARENA_NEW(arena, struct value);
	reader.file = file ? arena_copy(arena, str_from(file)) : NULL;
	toml_make_table(&reader, root, TOML_DEFINED);
	root->place = (struct place){reader.file, 1, 1};
	if (text.len > DOCUMENT_MAX) {
		(void)toml_fail(&reader, root->place, "larger than %u MiB", DOCUMENT_MAX >> 20);
		return root;
	}
	scrub(&reader, text);
	if (reader.bad_line_count == TOML_BAD_LINES) {
		(void)toml_fail(&reader, (struct place){reader.file, 0, 0},
			"this does not look like a text file; nothing of it was read");
		return root;
	}
	read_document(&reader, root);
	while (reader.indexes) {
		map_finish(&reader.indexes->map);
		reader.indexes = reader.indexes->next;
	}
	return root;
}
