// SPDX-License-Identifier: Apache-2.0
// Reading the subset of YAML that yaml.h describes, a line at a time: nothing in it spans two
// lines, so after a mistake reading goes on with the next line and all mistakes are told at once.
#include "formats/yaml.h"

#include "formats/yaml_scalar.h"

#define NO_INDENT SIZE_MAX

struct reader {
	struct arena *arena;
	struct problems *problems;
	struct place place; // of the line at hand; column 1
	struct value *list;
	size_t cap;
	size_t dash_indent; // of the items; NO_INDENT: none yet
	size_t key_indent;  // of the keys of the item at hand; NO_INDENT: none yet
	bool has_marker;    // the document began with ---
	bool is_over;	    // nothing more is read: what follows would only repeat the mistake
	bool has_seen;	    // anything but comments
};

static struct place place_at(const struct reader *reader, struct str line, size_t at) {
	struct place place = reader->place;
	place.column = yaml_column(line, at);
	return place;
}

static struct value *add_item(struct reader *reader, struct place place) {
	struct value *list = reader->list;
	if (list->array.n == reader->cap) {
		size_t cap = reader->cap ? reader->cap * 2 : 8;
		struct value *items = arena_array(reader->arena, cap, sizeof(*items));
		if (list->array.n) {
			memcpy(items, list->array.items, list->array.n * sizeof(*items));
		}
		list->array.items = items;
		reader->cap = cap;
	}
	struct value *item = &list->array.items[list->array.n++];
	*item = (struct value){.type = VALUE_TABLE, .place = place};
	item->table.members = arena_array(reader->arena, YAML_KEYS_MAX, sizeof(struct member));
	return item;
}

static void add_member(
	struct reader *reader, struct str key, struct place place, const struct value *value) {
	struct value *item = &reader->list->array.items[reader->list->array.n - 1];
	const struct member *first = value_find_member(item, key);
	if (first) {
		struct str shown = str_head(key, 80);
		problems_add(reader->problems, place,
			"the key \"%" STR_FMT "\" stands in this item already, at line %u",
			STR_ARG(shown), first->place.line);
	} else if (item->table.n == YAML_KEYS_MAX) {
		problems_add(reader->problems, place, "an item has at most %d keys", YAML_KEYS_MAX);
	} else {
		item->table.members[item->table.n++] = (struct member){
			arena_copy_str(reader->arena, key), place, *value};
	}
}

static bool is_key_char(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '-';
}

// "key: value" from column `at` on.
static void read_pair(struct reader *reader, struct str line, size_t at) {
	size_t end = at;
	while (end < line.len && is_key_char(line.at[end])) {
		end++;
	}
	bool is_key = end > at && end < line.len && line.at[end] == ':' &&
		(end + 1 == line.len || line.at[end + 1] == ' ');
	if (!is_key) {
		problems_add(reader->problems, place_at(reader, line, at),
			"expected a key and a value like \"when: ...\"; a key is plain letters, a "
			"colon and a space follow it, and a value stands on one line");
		return;
	}
	struct str key = str_range(line.at + at, end - at);
	struct place place = place_at(reader, line, at);
	size_t from = end + 1;
	while (from < line.len && line.at[from] == ' ') {
		from++;
	}
	struct value value;
	struct yaml_line whole = {line, reader->place};
	if (yaml_parse_scalar(reader->arena, &whole, from, &value, reader->problems)) {
		add_member(reader, key, place, &value);
	}
}

static void read_item(struct reader *reader, struct str line, size_t indent) {
	struct place place = place_at(reader, line, indent);
	if (reader->dash_indent != NO_INDENT && indent != reader->dash_indent) {
		problems_add(reader->problems, place,
			"this \"-\" is not below the one of the first rule; lists in lists are not "
			"read here");
		return;
	}
	if (reader->list->array.n == YAML_ITEMS_MAX) {
		problems_add(reader->problems, place, "a file holds at most %d items; use another",
			YAML_ITEMS_MAX);
		reader->is_over = true;
		return;
	}
	reader->dash_indent = indent;
	reader->key_indent = NO_INDENT;
	(void)add_item(reader, place);
	size_t at = indent + 1;
	while (at < line.len && line.at[at] == ' ') {
		at++;
	}
	if (at < line.len && line.at[at] != '#') {
		reader->key_indent = at;
		read_pair(reader, line, at);
	}
}

