// SPDX-License-Identifier: Apache-2.0
// top: what is busy and who is it, as last seen. Asking makes the processes be looked at more often
// for a few seconds, so that whoever asks again sees something new.
#include "flow/board.h"
#include "rpc/anna.h"
#include "rpc/method.h"

static void handle(struct call *call) {
	struct err err = ERR_INIT;
	struct board *board = anna_services(call_anna(call))->board;
	if (board_write_view(board, "top", call_result(call), &err)) {
		call_reply(call);
	} else {
		call_fail(call, &err);
	}
}

DEFINE_METHOD(top) = {
	.name = "top",
	.summary = "What is busy and who is it: processes, units, containers.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{time, interval_s, cpu, memory, pressure, by_cpu: [{pid, name, command, user, "
		  "unit, container, cpu_percent, cpu_percent_of_machine, memory_bytes, swap_bytes, "
		  "read_bytes_per_second, write_bytes_per_second, threads, age_s, fds, state}], "
		  "by_memory, by_io, units, counts, containers, figures}",
	.handle = handle,
};
