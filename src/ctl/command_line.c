// SPDX-License-Identifier: Apache-2.0
// The command line; see command_line.h.
#include "ctl/command_line.h"

#include <stdarg.h>

#include "base/clock.h"

const struct option global_options[] = {
	{.key = "json",
		.type = OPTION_BOOL,
		.offset = offsetof(struct globals, json),
		.help = "Print JSON, and errors as JSON on stderr."},
	{.key = "socket",
		.type = OPTION_STRING,
		.offset = offsetof(struct globals, socket),
		.unit = "path",
		.help = "The daemon's socket; else ANNA_SOCKET, the user's, the system's."},
	{.key = "timeout",
		.type = OPTION_DURATION,
		.offset = offsetof(struct globals, timeout_ns),
		.fallback = "5s",
		.min = 1e6,
		.max = 86400e9,
		.help = "How long to wait for an answer, all tries together."},
	{.key = "state-dir",
		.type = OPTION_STRING,
		.offset = offsetof(struct globals, state_dir),
		.unit = "path",
		.help = "Where to look when the daemon is dead; else ANNA_STATE_DIR, the default."},
	{.key = "no-color",
		.type = OPTION_BOOL,
		.offset = offsetof(struct globals, no_color),
		.help = "No colour; the environment's NO_COLOR does the same."},
	{.key = "help",
		.letter = 'h',
		.type = OPTION_BOOL,
		.offset = offsetof(struct globals, help),
		.help = "Explain the command."},
	{.key = "version",
		.letter = 'V',
		.type = OPTION_BOOL,
		.offset = offsetof(struct globals, version),
		.help = "Print the version of annactl."},
	{.key = "schema",
		.type = OPTION_BOOL,
		.offset = offsetof(struct globals, schema),
		.help = "Print the table of commands as JSON."},
	{0},
};

struct parser {
	struct arena *arena;
	const char *const *argv;
	int argc;
	int at;
	struct command_line *out;
	struct failure *failure;
	size_t words;	   // positional ones so far
	uint64_t seen;	   // bit per row of the command
	bool only_words;   // after --
	const char *group; // first word of a two-word name
};

_printf_(2, 3) static bool misuse(struct parser *parser, const char *format, ...) {
	char message[400];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	failure_set(parser->failure, ERR_INVALID, "%s", message);
	parser->failure->exit_status = EXIT_USAGE;
	snprintf(parser->failure->name, sizeof(parser->failure->name), "Usage");
	if (parser->out->command) {
		failure_set_next(parser->failure, "annactl help %s", parser->out->command->name);
	} else {
		failure_set_next(parser->failure, "annactl help");
	}
	return false;
}

static bool fill(struct parser *parser, const struct option *row, struct str text, void *out) {
	struct problems problems = PROBLEMS_INIT;
	struct option_reader reader = {
		.arena = parser->arena, .problems = &problems, .noun = "option"};
	bool ok = option_fill_text(&reader, row, text, (struct place){0}, out);
	if (!ok) {
		misuse(parser, "%s", problems.n ? problems.items[0].message : "not acceptable");
	}
	problems_finish(&problems);
	return ok;
}

static void fill_defaults(struct arena *arena, const struct option *rows, void *out) {
	struct problems problems = PROBLEMS_INIT; // required ones are checked when all is read
	struct option_reader reader = {.arena = arena, .problems = &problems, .noun = "option"};
	(void)option_fill(&reader, rows, NULL, (struct place){0}, out);
	problems_finish(&problems);
}

static const struct option *find_flag(const struct option *rows, struct str name, bool is_letter) {
	for (const struct option *row = rows; row && row->type; row++) {
		if (row->is_positional) {
			continue;
		}
		if (is_letter ? row->letter && name.at[0] == row->letter : str_is(name, row->key)) {
			return row;
		}
	}
	return NULL;
}

static bool complain_unknown(struct parser *parser, struct str name) {
	const struct command *command = parser->out->command;
	const char *names[64];
	size_t n = 0;
	const char *near;
	for (const struct option *row = command ? command->options : NULL; row && row->type;
		row++) {
		if (!row->is_positional && n < 32) {
			names[n++] = row->key;
		}
	}
	for (const struct option *row = global_options; row->type && n < 64; row++) {
		names[n++] = row->key;
	}
	near = option_nearest(str_head(name, 60), names, n);
	if (!command && !near) {
		return misuse(parser,
			"there is no global option --%" STR_FMT
			"; options of a command come after its name",
			STR_ARG(str_head(name, 60)));
	}
	return misuse(parser, "there is no option --%" STR_FMT "%s%s%s%s%s",
		STR_ARG(str_head(name, 60)), command ? " of annactl " : "",
		command ? command->name : "", near ? "; did you mean --" : "", near ? near : "",
		near ? "?" : "");
}

