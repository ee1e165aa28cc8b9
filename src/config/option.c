// SPDX-License-Identifier: Apache-2.0
// Filling structs from tables by option rows. Every row leaves a usable value behind, the default
// where the table's is missing or wrong, so one mistake is one problem and never two.
#include "config/option_parts.h"

#include "base/map.h"

#define NEAREST_MAX 256 // names compared for one "did you mean"
#define KEYS_LISTED 12	// more are not told in a message

struct option_defaults {
	struct option_defaults *next;
	const struct option *rows;
	void *config;
};

static bool key_is(const struct option *row, struct str key) {
	return key.len > 0 && row->key[0] == key.at[0] && strncmp(row->key, key.at, key.len) == 0 &&
		row->key[key.len] == '\0';
}

const struct option *option_find(const struct option *rows, struct str key) {
	for (const struct option *row = rows; row->type; row++) {
		if (key_is(row, key)) {
			return row;
		}
	}
	return NULL;
}

const char *option_nearest(struct str wrong, const char *const *names, size_t n) {
	const char *nearest = NULL;
	size_t best = (wrong.len + 2) / 3; // at most a third of it may be wrong
	for (size_t i = 0; i < n; i++) {
		size_t distance = str_distance(wrong, str_from(names[i]));
		if (distance <= best && (!nearest || distance < best)) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}

void option_format_scope(const struct option_scope *scope, struct buf *out) {
	for (const struct option_scope *at = scope; at; at = at->parent) {
		buf_appendf(out, at == scope ? " in %s" : " of %s", at->name);
		const struct value *name = value_get(at->item, STR("name"));
		if (name && name->type == VALUE_STRING) {
			buf_append_char(out, ' ');
			struct str shown = str_head(name->string, 80);
			buf_appendf(out, "\"%" STR_FMT "\"", STR_ARG(shown));
		} else if (at->number) {
			buf_appendf(out, " number %zu", at->number);
		}
	}
}

static const char *noun(const struct option_reader *reader) {
	return reader->noun ? reader->noun : "key";
}

bool option_complain(struct option_reader *reader, const struct option *row, struct place place,
	const char *format, ...) {
	struct buf text = BUF_INIT;
	buf_appendf(&text, "%s \"%s\"", noun(reader), row->key);
	option_format_scope(reader->scope, &text);
	buf_append_char(&text, ' ');
	va_list args;
	va_start(args, format);
	buf_vappendf(&text, format, args);
	va_end(args);
	problems_add(reader->problems, place, "%s", buf_text(&text));
	buf_finish(&text);
	return false;
}

static void append_keys(const struct option *rows, const char *noun, struct buf *out) {
	size_t n = 0;
	while (rows[n].type) {
		n++;
	}
	if (n == 0 || n > KEYS_LISTED) {
		return;
	}
	buf_appendf(out, "; the %ss are", noun);
	for (size_t i = 0; i < n; i++) {
		buf_appendf(out, "%s %s", i ? "," : "", rows[i].key);
	}
}

static void complain_unknown(
	struct option_reader *reader, const struct option *rows, const struct member *member) {
	if (reader->problems->n >= PROBLEMS_KEPT) { // it only counts now: save the search
		problems_add(reader->problems, member->place, "unknown %s", noun(reader));
		return;
	}
	const char *names[NEAREST_MAX];
	size_t n = 0;
	for (; rows[n].type && n < NEAREST_MAX; n++) {
		names[n] = rows[n].key;
	}
	const char *near = option_nearest(member->key, names, n);
	struct buf text = BUF_INIT;
	struct str shown = str_head(member->key, 80);
	buf_appendf(&text, "unknown %s \"%" STR_FMT "\"", noun(reader), STR_ARG(shown));
	option_format_scope(reader->scope, &text);
	if (near) {
		buf_appendf(&text, "; did you mean \"%s\"?", near);
	} else {
		append_keys(rows, noun(reader), &text);
	}
	problems_add(reader->problems, member->place, "%s", buf_text(&text));
	buf_finish(&text);
}

static size_t field_size(const struct option *row) {
	switch (row->type) {
	case OPTION_BOOL:
		return sizeof(bool);
	case OPTION_INT:
	case OPTION_DURATION:
	case OPTION_SIZE:
		return sizeof(int64_t);
	case OPTION_NUMBER:
		return sizeof(double);
	case OPTION_STRING:
		return sizeof(struct str);
	case OPTION_CHOICE:
		return sizeof(int);
	case OPTION_STRINGS:
		return sizeof(struct strings);
	case OPTION_LIST:
		return sizeof(struct item_list);
	case OPTION_TAGGED:
		return sizeof(struct tagged);
	case OPTION_VALUE:
		return sizeof(const struct value *);
	case OPTION_TABLE:
	case OPTION_END:
		break;
	}
	return 0;
}

// Up to the end of the last field; the struct itself may be longer.
static size_t rows_extent(const struct option *rows) {
	size_t extent = 0;
	for (const struct option *row = rows; row->type; row++) {
		size_t size = row->type == OPTION_TABLE ? rows_extent(row->rows) : field_size(row);
		if (row->offset + size > extent) {
			extent = row->offset + size;
		}
	}
	return extent;
}

// Declared ahead because tables hold tables.
static bool fill_field(struct option_reader *reader, const struct option *row,
	const struct value *value, void *field);

// A default that does not fit its own row is a bug in the table.
static void make_defaults(struct option_reader *reader, const struct option *rows, void *config) {
	for (const struct option *row = rows; row->type; row++) {
		if (row->type == OPTION_TABLE) {
			make_defaults(reader, row->rows, option_field(row, config));
		} else if (row->fallback) {
			struct value value;
			bool is_read = option_value_of_text(
				reader, row, str_from(row->fallback), (struct place){0}, &value);
			is_read = is_read &&
				fill_field(reader, row,
					row->type == OPTION_VALUE
						? memcpy(ARENA_NEW(reader->arena, struct value),
							  &value, sizeof(value))
						: &value,
					option_field(row, config));
			assert(is_read && "a row's fallback does not fit the row");
		}
	}
}

const void *option_defaults(struct option_reader *reader, const struct option *rows) {
	for (struct option_defaults *known = reader->defaults; known; known = known->next) {
		if (known->rows == rows) {
			return known->config;
		}
	}
	struct option_defaults *defaults = ARENA_NEW(reader->arena, struct option_defaults);
	*defaults = (struct option_defaults){
		.rows = rows, .config = arena_alloc(reader->arena, rows_extent(rows))};
	struct problems problems = PROBLEMS_INIT;
	struct option_reader quiet = *reader;
	quiet.problems = &problems;
	make_defaults(&quiet, rows, defaults->config);
	problems_finish(&problems);
	defaults->next = quiet.defaults;
	reader->defaults = defaults;
	return defaults->config;
}

static void copy_default(const struct option *row, const void *from, void *to) {
	if (row->type == OPTION_TABLE) {
		for (const struct option *inner = row->rows; inner->type; inner++) {
			copy_default(
				inner, option_field_const(inner, from), option_field(inner, to));
		}
	} else {
		memcpy(to, from, field_size(row));
	}
}

// Keys mostly stand in the order of the rows, so the one after the last found is tried first.
static const struct member *next_member(
	const struct value *table, const struct option *row, size_t *hint) {
	size_t n = table ? table->table.n : 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = *hint + i < n ? *hint + i : *hint + i - n;
		if (key_is(row, table->table.members[at].key)) {
			*hint = at + 1 < n ? at + 1 : 0;
			return &table->table.members[at];
		}
	}
	return NULL;
}

