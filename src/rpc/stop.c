// SPDX-License-Identifier: Apache-2.0
// stop: answers, and then the daemon goes.
#include "rpc/method.h"

#include <unistd.h>

#include "base/alloc.h"
#include "io/loop.h"
#include "rpc/anna.h"

struct stopping {
	struct task task;
	struct anna *anna;
	char reason[64];
};

static void stop(void *arg) {
	struct stopping *stopping = arg;
	anna_stop(stopping->anna, stopping->reason);
	free(stopping);
}

static void handle(struct call *call) {
	struct anna *anna = call_anna(call);
	const struct caller *caller = call_caller(call);
	struct stopping *stopping = xcalloc(1, sizeof(*stopping));
	stopping->anna = anna;
	(void)snprintf(stopping->reason, sizeof(stopping->reason), "asked by uid %u, pid %d",
		(unsigned)caller->uid, (int)caller->pid);
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_bool(w, "stopping", true);
	json_member_int(w, "pid", getpid());
	json_member_int(w, "stop_timeout_ms", anna_stop_timeout_ns(anna) / NS_PER_MS);
	json_end_object(w);
	call_reply(call);
	// The answer goes out when this round's input is handled; what stops comes after it.
	task_post(&stopping->task, anna_services(anna)->loop, stop, stopping);
}

DEFINE_METHOD(stop) = {
	.name = "stop",
	.summary = "Stops the daemon.",
	.role = ROLE_ADMIN,
	.is_audited = true,
	.is_idempotent = true,
	.result = "{stopping: true, pid, stop_timeout_ms}",
	.handle = handle,
};
