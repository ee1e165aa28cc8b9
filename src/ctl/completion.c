// SPDX-License-Identifier: Apache-2.0
// `annactl completion bash|zsh|fish`: made from the table of commands when asked, so that it never
// differs from what this annactl understands. All three scripts find the verb so far and offer what
// may follow it.
#include "base/alloc.h"
#include "ctl/command.h"

enum shell {
	SHELL_BASH,
	SHELL_ZSH,
	SHELL_FISH
};

struct completion_options {
	int shell;
};

// One thing that may follow a verb, written in the way of a shell.
typedef void item_fn(struct buf *out, const char *verb, const char *word, const char *help);

// In single quotes.
static void append_quoted(struct buf *out, const char *text, const char *quote) {
	for (; text && *text; text++) {
		if (*text == '\'') {
			buf_append_text(out, quote);
		} else {
			buf_append_char(out, *text);
		}
	}
}

static void add_flags(
	struct buf *out, const char *verb, const struct option *rows, item_fn *add_item) {
	for (const struct option *row = rows; row && row->type; row++) {
		if (!row->is_positional) {
			char *flag = xasprintf("--%s", row->key);
			add_item(out, verb, flag, row->help);
			free(flag);
		}
		for (size_t i = 0; row->is_positional && row->choices && row->choices[i]; i++) {
			add_item(out, verb, row->choices[i], row->help);
		}
	}
}

// Whether an earlier command of the table begins with the same word.
static bool is_known(size_t i, size_t len) {
	const char *name = command_get(i)->name;
	for (size_t j = 0; j < i; j++) {
		const char *other = command_get(j)->name;
		if (strncmp(other, name, len) == 0 && (other[len] == ' ' || !other[len])) {
			return true;
		}
	}
	return false;
}

// The words that may follow `verb` in names; "" gives the first words.
static void add_words(struct buf *out, const char *verb, item_fn *add_item) {
	size_t verb_len = strlen(verb);
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *command = command_get(i);
		size_t len = strcspn(command->name, " ");
		if (verb_len == 0 && !is_known(i, len)) {
			char *word = xstrndup(command->name, len);
			add_item(out, verb, word,
				command->name[len] ? "a group: press Tab again" : command->summary);
			free(word);
		} else if (verb_len == len && command->name[len] &&
			strncmp(command->name, verb, len) == 0) {
			add_item(out, verb, command->name + len + 1, command->summary);
		}
	}
}

// Calls once for every verb that something may follow, the groups ("config") included.
static void for_each_verb(struct buf *out,
	void (*on_verb)(struct buf *out, const char *verb, const struct command *command)) {
	on_verb(out, "", NULL);
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *command = command_get(i);
		size_t len = strcspn(command->name, " ");
		if (command->name[len] && !is_known(i, len)) {
			char *group = xstrndup(command->name, len);
			on_verb(out, group, NULL);
			free(group);
		}
		on_verb(out, command->name, command);
	}
}

// --- bash ---

static void add_bash_item(struct buf *out, const char *verb, const char *word, const char *help) {
	(void)verb;
	(void)help;
	buf_appendf(out, " %s", word);
}

static void add_bash_verb(struct buf *out, const char *verb, const struct command *command) {
	buf_appendf(out, "\t\"%s\") words=\"", verb);
	add_words(out, verb, add_bash_item);
	add_flags(out, verb, command ? command->options : NULL, add_bash_item);
	buf_append_text(out, "\" ;;\n");
}

static void format_bash(struct buf *out) {
	buf_append_text(out,
		"# bash completion for annactl, made by: annactl completion bash\n"
		"_annactl() {\n"
		"\tlocal word=${COMP_WORDS[COMP_CWORD]} verb= words= i\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tcase ${COMP_WORDS[i]} in\n"
		"\t\t--socket | --timeout | --state-dir) ((i++)) ;;\n"
		"\t\t-*) ;;\n"
		"\t\t*) verb=\"${verb:+$verb }${COMP_WORDS[i]}\" ;;\n"
		"\t\tesac\n"
		"\tdone\n"
		"\tcase $verb in\n");
	for_each_verb(out, add_bash_verb);
	buf_append_text(out, "\tesac\n\twords=\"$words");
	add_flags(out, "", global_options, add_bash_item);
	buf_append_text(out,
		"\"\n"
		"\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
		"}\n"
		"complete -o default -F _annactl annactl\n");
}

// --- zsh ---

