// SPDX-License-Identifier: Apache-2.0
// Plain, single- and double-quoted scalars on one line (YAML 1.2.2 §7.3); see yaml_scalar.h.
#include "formats/yaml_scalar.h"

#include "formats/yaml.h"

uint32_t yaml_column(struct str line, size_t at) {
	uint32_t column = 1;
	for (size_t i = 0; i < at && i < line.len; i++) {
		column += ((unsigned char)line.at[i] & 0xc0) != 0x80;
	}
	return column;
}

static bool complain(
	const struct yaml_line *line, size_t at, const char *message, struct problems *problems) {
	struct place place = line->place;
	place.column = yaml_column(line->text, at);
	problems_add(problems, place, "%s", message);
	return false;
}

bool yaml_check_line(struct str line, struct place place, struct problems *problems) {
	const struct yaml_line whole = {line, place};
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.at[i];
		bool is_end = c == '\r' && i + 1 == line.len;
		if ((c < 0x20 && c != '\t' && !is_end) || c == 0x7f) {
			return complain(&whole, i, "control characters are not allowed", problems);
		}
	}
	return str_is_utf8(line) || complain(&whole, 0, "this line is not UTF-8", problems);
}

// What a value must not begin with, and what to write instead.
static const char *refusal(struct str rest) {
	bool is_alone = rest.len == 1 || rest.at[1] == ' ';
	switch (rest.at[0]) {
	case '&':
	case '*':
		return "anchors and aliases (& and *) are not read: write the value out";
	case '!':
		return "tags (!) are not read: write the value without it";
	case '|':
	case '>':
		return "values of several lines (| and >) are not read: write it on one line; a "
		       "condition that begins with > needs quotes and a name";
	case '{':
		return "maps inside a value are not read: `then` is one text, like then: log";
	case '[':
		return "lists inside a value are not read; a command is written as one text: "
		       "then: exec [\"program\", \"argument\"]";
	case '%':
	case '@':
	case '`':
	case ',':
	case ']':
	case '}':
		return "a value cannot begin with this character: put the value in quotes";
	case '-':
	case '?':
	case ':':
		return is_alone ? "lists and complex keys inside a value are not read" : NULL;
	default:
		return NULL;
	}
}

// After a closing quote only blanks and a comment may stand.
static bool check_rest(const struct yaml_line *line, size_t at, struct problems *problems) {
	size_t blank = at;
	while (blank < line->text.len && line->text.at[blank] == ' ') {
		blank++;
	}
	bool is_comment = blank < line->text.len && blank > at && line->text.at[blank] == '#';
	return blank == line->text.len || is_comment ||
		complain(line, blank, "nothing may follow the closing quote", problems);
}

static bool parse_single(struct arena *arena, const struct yaml_line *line, size_t from,
	struct value *out, struct problems *problems) {
	struct buf text = BUF_INIT;
	size_t at = from + 1;
	bool is_closed = false;
	for (; at < line->text.len && !is_closed; at++) {
		bool is_quote = line->text.at[at] == '\'';
		bool is_double = is_quote && at + 1 < line->text.len &&
			line->text.at[at + 1] == '\'';
		is_closed = is_quote && !is_double;
		at += is_double;
		if (!is_closed) {
			buf_append_char(&text, line->text.at[at]);
		}
	}
	*out = value_of_string(arena_copy_str(arena, buf_str(&text)));
	buf_finish(&text);
	return is_closed ? check_rest(line, at, problems)
			 : complain(line, from, "the quote is not closed on this line", problems);
}

// One escape behind its backslash; the number of bytes read, 0: unknown.
static size_t append_escape(struct str rest, struct buf *out) {
	static const char names[] = "\"\\/ntr0", values[] = "\"\\/\n\t\r";
	const char *name = rest.len ? strchr(names, rest.at[0]) : NULL;
	if (name && *name && *name != '0') {
		buf_append_char(out, values[name - names]);
		return 1;
	}
	return 0;
}

static bool parse_double(struct arena *arena, const struct yaml_line *line, size_t from,
	struct value *out, struct problems *problems) {
	struct buf text = BUF_INIT;
	size_t at = from + 1, escape = 0;
	bool is_closed = false;
	for (; at < line->text.len && !is_closed && !escape; at++) {
		char c = line->text.at[at];
		is_closed = c == '"';
		if (c == '\\') {
			size_t n = append_escape(str_skip(line->text, at + 1), &text);
			escape = n ? 0 : at;
			at += n;
		} else if (!is_closed) {
			buf_append_char(&text, c);
		}
	}
	*out = value_of_string(arena_copy_str(arena, buf_str(&text)));
	buf_finish(&text);
	if (escape) {
		return complain(line, escape,
			"this escape is not read; \\\" \\\\ \\/ \\n \\t and \\r are, and other "
			"characters stand for themselves",
			problems);
	}
	return is_closed ? check_rest(line, at, problems)
			 : complain(line, from, "the quote is not closed on this line", problems);
}

static bool parse_plain(struct arena *arena, const struct yaml_line *line, size_t from,
	struct value *out, struct problems *problems) {
	struct str rest = str_skip(line->text, from);
	ptrdiff_t comment = str_find(rest, STR(" #"));
	struct str text = str_trim(comment < 0 ? rest : str_head(rest, (size_t)comment));
	ptrdiff_t colon = str_find(text, STR(": "));
	if (colon >= 0 || str_ends(text, STR(":"))) {
		return complain(line, from,
			"a colon and a blank inside a value make it a map: put the value in quotes",
			problems);
	}
	if (str_find_char(text, '\t') >= 0) {
		return complain(
			line, from, "a tab inside a value: put the value in quotes", problems);
	}
	bool is_true = str_is(text, "true"), is_false = str_is(text, "false");
	*out = is_true || is_false ? value_of_bool(is_true)
				   : value_of_string(arena_copy_str(arena, text));
	return (!str_is(text, "null") && !str_is(text, "~")) ||
		complain(line, from, "this key has no value; leave it out", problems);
}

bool yaml_parse_scalar(struct arena *arena, const struct yaml_line *line, size_t from,
	struct value *out, struct problems *problems) {
	struct str rest = str_skip(line->text, from);
	if (!rest.len || rest.at[0] == '#') {
		return complain(line, from ? from - 1 : 0,
			"this key has no value on its line; nested maps and lists are not read",
			problems);
	}
	if (rest.len > YAML_SCALAR_MAX) {
		return complain(line, from, "this value is longer than 4096 bytes", problems);
	}
	const char *refused = refusal(rest);
	bool is_quoted = rest.at[0] == '"' || rest.at[0] == '\'';
	if (refused) {
		return complain(line, from, refused, problems);
	}
	bool is_parsed = rest.at[0] == '"' ? parse_double(arena, line, from, out, problems)
		: is_quoted		   ? parse_single(arena, line, from, out, problems)
					   : parse_plain(arena, line, from, out, problems);
	out->place = line->place;
	out->place.column = yaml_column(line->text, from + is_quoted);
	return is_parsed;
}
