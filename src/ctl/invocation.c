// SPDX-License-Identifier: Apache-2.0
// What commands share: asking the daemon, and saying why it did not work. See command.h.
#include <stdarg.h>

#include "ctl/command.h"
#include "ctl/diagnose.h"
#include "ctl/failure.h"

int invocation_fail(struct invocation *in, const struct failure *failure) {
	struct failure told = *failure;
	struct diagnosis *diagnosis = NULL;
	(void)output_flush(&in->output); // what was printed so far comes first
	if (told.is_unreachable) {
		diagnosis = diagnose(
			in->arena, in->socket, in->globals.state_dir, told.peer_pid, in->clock);
		diagnosis_advise(diagnosis, &told);
	}
	failure_print(&told, diagnosis, &in->output);
	in->exit_status = failure_exit_status(&told);
	return in->exit_status;
}

const struct value *invocation_call(struct invocation *in, const struct request *request) {
	struct failure failure = FAILURE_INIT;
	const struct value *result = client_call(&in->client, request, in->arena, &failure);
	if (!result) {
		invocation_fail(in, &failure);
	}
	return result;
}

const struct value *invocation_ask(struct invocation *in, const char *method) {
	struct request request = {.method = method, .is_repeatable = true};
	return invocation_call(in, &request);
}

int invocation_misuse(struct invocation *in, const char *format, ...) {
	struct failure failure = FAILURE_INIT;
	char message[400];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	failure_set(&failure, ERR_INVALID, "%s", message);
	failure.exit_status = EXIT_USAGE;
	snprintf(failure.name, sizeof(failure.name), "Usage");
	failure_set_next(&failure, "annactl help %s", in->command->name);
	return invocation_fail(in, &failure);
}