static void add_zsh_item(struct buf *out, const char *verb, const char *word, const char *help) {
	(void)verb;
	buf_appendf(out, "\t\t'%s:", word);
	append_quoted(out, help, "'\\''");
	buf_append_text(out, "'\n");
}

static void add_zsh_verb(struct buf *out, const char *verb, const struct command *command) {
	buf_appendf(out, "\"%s\")\n\tlist=(\n", verb);
	add_words(out, verb, add_zsh_item);
	add_flags(out, verb, command ? command->options : NULL, add_zsh_item);
	buf_append_text(out, "\t) ;;\n");
}

static void format_zsh(struct buf *out) {
	buf_append_text(out,
		"#compdef annactl\n"
		"# zsh completion for annactl, made by: annactl completion zsh\n"
		"local verb= i\n"
		"local -a list everywhere\n"
		"for ((i = 2; i < CURRENT; i++)); do\n"
		"\tcase ${words[i]} in\n"
		"\t--socket | --timeout | --state-dir) ((i++)) ;;\n"
		"\t-*) ;;\n"
		"\t*) verb=\"${verb:+$verb }${words[i]}\" ;;\n"
		"\tesac\n"
		"done\n"
		"case $verb in\n");
	for_each_verb(out, add_zsh_verb);
	buf_append_text(out, "esac\neverywhere=(\n");
	add_flags(out, "", global_options, add_zsh_item);
	buf_append_text(out,
		")\n"
		"_describe -t commands annactl list\n"
		"_describe -t everywhere everywhere everywhere\n"
		"[[ $PREFIX == -* ]] || _files\n");
}

// --- fish ---

static void add_fish_item(struct buf *out, const char *verb, const char *word, const char *help) {
	buf_appendf(out, "complete -c annactl -n '__annactl_verb \"%s\"'", verb);
	buf_appendf(out, word[0] == '-' ? " -l %s" : " -a %s", word + (word[0] == '-' ? 2 : 0));
	buf_append_text(out, " -d '");
	append_quoted(out, help, "\\'");
	buf_append_text(out, "'\n");
}

static void add_fish_verb(struct buf *out, const char *verb, const struct command *command) {
	add_words(out, verb, add_fish_item);
	add_flags(out, verb, command ? command->options : NULL, add_fish_item);
}

static void add_fish_global(struct buf *out, const char *verb, const char *word, const char *help) {
	(void)verb;
	buf_appendf(out, "complete -c annactl -l %s -d '", word + 2);
	append_quoted(out, help, "\\'");
	buf_append_text(out, "'\n");
}

static void format_fish(struct buf *out) {
	buf_append_text(out,
		"# fish completion for annactl, made by: annactl completion fish\n"
		"function __annactl_verb\n"
		"\tset -l verb\n"
		"\tset -l skip 0\n"
		"\tfor word in (commandline -opc)[2..-1]\n"
		"\t\tif test $skip = 1\n"
		"\t\t\tset skip 0\n"
		"\t\telse if contains -- $word --socket --timeout --state-dir\n"
		"\t\t\tset skip 1\n"
		"\t\telse if not string match -q -- '-*' $word\n"
		"\t\t\tset -a verb $word\n"
		"\t\tend\n"
		"\tend\n"
		"\ttest \"$verb\" = \"$argv[1]\"\n"
		"end\n");
	for_each_verb(out, add_fish_verb);
	add_flags(out, "", global_options, add_fish_global);
}

static int run(struct invocation *in, const void *options) {
	const struct completion_options *asked = options;
	switch ((enum shell)asked->shell) {
	case SHELL_BASH:
		format_bash(&in->output.buf);
		break;
	case SHELL_ZSH:
		format_zsh(&in->output.buf);
		break;
	case SHELL_FISH:
		format_fish(&in->output.buf);
		break;
	}
	return 0;
}

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

DEFINE_COMMAND(completion) = {
	.name = "completion",
	.summary = "Print the completion script of a shell.",
	.usage = "bash|zsh|fish",
	.examples = (const char *const[]){"source <(annactl completion bash)", NULL},
	.options =
		(const struct option[]){
			{.key = "SHELL",
				.type = OPTION_CHOICE,
				.is_positional = true,
				.is_required = true,
				.choices = shells,
				.fallback = "bash",
				.offset = offsetof(struct completion_options, shell),
				.help = "bash, zsh or fish."},
			{0},
		},
	.options_size = sizeof(struct completion_options),
	.run = run,
};
