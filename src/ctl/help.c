// SPDX-License-Identifier: Apache-2.0
// `annactl help [COMMAND]`, and what --help and --schema print; see help.h.
#include "ctl/help.h"

#include "ctl/failure.h"
#include "ctl/table.h"
#include "formats/json.h"

struct help_options {
	struct strings command;
};

static void append_flag(struct buf *out, const struct option *row) {
	static const char *const values[] = {
		[OPTION_INT] = "N",
		[OPTION_NUMBER] = "N",
		[OPTION_STRING] = "TEXT",
		[OPTION_DURATION] = "TIME",
		[OPTION_SIZE] = "SIZE",
		[OPTION_STRINGS] = "TEXT",
	};
	const char *value = row->type <= OPTION_STRINGS ? values[row->type] : NULL;
	if (row->is_positional) {
		buf_append_text(out, row->key);
		return;
	}
	if (row->letter) {
		buf_appendf(out, "-%c, ", row->letter);
	}
	buf_appendf(out, "--%s", row->key);
	if (row->type == OPTION_BOOL) {
		return;
	}
	if (row->unit) {
		buf_append_char(out, ' ');
		for (const char *c = row->unit; *c; c++) {
			buf_append_char(out, (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c));
		}
	} else if (value) {
		buf_appendf(out, " %s", value);
	}
}

#define FLAG_WIDTH 20

static void print_options(struct output *output, const struct option *rows) {
	for (const struct option *row = rows; row && row->type; row++) {
		struct buf flag = BUF_INIT, help = BUF_INIT;
		append_flag(&flag, row);
		buf_append_text(&help, row->help ? row->help : "");
		if (row->fallback && row->fallback[0] != '-' &&
			!row->is_positional) { // -1: not given
			buf_appendf(&help, " Default: %s.", row->fallback);
		}
		output_text(output, "  ");
		output_str(output, buf_str(&flag));
		if (flag.len > FLAG_WIDTH - 2) {
			output_text(output, "\n");
			output_pad(output, FLAG_WIDTH + 2);
		} else {
			output_pad(output, FLAG_WIDTH - flag.len);
		}
		output_wrapped(output, buf_str(&help), FLAG_WIDTH + 2, FLAG_WIDTH + 2);
		buf_finish(&flag);
		buf_finish(&help);
	}
}

static void print_title(struct output *output, const char *title) {
	output_text(output, "\n");
	output_style(output, STYLE_BOLD, str_from(title));
	output_text(output, "\n");
}

static void print_command(struct output *output, const struct command *command) {
	const char *const *text;
	output_style(output, STYLE_BOLD, STR("annactl "));
	output_style(output, STYLE_BOLD, str_from(command->name));
	output_wrapped(output, str_from(command->usage), 9 + strlen(command->name),
		9 + strlen(command->name));
	output_wrapped(output, str_from(command->summary), 0, 0);
	for (text = command->aliases; text && *text; text++) {
		output_printf(output, "%s%s", text == command->aliases ? "Also: " : ", ", *text);
	}
	output_text(output, command->aliases ? "\n" : "");
	if (command->options) {
		print_title(output, "Options");
		print_options(output, command->options);
	}
	print_title(output, "Everywhere");
	print_options(output, global_options);
	if (command->examples) {
		print_title(output, "Examples");
	}
	for (text = command->examples; text && *text; text++) {
		output_printf(output, "  %s\n", *text);
	}
}

static void print_all(struct output *output) {
	static const struct table_column columns[] = {{.title = NULL}, {.is_flexible = true}};
	struct arena *arena = arena_create();
	struct table *table = table_create(arena, columns, 2, 2);
	output_wrapped(
		output, STR("annactl asks and steers Anna, who looks after this machine."), 0, 0);
	print_title(output, "annactl COMMAND [OPTIONS]");
	for (size_t i = 0; i < command_count(); i++) {
		table_cell(table, STYLE_PLAIN, str_from(command_get(i)->name));
		table_cell(table, STYLE_PLAIN, str_from(command_get(i)->summary));
		table_end_row(table);
	}
	table_print(table, output);
	print_title(output, "Everywhere");
	print_options(output, global_options);
	print_title(output, "Exit status");
	output_text(output,
		"  0 ok   1 failed   2 usage   3 daemon not reachable   4 denied\n"
		"  5 invalid config or refused argument   6 timeout\n"
		"  10 degraded   11 critical\n");
	arena_destroy(arena);
}

