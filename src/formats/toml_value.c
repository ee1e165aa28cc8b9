// SPDX-License-Identifier: Apache-2.0
// Keys, pairs, arrays and inline tables of TOML. A pair first finds the table it belongs to, so
// a key given twice is reported before its value is looked at; the value is read all the same.
#include "formats/toml_reader.h"

#include "formats/toml.h"

static bool read_part(struct toml_reader *reader, struct toml_key_part *part) {
	part->place = toml_place(reader, reader->at);
	if (*reader->at == '"' || *reader->at == '\'') {
		return toml_read_string(reader, false, &part->name);
	}
	const char *start = reader->at, *end = start;
	while (toml_is_bare(*end)) {
		end++;
	}
	part->name = str_range(start, (size_t)(end - start));
	reader->at = end;
	if (part->name.len) {
		return true;
	}
	return toml_fail_expected(
		reader, (unsigned char)*reader->at >= 0x80 ? "a key (in quotes)" : "a key");
}

bool toml_read_key(struct toml_reader *reader, struct toml_key *key) {
	key->n = 0;
	for (;;) {
		toml_skip_blank(reader);
		if (key->n == TOML_DEPTH) {
			return toml_fail(reader, toml_place(reader, reader->at),
				"nested deeper than %d levels", TOML_DEPTH);
		}
		if (!read_part(reader, &key->parts[key->n])) {
			return false;
		}
		key->n++;
		toml_skip_blank(reader);
		if (*reader->at != '.') {
			return true;
		}
		reader->at++;
	}
}

const char *toml_key_text(struct toml_reader *reader, const struct toml_key *key, size_t n) {
	struct buf text = BUF_INIT;
	for (size_t i = 0; i < n && !toml_is_full(reader); i++) {
		if (i) {
			buf_append_char(&text, '.');
		}
		toml_format_key(&text, key->parts[i].name);
	}
	size_t len = text.len;
	while (len > 100 && (len > 103 || ((unsigned char)text.at[len] & 0xc0) == 0x80)) {
		len--;
	}
	const char *copy = arena_printf(
		reader->arena, "%.*s%s", (int)len, buf_text(&text), len < text.len ? "..." : "");
	buf_finish(&text);
	return copy;
}

// Follows a dotted key to the table that holds its last part; NULL with an error reported.
static struct value *follow_dots(
	struct toml_reader *reader, struct value *table, const struct toml_key *key) {
	for (size_t i = 0; i + 1 < key->n; i++) {
		const struct toml_key_part *part = &key->parts[i];
		struct member *member = toml_find(reader, table, part->name);
		if (!member) {
			member = toml_add(reader, table, part);
			member->value.place = part->place;
			toml_make_table(reader, &member->value, TOML_DOTTED);
		}
		struct value *next = &member->value;
		if (next->type != VALUE_TABLE) {
			toml_fail(reader, part->place,
				"'%s' is %s (line %u), so it cannot have keys below it",
				toml_key_text(reader, key, i + 1), value_type_name(next->type),
				member->place.line);
			return NULL;
		}
		if (toml_origin(next) == TOML_INLINE || toml_origin(next) == TOML_DEFINED) {
			toml_fail(reader, part->place,
				"the table '%s' is complete (line %u); write this key there",
				toml_key_text(reader, key, i + 1), member->place.line);
			return NULL;
		}
		toml_set_origin(next, TOML_DOTTED);
		table = next;
	}
	return table;
}

// The table a new pair goes to; NULL when the pair is not wanted, which has been reported.
static struct value *find_place_for(
	struct toml_reader *reader, struct value *table, const struct toml_key *key) {
	const struct toml_key_part *last = &key->parts[key->n - 1];
	table = follow_dots(reader, table, key);
	const struct member *old = table ? toml_find(reader, table, last->name) : NULL;
	if (!old) {
		return table;
	}
	toml_fail(reader, last->place, "the key '%s' is already set at line %u",
		toml_key_text(reader, key, key->n), old->place.line);
	return NULL;
}

static bool read_value(struct toml_reader *reader, struct value *out, int depth);