// `tag`: a key that is not of the rows and has been read already, or NULL.
static bool fill_rows(struct option_reader *reader, const struct option *rows,
	const struct value *table, struct place where, const char *tag, void *out) {
	size_t errors = reader->problems->errors;
	const void *defaults = option_defaults(reader, rows);
	size_t hint = 0, found = 0;
	for (const struct option *row = rows; row->type; row++) {
		const struct member *member = next_member(table, row, &hint);
		const void *fallback = option_field_const(row, defaults);
		copy_default(row, fallback, option_field(row, out));
		if (!member && row->is_required) {
			struct buf text = BUF_INIT;
			option_describe_type(row, &text);
			option_complain(reader, row, where, "is missing; it must be %s%s%s%s",
				buf_text(&text), row->help ? " (" : "", row->help ? row->help : "",
				row->help ? ")" : "");
			buf_finish(&text);
		}
		if (!member) {
			continue;
		}
		found++;
		if (row->deprecated) {
			struct buf text = BUF_INIT;
			option_format_scope(reader->scope, &text);
			problems_warn(reader->problems, member->place,
				"%s \"%s\"%s is deprecated; use %s", noun(reader), row->key,
				buf_text(&text), row->deprecated);
			buf_finish(&text);
		}
		reader->hash = option_mix(reader->hash, (uint64_t)(row - rows) + 1);
		(void)fill_field(reader, row, &member->value, option_field(row, out));
	}
	found += table && tag && value_get(table, str_from(tag)) ? 1 : 0;
	for (size_t i = 0; table && found < table->table.n && i < table->table.n; i++) {
		const struct member *member = &table->table.members[i];
		if (!option_find(rows, member->key) && !(tag && str_is(member->key, tag))) {
			complain_unknown(reader, rows, member);
		}
	}
	return reader->problems->errors == errors;
}