void help_print(struct output *output, const struct command *command) {
	if (command) {
		print_command(output, command);
	} else {
		print_all(output);
	}
}

static void format_options(struct json_writer *w, const struct option *rows) {
	json_begin_array(w);
	for (const struct option *row = rows; row && row->type; row++) {
		struct buf type = BUF_INIT;
		char letter[2] = {row->letter, '\0'};
		option_describe_type(row, &type);
		json_begin_object(w);
		json_member_text(w, "key", row->key);
		json_member_text(w, "letter", row->letter ? letter : NULL);
		json_member_str(w, "type", buf_str(&type));
		json_member_bool(w, "takes_value", row->type != OPTION_BOOL);
		json_member_bool(w, "positional", row->is_positional);
		json_member_bool(w, "required", row->is_required);
		json_member_bool(w, "list", row->type == OPTION_STRINGS);
		json_member_text(w, "default", row->fallback);
		json_member_text(w, "unit", row->unit);
		json_key(w, "choices");
		json_begin_array(w);
		for (const char *const *c = row->choices; c && *c; c++) {
			json_text(w, *c);
		}
		json_end_array(w);
		json_member_text(w, "help", row->help);
		json_end_object(w);
		buf_finish(&type);
	}
	json_end_array(w);
}

static void format_texts(struct json_writer *w, const char *key, const char *const *texts) {
	json_key(w, key);
	json_begin_array(w);
	for (; texts && *texts; texts++) {
		json_text(w, *texts);
	}
	json_end_array(w);
}

void help_format_schema(struct output *output) {
	struct buf json = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	json_begin_object(&w);
	json_member_text(&w, "name", "annactl");
	json_member_text(&w, "version", ANNA_VERSION);
	json_key(&w, "global_options");
	format_options(&w, global_options);
	json_key(&w, "commands");
	json_begin_array(&w);
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *command = command_get(i);
		json_begin_object(&w);
		json_member_text(&w, "name", command->name);
		format_texts(&w, "aliases", command->aliases);
		json_member_text(&w, "summary", command->summary);
		json_member_text(&w, "usage", command->usage);
		format_texts(&w, "examples", command->examples);
		json_key(&w, "options");
		format_options(&w, command->options);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	output_json_line(output, buf_str(&json));
	buf_finish(&json);
}

static int run(struct invocation *in, const void *options) {
	const struct help_options *asked = options;
	struct buf name = BUF_INIT;
	const struct command *command = NULL;
	int status = 0;
	for (size_t i = 0; i < asked->command.n; i++) {
		buf_append_text(&name, i ? " " : "");
		buf_append_str(&name, asked->command.items[i]);
	}
	if (name.len > 0) {
		command = command_find(buf_str(&name));
	}
	if (name.len > 0 && !command) {
		const char *near = command_nearest(str_head(buf_str(&name), 60));
		status = invocation_misuse(in, "there is no command %s%s%s%s", buf_text(&name),
			near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	} else {
		help_print(&in->output, command);
	}
	buf_finish(&name);
	return status;
}

DEFINE_COMMAND(help) = {
	.name = "help",
	.summary = "Explain annactl, or one of its commands.",
	.usage = "[COMMAND]",
	.examples = (const char *const[]){"annactl help events", NULL},
	.options =
		(const struct option[]){
			{.key = "COMMAND",
				.type = OPTION_STRINGS,
				.is_positional = true,
				.offset = offsetof(struct help_options, command),
				.help = "The command to explain."},
			{0},
		},
	.options_size = sizeof(struct help_options),
	.run = run,
};