// At '['.
static bool read_array(struct toml_reader *reader, struct value *out, int depth) {
	toml_make_array(reader, out, TOML_STATIC);
	reader->at++;
	reader->open_arrays++;
	for (;;) {
		toml_skip_lines(reader);
		if (*reader->at == ']') {
			break;
		}
		if (reader->at >= reader->end) {
			return toml_fail(reader, out->place, "this array is never closed with ']'");
		}
		struct value item = {0};
		if (!read_value(reader, &item, depth)) {
			return false;
		}
		*toml_append(reader, out) = item;
		toml_skip_lines(reader);
		if (*reader->at == ',') {
			reader->at++;
		} else if (reader->at >= reader->end) {
			return toml_fail(reader, out->place, "this array is never closed with ']'");
		} else if (*reader->at != ']') {
			return toml_fail_expected(reader,
				"',' or ']' in the array that begins at line %u", out->place.line);
		}
	}
	reader->at++;
	reader->open_arrays--;
	return true;
}

// At '{'.
static bool read_inline_table(struct toml_reader *reader, struct value *out, int depth) {
	toml_make_table(reader, out, TOML_INLINE);
	reader->at++;
	toml_skip_blank(reader);
	if (*reader->at == '}') {
		reader->at++;
		return true;
	}
	for (;;) {
		toml_skip_blank(reader);
		if (*reader->at == '\n' || reader->at >= reader->end) {
			return toml_fail(reader, toml_place(reader, reader->at),
				"an inline table ends with '}' on the line where it began; a long "
				"one is written under a [header]");
		}
		if (!toml_read_pair(reader, out, depth)) {
			return false;
		}
		toml_skip_blank(reader);
		if (*reader->at == '}') {
			break;
		}
		if (*reader->at != ',') {
			return toml_fail_expected(reader, "',' or '}' in the inline table");
		}
		struct place comma = toml_place(reader, reader->at++);
		toml_skip_blank(reader);
		if (*reader->at == '}') {
			(void)toml_fail(reader, comma,
				"an inline table may not end with a comma"); // and on
			break;
		}
	}
	reader->at++;
	return true;
}

// `depth` is that of the table or array the value stands in.
static bool read_value(struct toml_reader *reader, struct value *out, int depth) {
	char c = *reader->at;
	out->place = toml_place(reader, reader->at);
	if (arena_is_over(reader->arena)) {
		return toml_fail(reader, out->place,
			"nothing is read from here on: it takes too much memory");
	}
	if (c == '"' || c == '\'') {
		out->type = VALUE_STRING;
		return toml_read_string(reader, true, &out->string);
	}
	if (c != '[' && c != '{') {
		return toml_read_bare(reader, out);
	}
	if (depth >= TOML_DEPTH) {
		return toml_fail(reader, out->place, "nested deeper than %d levels", TOML_DEPTH);
	}
	return c == '[' ? read_array(reader, out, depth + 1)
			: read_inline_table(reader, out, depth + 1);
}

bool toml_read_pair(struct toml_reader *reader, struct value *table, int depth) {
	struct toml_key key;
	if (!toml_read_key(reader, &key)) {
		return false;
	}
	if (*reader->at != '=') {
		return toml_fail_expected(
			reader, "'=' after the key '%s'", toml_key_text(reader, &key, key.n));
	}
	reader->at++;
	toml_skip_blank(reader);
	depth += (int)key.n - 1;
	if (depth > TOML_DEPTH) {
		return toml_fail(
			reader, key.parts[0].place, "nested deeper than %d levels", TOML_DEPTH);
	}
	if (*reader->at == '\n' || *reader->at == '#' || reader->at >= reader->end) {
		return toml_fail(reader, toml_place(reader, reader->at),
			"expected a value after '=', found %s", toml_found(reader, reader->at));
	}
	struct value *place = find_place_for(reader, table, &key);
	struct value value = {0};
	if (!read_value(reader, &value, depth)) {
		return false;
	}
	if (place) {
		toml_add(reader, place, &key.parts[key.n - 1])->value = value;
	}
	return true;
}