static bool fill_table(struct option_reader *reader, const struct option *row,
	const struct value *value, void *field) {
	if (value->type != VALUE_TABLE) {
		return option_complain(reader, row, value->place, "must be a table, not %s",
			value_type_name(value->type));
	}
	const struct option_scope *outer = reader->scope;
	struct option_scope scope = {.parent = outer, .name = row->key};
	reader->scope = &scope;
	bool is_filled = fill_rows(reader, row->rows, value, value->place, NULL, field);
	reader->scope = outer;
	return is_filled;
}

bool option_check_names(struct option_reader *reader, const struct option *rows, const char *list,
	const struct value *array) {
	bool is_unique = true;
	struct map places = MAP_INIT;
	for (size_t i = 0; option_name_row(rows) && i < array->array.n; i++) {
		const struct value *name = value_get(&array->array.items[i], STR("name"));
		if (!name || name->type != VALUE_STRING) {
			continue;
		}
		const struct value *first = map_get(&places, name->string);
		if (!first) {
			map_put(&places, name->string, (void *)(uintptr_t)name);
			continue;
		}
		is_unique = false;
		struct str shown = str_head(name->string, 80);
		problems_add(reader->problems, name->place,
			"the name \"%" STR_FMT "\" in %s is taken already, at %s:%u:%u; give this "
			"one another",
			STR_ARG(shown), list, first->place.file ? first->place.file : "",
			first->place.line, first->place.column);
	}
	map_finish(&places);
	return is_unique;
}

bool option_check_list(struct option_reader *reader, const char *list, const struct value *value) {
	if (value->type != VALUE_ARRAY) {
		problems_add(reader->problems, value->place, "%s must be a list of tables, not %s",
			list, value_type_name(value->type));
		return false;
	}
	if (value->array.n > OPTION_LIST_MAX) {
		problems_add(reader->problems, value->place, "%s has %zu items; the limit is %d",
			list, value->array.n, OPTION_LIST_MAX);
		return false;
	}
	return true;
}

bool option_fill_item(struct option_reader *reader, const struct option *rows, const char *list,
	const struct value *array, size_t i, void *item) {
	const struct value *table = &array->array.items[i];
	if (table->type != VALUE_TABLE) {
		problems_add(reader->problems, table->place,
			"number %zu of %s must be a table, not %s", i + 1, list,
			value_type_name(table->type));
		return false;
	}
	const struct option_scope *outer = reader->scope;
	struct option_scope scope = {outer, list, table, i + 1};
	reader->scope = &scope;
	bool is_filled = fill_rows(reader, rows, table, table->place, NULL, item);
	reader->scope = outer;
	return is_filled;
}

static bool fill_list(struct option_reader *reader, const struct option *row,
	const struct value *value, struct item_list *field) {
	if (!option_check_list(reader, row->key, value)) {
		return false;
	}
	size_t n = value->array.n;
	char *items = arena_array(reader->arena, n, row->item_size);
	bool is_filled = true;
	reader->hash = option_mix(reader->hash, n);
	for (size_t i = 0; i < n; i++) {
		is_filled &= option_fill_item(
			reader, row->rows, row->key, value, i, items + i * row->item_size);
	}
	*field = (struct item_list){items, n};
	return option_check_names(reader, row->rows, row->key, value) && is_filled;
}

static const struct variants *find_variants(
	const struct option_reader *reader, const struct option *row) {
	for (size_t i = 0; i < reader->variant_set_count; i++) {
		if (strcmp(reader->variant_sets[i].noun, row->variants) == 0) {
			return &reader->variant_sets[i];
		}
	}
	assert(!"a tagged row names a set of variants that the reader was not given");
	return NULL;
}

