// SPDX-License-Identifier: Apache-2.0
// The schema as JSON, from which tools/docs makes the reference (the shape is described there),
// and as a sample file, in which everything is a comment: it is a valid configuration as it is.
#include "config/schema.h"

#include "config/option_parts.h"
#include "formats/json.h"

#define TEXT_WIDTH 96

const struct section *schema_find(const struct schema *schema, struct str name) {
	for (size_t i = 0; i < schema->section_count; i++) {
		if (str_is(name, schema->sections[i]->name)) {
			return schema->sections[i];
		}
	}
	return NULL;
}

static const char *type_name(enum option_type type) {
	static const char *const names[] = {
		[OPTION_END] = "",
		[OPTION_BOOL] = "bool",
		[OPTION_INT] = "int",
		[OPTION_NUMBER] = "number",
		[OPTION_STRING] = "string",
		[OPTION_DURATION] = "duration",
		[OPTION_SIZE] = "size",
		[OPTION_CHOICE] = "choice",
		[OPTION_STRINGS] = "strings",
		[OPTION_TABLE] = "table",
		[OPTION_LIST] = "list",
		[OPTION_TAGGED] = "tagged",
		[OPTION_VALUE] = "value",
	};
	return names[type];
}

static void write_limits(struct json_writer *json, const struct option *row) {
	if (row->min == 0 && row->max == 0) {
		return;
	}
	struct buf text = BUF_INIT;
	option_format_limit(row, row->min, &text);
	json_member_text(json, "min", buf_text(&text));
	if (row->max != 0 || row->min < 0) {
		buf_clear(&text);
		option_format_limit(row, row->max, &text);
		json_member_text(json, "max", buf_text(&text));
	}
	buf_finish(&text);
}

static void member_if(struct json_writer *json, const char *key, const char *text) {
	if (text) {
		json_member_text(json, key, text);
	}
}

static void flag_if(struct json_writer *json, const char *key, bool is_set) {
	if (is_set) {
		json_member_bool(json, key, true);
	}
}

// Declared ahead because tables hold tables.
static void write_rows(struct json_writer *json, const char *key, const struct option *rows);

static void write_row(struct json_writer *json, const struct option *row) {
	struct buf expects = BUF_INIT;
	option_describe_type(row, &expects);
	json_begin_object(json);
	json_member_text(json, "key", row->key);
	json_member_text(json, "type", type_name(row->type));
	json_member_text(json, "expects", buf_text(&expects));
	member_if(json, "help", row->help);
	member_if(json, "default", row->fallback);
	write_limits(json, row);
	member_if(json, "unit", row->unit);
	if (row->choices) {
		json_key(json, "choices");
		json_begin_array(json);
		for (size_t i = 0; row->choices[i]; i++) {
			json_text(json, row->choices[i]);
		}
		json_end_array(json);
	}
	json_member_text(json, "apply", row->apply == APPLY_RESTART ? "restart" : "live");
	flag_if(json, "required", row->is_required);
	flag_if(json, "secret", row->is_secret);
	flag_if(json, "positional", row->is_positional);
	if (row->letter) {
		json_member_text(json, "letter", (const char[]){row->letter, '\0'});
	}
	member_if(json, "since", row->since);
	member_if(json, "deprecated", row->deprecated);
	member_if(json, "variants", row->variants);
	if (row->rows) {
		write_rows(json, "options", row->rows);
	}
	json_end_object(json);
	buf_finish(&expects);
}

static void write_rows(struct json_writer *json, const char *key, const struct option *rows) {
	json_key(json, key);
	json_begin_array(json);
	for (const struct option *row = rows; row && row->type; row++) {
		write_row(json, row);
	}
	json_end_array(json);
}

void schema_write_options(struct json_writer *json, const struct option *rows) {
	write_rows(json, "options", rows);
}

static void write_section(struct json_writer *json, const struct section *section) {
	json_begin_object(json);
	json_member_text(json, "name", section->name);
	json_member_bool(json, "list", section->is_list);
	member_if(json, "summary", section->summary);
	member_if(json, "example", section->example);
	write_rows(json, "options", section->rows);
	json_end_object(json);
}

