// SPDX-License-Identifier: Apache-2.0
// The table of commands, made from commands.def: declared, then listed, in the order of help.
#include "base/alloc.h"
#include "ctl/command.h"

#define COMMAND(name) extern const struct command command_##name;
#include "ctl/commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "ctl/commands.def"
#undef COMMAND
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))
#define NAMES_MAX (8 * COMMAND_COUNT)

size_t command_count(void) {
	return COMMAND_COUNT;
}

const struct command *command_get(size_t i) {
	assert(i < COMMAND_COUNT);
	return commands[i];
}

// All names, then all aliases: a name wins over an alias of another.
static size_t collect(const char **names, const struct command **owners, size_t max) {
	size_t n = 0;
	for (size_t i = 0; i < COMMAND_COUNT && n < max; i++) {
		owners[n] = commands[i];
		names[n++] = commands[i]->name;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *const *alias = commands[i]->aliases;
		for (; alias && *alias && n < max; alias++) {
			owners[n] = commands[i];
			names[n++] = *alias;
		}
	}
	return n;
}

const struct command *command_find(struct str name) {
	const char *names[NAMES_MAX];
	const struct command *owners[NAMES_MAX];
	size_t n = collect(names, owners, NAMES_MAX);
	for (size_t i = 0; i < n; i++) {
		if (str_is(name, names[i])) {
			return owners[i];
		}
	}
	return NULL;
}

bool command_is_group(struct str word) {
	const char *names[NAMES_MAX];
	const struct command *owners[NAMES_MAX];
	size_t n = collect(names, owners, NAMES_MAX);
	for (size_t i = 0; i < n; i++) {
		struct str name = str_from(names[i]);
		if (str_starts(name, word) && name.len > word.len && name.at[word.len] == ' ') {
			return true;
		}
	}
	return false;
}

const char *command_nearest(struct str wrong) {
	const char *names[NAMES_MAX];
	const struct command *owners[NAMES_MAX];
	return option_nearest(wrong, names, collect(names, owners, NAMES_MAX));
}