// A key of the item at hand, on a line of its own.
static void read_key_line(struct reader *reader, struct str line, size_t indent) {
	struct place place = place_at(reader, line, indent);
	if (reader->dash_indent == NO_INDENT) {
		problems_add(reader->problems, place,
			"a policy file is a list: begin each rule with \"- \", like \"- when: "
			"...\"");
		reader->is_over = true;
		return;
	}
	if (reader->key_indent == NO_INDENT && indent > reader->dash_indent) {
		reader->key_indent = indent;
	}
	if (indent == reader->key_indent) {
		read_pair(reader, line, indent);
	} else if (indent <= reader->dash_indent) {
		problems_add(reader->problems, place,
			"this belongs to no rule: begin a rule with \"- \", or indent the key by "
			"%zu "
			"blanks",
			reader->key_indent == NO_INDENT ? reader->dash_indent + 2
							: reader->key_indent);
	} else {
		problems_add(reader->problems, place,
			"the keys of a rule stand in one column, this one's in column %zu; values "
			"of "
			"several lines and nested maps are not read",
			reader->key_indent + 1);
	}
}

// "---", "...", "%YAML": true when the line is one of these.
static bool read_marker(struct reader *reader, struct str line) {
	bool is_start = str_starts(line, STR("---")) && (line.len == 3 || line.at[3] == ' ');
	bool is_end = str_starts(line, STR("...")) && (line.len == 3 || line.at[3] == ' ');
	bool is_directive = line.at[0] == '%';
	if (!is_start && !is_end && !is_directive) {
		return false;
	}
	struct str rest = str_trim(str_skip(line, 3));
	bool is_bare = is_start && (!rest.len || rest.at[0] == '#');
	if (is_bare && !reader->has_marker && !reader->has_seen) {
		reader->has_marker = true;
		return true;
	}
	problems_add(reader->problems, reader->place, "%s",
		is_directive ? "directives (%YAML, %TAG) are not read; leave the line out"
			: is_bare || is_end
			? "one file is one document; put the rest into another file"
			: "nothing may follow \"---\" on its line");
	reader->is_over = true;
	return true;
}

static void read_line(struct reader *reader, struct str line) {
	size_t indent = 0;
	while (indent < line.len && line.at[indent] == ' ') {
		indent++;
	}
	struct str content = str_trim(line);
	if (!content.len || content.at[0] == '#') {
		return;
	}
	if (indent < line.len && line.at[indent] == '\t') {
		problems_add(reader->problems, place_at(reader, line, indent),
			"YAML is indented with blanks, not with a tab");
		return;
	}
	// Blanks at the end say nothing.
	line = str_head(line, (size_t)(content.at - line.at) + content.len);
	if (indent == 0 && read_marker(reader, line)) {
		return;
	}
	bool is_first = !reader->has_seen;
	reader->has_seen = true;
	if (is_first && str_is(content, "[]")) {
		return; // an empty list
	}
	bool is_item = line.at[indent] == '-' &&
		(indent + 1 == line.len || line.at[indent + 1] == ' ');
	if (is_item) {
		read_item(reader, line, indent);
	} else {
		read_key_line(reader, line, indent);
	}
}

const struct value *yaml_parse_list(
	struct arena *arena, const char *file, struct str text, struct problems *problems) {
	struct value *list = ARENA_NEW(arena, struct value);
	struct reader reader = {.arena = arena,
		.problems = problems,
		.list = list,
		.place = {arena_copy(arena, str_from(file)), 0, 1},
		.dash_indent = NO_INDENT,
		.key_indent = NO_INDENT};
	struct str line;
	*list = (struct value){.type = VALUE_ARRAY, .place = {reader.place.file, 1, 1}};
	if (str_starts(text, STR("\xef\xbb\xbf"))) {
		text = str_skip(text, 3);
	}
	while (!reader.is_over && !arena_is_over(arena) && text.len &&
		str_split(&text, '\n', &line)) {
		reader.place.line++;
		if (yaml_check_line(line, reader.place, problems)) {
			read_line(&reader, line);
		}
	}
	return list;
}