// One flag: "--name", "--name=value", "--name value", "-n value", "-nvalue".
static bool read_flag(struct parser *parser, struct str word) {
	bool is_letter = word.at[1] != '-';
	struct str name = str_skip(word, is_letter ? 1 : 2);
	ptrdiff_t equals = is_letter ? -1 : str_find_char(name, '=');
	struct str value = equals >= 0 ? str_skip(name, (size_t)equals + 1) : STR("");
	bool has_value = equals >= 0 || (is_letter && name.len > 1);
	const struct option *rows = parser->out->command ? parser->out->command->options : NULL;
	const struct option *row;
	void *out = parser->out->options;

	if (equals >= 0) {
		name = str_head(name, (size_t)equals);
	} else if (is_letter) {
		value = str_skip(name, 1);
	}
	row = find_flag(rows, name, is_letter);
	if (!row) {
		row = find_flag(global_options, name, is_letter);
		out = &parser->out->globals;
	}
	if (!row) {
		return complain_unknown(parser, name);
	}
	if (row->type == OPTION_BOOL && !has_value) {
		value = STR("true");
	} else if (row->type == OPTION_BOOL && is_letter) {
		return misuse(parser, "give short options one by one, not as -%" STR_FMT,
			STR_ARG(str_head(name, 60)));
	} else if (!has_value) {
		if (parser->at >= parser->argc) {
			return misuse(parser, "--%s needs a value", row->key);
		}
		value = str_from(parser->argv[parser->at++]);
	}
	return fill(parser, row, value, out);
}

static bool accept_command(struct parser *parser, const struct command *command) {
	parser->out->command = command;
	if (command->options) {
		parser->out->options = arena_alloc(parser->arena, command->options_size);
		fill_defaults(parser->arena, command->options, parser->out->options);
	}
	return true;
}

static bool complain_command(struct parser *parser, struct str name) {
	const char *near = command_nearest(str_head(name, 60));
	return misuse(parser, "there is no command %" STR_FMT "%s%s%s", STR_ARG(str_head(name, 60)),
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

// The verb: its longest name wins, so `reload confirm` is not `reload` with a word.
static bool read_verb(struct parser *parser, struct str word) {
	const char *next = parser->at < parser->argc ? parser->argv[parser->at] : NULL;
	const struct command *command;
	char *name;
	if (parser->group) {
		name = arena_printf(
			parser->arena, "%s %" STR_FMT, parser->group, STR_ARG(str_head(word, 100)));
		command = command_find(str_from(name));
		return command ? accept_command(parser, command)
			       : complain_command(parser, str_from(name));
	}
	if (next && command_is_group(word)) {
		name = arena_printf(parser->arena, "%" STR_FMT " %s", STR_ARG(word), next);
		command = command_find(str_from(name));
		if (command) {
			parser->at++;
			return accept_command(parser, command);
		}
	}
	command = command_find(word);
	if (command) {
		return accept_command(parser, command);
	}
	if (command_is_group(word)) {
		parser->group = arena_copy(parser->arena, word);
		return true;
	}
	return complain_command(parser, word);
}

static const struct option *positional(const struct command *command, size_t number) {
	for (const struct option *row = command->options; row && row->type; row++) {
		if (row->is_positional && (number == 0 || row->type == OPTION_STRINGS)) {
			return row;
		}
		number -= row->is_positional;
	}
	return NULL;
}

static bool read_word(struct parser *parser, struct str word) {
	const struct option *row;
	if (!parser->out->command) {
		return read_verb(parser, word);
	}
	row = positional(parser->out->command, parser->words++);
	if (!row) {
		return misuse(parser, "annactl %s takes no further word: \"%" STR_FMT "\"",
			parser->out->command->name, STR_ARG(str_head(word, 60)));
	}
	parser->seen |= UINT64_C(1) << (row - parser->out->command->options);
	return fill(parser, row, word, parser->out->options);
}

static bool check_required(struct parser *parser) {
	const struct command *command = parser->out->command;
	for (const struct option *row = command->options; row && row->type; row++) {
		size_t i = (size_t)(row - command->options);
		if (row->is_positional && row->is_required && !(parser->seen >> i & 1)) {
			return misuse(parser, "annactl %s needs %s%s%s", command->name, row->key,
				command->usage ? ": annactl " : "",
				command->usage ? arena_printf(parser->arena, "%s %s", command->name,
							 command->usage)
					       : "");
		}
	}
	return true;
}

static bool complain_group(struct parser *parser) {
	struct buf names = BUF_INIT;
	size_t len = strlen(parser->group);
	for (size_t i = 0; i < command_count(); i++) {
		const char *name = command_get(i)->name;
		if (strncmp(name, parser->group, len) == 0 && name[len] == ' ') {
			buf_appendf(&names, "%s%s", names.len ? ", " : "", name + len + 1);
		}
	}
	misuse(parser, "annactl %s needs one of: %s", parser->group, buf_text(&names));
	buf_finish(&names);
	return false;
}

bool command_line_parse(struct arena *arena, int argc, const char *const *argv,
	struct command_line *out, struct failure *failure) {
	struct parser parser = {.arena = arena,
		.argv = argv,
		.argc = argc,
		.at = 1,
		.out = out,
		.failure = failure};
	*out = (struct command_line){0};
	fill_defaults(arena, global_options, &out->globals);
	while (parser.at < argc) {
		struct str word = str_from(argv[parser.at++]);
		if (!parser.only_words && str_is(word, "--")) {
			parser.only_words = true;
		} else if (!parser.only_words && word.len > 1 && word.at[0] == '-') {
			if (!read_flag(&parser, word)) {
				return false;
			}
		} else if (!read_word(&parser, word)) {
			return false;
		}
	}
	if (out->globals.help || out->globals.version || out->globals.schema) {
		return true;
	}
	if (!out->command && parser.group) {
		return complain_group(&parser);
	}
	return out->command ? check_required(&parser) : true;
}