static void complain_variant(struct option_reader *reader, const struct option *row,
	const struct variants *set, const struct value *table, const struct value *type) {
	const char *names[NEAREST_MAX];
	size_t n = 0;
	struct buf list = BUF_INIT;
	for (; n < set->n && n < NEAREST_MAX; n++) {
		names[n] = set->items[n].name;
		buf_appendf(&list, "%s%s", n ? ", " : "", names[n]);
	}
	struct str given = type && type->type == VALUE_STRING ? str_head(type->string, 80)
							      : STR("");
	const char *near = option_nearest(given, names, n);
	if (!type) {
		option_complain(reader, row, table->place,
			"has no type; give it type = \"...\", one of %s", buf_text(&list));
	} else if (type->type != VALUE_STRING) {
		option_complain(reader, row, type->place, "has %s as its type; it is one of %s",
			value_type_name(type->type), buf_text(&list));
	} else if (near) {
		option_complain(reader, row, type->place,
			"has the unknown type \"%" STR_FMT "\"; did you mean \"%s\"?",
			STR_ARG(given), near);
	} else {
		option_complain(reader, row, type->place,
			"has the unknown type \"%" STR_FMT "\"; it is one of %s", STR_ARG(given),
			buf_text(&list));
	}
	buf_finish(&list);
}

static bool fill_tagged(struct option_reader *reader, const struct option *row,
	const struct value *value, struct tagged *field) {
	if (value->type != VALUE_TABLE) {
		return option_complain(reader, row, value->place,
			"must be a table with a type, like { type = \"...\" }, not %s",
			value_type_name(value->type));
	}
	const struct variants *set = find_variants(reader, row);
	const struct value *type = value_get(value, STR("type"));
	const struct variant *variant = NULL;
	for (size_t i = 0; type && type->type == VALUE_STRING && i < set->n; i++) {
		if (str_is(type->string, set->items[i].name)) {
			variant = &set->items[i];
			reader->hash = option_mix(reader->hash, i);
		}
	}
	if (!variant) {
		complain_variant(reader, row, set, value, type);
		return false;
	}
	*field = (struct tagged){variant, arena_alloc(reader->arena, variant->size), value->place};
	const struct option_scope *outer = reader->scope;
	struct option_scope scope = {.parent = outer, .name = row->key};
	reader->scope = &scope;
	bool is_filled = fill_rows(
		reader, variant->rows, value, value->place, "type", field->config);
	reader->scope = outer;
	if (is_filled && variant->check) {
		size_t errors = reader->problems->errors;
		variant->check(field->config, value->place, reader->problems);
		is_filled = reader->problems->errors == errors;
	}
	return is_filled;
}

static bool fill_field(struct option_reader *reader, const struct option *row,
	const struct value *value, void *field) {
	switch (row->type) {
	case OPTION_TABLE:
		return fill_table(reader, row, value, field);
	case OPTION_LIST:
		return fill_list(reader, row, value, field);
	case OPTION_TAGGED:
		return fill_tagged(reader, row, value, field);
	default:
		return option_fill_scalar(reader, row, value, field);
	}
}

bool option_fill(struct option_reader *reader, const struct option *rows, const struct value *table,
	struct place where, void *out) {
	if (table && table->type != VALUE_TABLE) {
		struct buf text = BUF_INIT;
		option_format_scope(reader->scope, &text);
		problems_add(reader->problems, where, "expected a table%s, not %s", buf_text(&text),
			value_type_name(table->type));
		buf_finish(&text);
		return false;
	}
	return fill_rows(reader, rows, table, where, NULL, out);
}

static bool append_string(struct option_reader *reader, const struct option *row, struct str text,
	struct place where, void *out) {
	struct strings *field = option_field(row, out);
	if (row->max > 0 && (double)field->n >= row->max) {
		return option_complain(
			reader, row, where, "may be given %.0f times at most", row->max);
	}
	struct str *items = arena_array(reader->arena, field->n + 1, sizeof(struct str));
	if (field->n) {
		memcpy(items, field->items, field->n * sizeof(struct str));
	}
	items[field->n] = arena_copy_str(reader->arena, text);
	*field = (struct strings){items, field->n + 1};
	return true;
}

bool option_fill_text(struct option_reader *reader, const struct option *row, struct str text,
	struct place where, void *out) {
	if (row->type == OPTION_STRINGS) {
		return append_string(reader, row, text, where, out);
	}
	struct value *value = ARENA_NEW(reader->arena, struct value);
	return option_value_of_text(
		       reader, row, arena_copy_str(reader->arena, text), where, value) &&
		fill_field(reader, row, value, option_field(row, out));
}
