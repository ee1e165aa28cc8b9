// SPDX-License-Identifier: Apache-2.0
// command.run: runs a program of a [[commands]] grant, exactly as root wrote it down: nothing of
// the request reaches its arguments or environment.
#include "helper/verb.h"

#define OUTPUT_LIMIT (64 * 1024)

struct run_params {
	struct str name;
};

static const struct option rows[] = {
	{"name", OPTION_STRING, offsetof(struct run_params, name), .min = 1, .max = 64,
		.is_required = true, .help = "The grant's name."},
	{NULL},
};

static bool prepare(const struct verb *verb, const void *filled, const struct grants *grants,
	struct arena *arena, struct helper_command *out, struct err *err) {
	const struct run_params *params = filled;
	const struct command_grant *grant = NULL;
	(void)verb;
	for (size_t i = 0; i < grants->command_count && !grant; i++) {
		if (str_equal(grants->commands[i].name, params->name)) {
			grant = &grants->commands[i];
		}
	}
	if (!grant) {
		return err_set(err, ERR_DENIED,
			"no [[commands]] grant is called \"%" STR_FMT
			"\"; root can grant it in /etc/anna/commands.d/*.toml",
			STR_ARG(params->name));
	}
	const char **argv = arena_array(arena, grant->argv.n + 1, sizeof(*argv));
	for (size_t i = 0; i < grant->argv.n; i++) {
		argv[i] = arena_copy(arena, grant->argv.items[i]);
	}
	*out = (struct helper_command){argv, arena_copy(arena, grant->user),
		arena_copy(arena, grant->directory), grant->timeout_ns, OUTPUT_LIMIT};
	return grants_is_roots_own(argv[0], err);
}

DEFINE_VERB(command_run) = {
	.name = "command.run",
	.summary = "Runs a program that root has granted.",
	.params = rows,
	.params_size = sizeof(struct run_params),
	.prepare = prepare,
};