static void write_variants(struct json_writer *json, const struct variants *set) {
	json_key(json, set->noun);
	json_begin_array(json);
	for (size_t i = 0; i < set->n; i++) {
		json_begin_object(json);
		json_member_text(json, "name", set->items[i].name);
		member_if(json, "summary", set->items[i].summary);
		write_rows(json, "options", set->items[i].rows);
		json_end_object(json);
	}
	json_end_array(json);
}

void schema_write_members(struct json_writer *json, const struct schema *schema) {
	json_key(json, "sections");
	json_begin_array(json);
	for (size_t i = 0; i < schema->section_count; i++) {
		write_section(json, schema->sections[i]);
	}
	json_end_array(json);
	json_key(json, "variants");
	json_begin_object(json);
	for (size_t i = 0; i < schema->variant_set_count; i++) {
		write_variants(json, &schema->variant_sets[i]);
	}
	json_end_object(json);
}

void schema_format_json(const struct schema *schema, struct buf *out) {
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	schema_write_members(&json, schema);
	json_end_object(&json);
}

// Text in comment lines of at most TEXT_WIDTH bytes.
static void sample_text(const char *text, struct buf *out) {
	struct str rest = str_from(text), word;
	size_t width = 0;
	while (str_word(&rest, &word)) {
		if (width == 0 || width + 1 + word.len > TEXT_WIDTH) {
			buf_append_text(out, width ? "\n# " : "# ");
			width = 2;
		} else {
			buf_append_char(out, ' ');
			width++;
		}
		buf_append_str(out, word);
		width += word.len;
	}
	buf_append_text(out, width ? "\n" : "");
}

static void sample_note(const struct option *row, struct buf *out) {
	struct buf note = BUF_INIT;
	buf_append_text(&note, row->help ? row->help : "");
	if (note.len) {
		buf_append_text(&note, str_ends(buf_str(&note), STR(".")) ? " " : ". ");
	}
	size_t start = note.len;
	option_describe_type(row, &note);
	if (row->unit && !strstr(buf_text(&note) + start, row->unit)) {
		buf_appendf(&note, ", in %s", row->unit);
	}
	if (note.at[start] >= 'a' && note.at[start] <= 'z') {
		note.at[start] = (char)(note.at[start] - 'a' + 'A');
	}
	buf_append_text(&note, row->is_required ? "; required." : ".");
	buf_append_text(&note, row->apply == APPLY_RESTART ? " Needs a restart." : "");
	sample_text(buf_text(&note), out);
	buf_finish(&note);
}

// Rows whose value cannot be written without knowing what it is for are only described.
static void sample_rows(const struct option *rows, const char *prefix, struct buf *out) {
	struct arena *arena = arena_create();
	struct option_reader reader = {.arena = arena};
	const void *defaults = option_defaults(&reader, rows);
	for (const struct option *row = rows; row->type; row++) {
		if (row->deprecated) {
			continue;
		}
		if (row->type == OPTION_TABLE) {
			const char *inner = arena_printf(arena, "%s%s.", prefix, row->key);
			sample_rows(row->rows, inner, out);
			continue;
		}
		sample_note(row, out);
		buf_appendf(out, "#%s%s = ", prefix, row->key);
		size_t start = out->len;
		option_format_value(row, option_field_const(row, defaults), out);
		buf_append_text(out, out->len == start ? "...\n" : "\n");
	}
	arena_destroy(arena);
}

static void sample_example(const char *example, struct buf *out) {
	struct str rest = str_from(example), line;
	buf_append_text(out, "# For example:\n");
	while (str_split(&rest, '\n', &line)) {
		if (line.len || rest.at) {
			buf_appendf(out, "#%" STR_FMT "\n", STR_ARG(line));
		}
	}
}

void schema_format_sample(const struct schema *schema, struct buf *out) {
	sample_text(
		"Sample configuration of Anna. Every option stands here at its default, as a "
		"comment: to change one, remove the # of its line and of its section's. annactl "
		"config check FILE tells whether a file is right, anna.toml(5) tells more.",
		out);
	for (size_t i = 0; i < schema->section_count; i++) {
		const struct section *section = schema->sections[i];
		buf_append_char(out, '\n');
		sample_text(section->summary ? section->summary : "", out);
		buf_appendf(out, section->is_list ? "#[[%s]]\n" : "#[%s]\n", section->name);
		sample_rows(section->rows, "", out);
		if (section->example) {
			sample_example(section->example, out);
		}
	}
}
