// SPDX-License-Identifier: Apache-2.0
// annactl: reads the command line, runs one command, and keeps two promises: results on stdout and
// everything else on stderr, and an exit status that says how it went (architecture: names a user
// can rely on).
#include "base/alloc.h"
#include "build_id.h"
#include "ctl/command.h"
#include "ctl/command_line.h"
#include "ctl/help.h"

// Sanitizers ask for every byte back; the process is about to end, but a test runs it under them.
static int finish(struct invocation *in, struct buf *socket, int status) {
	if (!output_flush(&in->output) && status == 0) {
		status = 1; // the disk is full, or the reader is gone
	}
	output_finish(&in->output);
	client_finish(&in->client);
	arena_destroy(in->arena);
	buf_finish(socket);
	return status;
}

static int print_version(struct invocation *in) {
	output_printf(&in->output, "annactl %s (%s)\n", ANNA_VERSION, ANNA_BUILD);
	return 0;
}

static int run(struct invocation *in, const struct command_line *line) {
	if (line->globals.version) {
		return print_version(in);
	}
	if (line->globals.schema) {
		help_format_schema(&in->output);
		return 0;
	}
	if (line->globals.help) {
		help_print(&in->output, line->command);
		return 0;
	}
	if (!line->command) {
		in->output.fd = STDERR_FILENO;
		help_print(&in->output, NULL);
		return EXIT_USAGE;
	}
	in->command = line->command;
	return line->command->run(in, line->options);
}

int main(int argc, char **argv) {
	struct invocation in = {.arena = arena_create(), .clock = clock_system()};
	struct command_line line;
	struct failure failure = FAILURE_INIT;
	struct buf socket = BUF_INIT;
	bool ok = command_line_parse(in.arena, argc, (const char *const *)argv, &line, &failure);

	in.globals = line.globals;
	output_init(&in.output, STDOUT_FILENO, in.globals.json, in.globals.no_color);
	connection_find_socket(&socket, in.globals.socket);
	in.socket = buf_text(&socket);
	client_init(&in.client, in.socket, in.globals.timeout_ns, in.clock);
	return finish(&in, &socket, ok ? run(&in, &line) : invocation_fail(&in, &failure));
}
