// SPDX-License-Identifier: Apache-2.0
// Message templates: a list of pieces, each literal text or a name. Expansion walks the list
// once and never looks at what a lookup appended.
#include "formats/template.h"

struct piece {
	struct str text; // the literal, or the name
	bool is_name;
	struct piece *next;
};

struct template {
	struct piece *first;
};

struct reader {
	struct arena *arena;
	struct str text;
	size_t at;
	struct piece **end;
};

static void add_piece(struct reader *reader, size_t from, size_t to, bool is_name) {
	if (from == to && !is_name) {
		return;
	}
	struct piece *piece = ARENA_NEW(reader->arena, struct piece);
	piece->text = arena_copy_str(reader->arena, str_range(reader->text.at + from, to - from));
	piece->is_name = is_name;
	*reader->end = piece;
	reader->end = &piece->next;
}

static bool fail(const struct reader *reader, size_t at, struct err *err, const char *what) {
	unsigned column = 1;
	for (size_t i = 0; i < at; i++) {
		column += ((unsigned char)reader->text.at[i] & 0xc0) != 0x80;
	}
	return err_set(err, ERR_INVALID, "column %u: %s", column, what);
}

static bool is_name_char(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '.';
}

// At '{' that is not doubled.
static bool read_name(struct reader *reader, struct err *err) {
	struct str text = reader->text;
	size_t open = reader->at, from = open + 1, to = from;
	while (to < text.len && is_name_char(text.at[to])) {
		to++;
	}
	if (to < text.len && text.at[to] == '}') {
		if (to == from) {
			return fail(reader, open, err,
				"there is no name between '{' and '}'; write '{{}}' for the braces "
				"themselves");
		}
		add_piece(reader, from, to, true);
		reader->at = to + 1;
		return true;
	}
	if (memchr(text.at + from, '}', text.len - from)) {
		return fail(reader, to, err,
			"a name is letters, digits, '_' and '.'; write '{{' for a brace itself");
	}
	return fail(reader, open, err, "'{' without '}' after it; write '{{' for a brace itself");
}

static bool read_pieces(struct reader *reader, struct err *err) {
	struct str text = reader->text;
	size_t from = 0; // where the literal begins
	while (reader->at < text.len) {
		char c = text.at[reader->at];
		if (c != '{' && c != '}') {
			reader->at++;
			continue;
		}
		bool is_double = reader->at + 1 < text.len && text.at[reader->at + 1] == c;
		add_piece(reader, from, reader->at + is_double, false); // one of the two braces
		if (is_double) {
			reader->at += 2;
		} else if (c == '}') {
			return fail(reader, reader->at, err,
				"'}' without '{' before it; write '}}' for a brace itself");
		} else if (!read_name(reader, err)) {
			return false;
		}
		from = reader->at;
	}
	add_piece(reader, from, text.len, false);
	return true;
}

const struct template *template_compile(struct arena *arena, struct str text, struct err *err) {
	struct template *template = ARENA_NEW(arena, struct template);
	struct reader reader = {.arena = arena, .text = text, .end = &template->first};
	return read_pieces(&reader, err) ? template : NULL;
}

// Cuts the buffer to `len` bytes, or a few less so as not to split a character.
static void cut(struct buf *out, size_t start, size_t len) {
	size_t back = 0;
	while (back < 3 && len - back > start &&
		((unsigned char)out->at[len - back] & 0xc0) == 0x80) {
		back++;
	}
	out->len = ((unsigned char)out->at[len - back] & 0xc0) == 0x80 ? len : len - back;
	out->at[out->len] = '\0';
}

void template_expand(const struct template *template, template_lookup *lookup, void *arg,
	size_t limit, struct buf *out) {
	size_t start = out->len;
	for (const struct piece *piece = template->first; piece; piece = piece->next) {
		size_t before = out->len;
		if (!piece->is_name) {
			buf_append_str(out, piece->text);
		} else if (!lookup(arg, piece->text, out)) {
			out->len = before; // what a failing lookup left does not count
		}
		if (out->len - start > limit) {
			cut(out, start, start + limit);
			return;
		}
	}
	if (out->at) {
		out->at[out->len] = '\0';
	}
}

void template_names(
	const struct template *template, void (*on_name)(void *arg, struct str name), void *arg) {
	for (const struct piece *piece = template->first; piece; piece = piece->next) {
		if (piece->is_name) {
			on_name(arg, piece->text);
		}
	}
}
