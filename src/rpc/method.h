// SPDX-License-Identifier: Apache-2.0
// An RPC method: one file in src/rpc/ that ends in its descriptor, one row in methods.def.
// Parameters are parsed and checked from option rows before handle is called; the role of the
// caller too. handle answers exactly once, now or later, with call_reply or call_fail.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "config/option.h"
#include "formats/json.h"

struct anna;
struct call;

enum role {
	ROLE_NONE,
	ROLE_READ,
	ROLE_ACT,
	ROLE_ADMIN
};

// Who is asking, by SO_PEERCRED; never what they say of themselves.
struct caller {
	enum role role;
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

struct method {
	const char *name;
	const char *const *aliases; // NULL-terminated, or NULL
	const char *summary;
	enum role role;
	bool is_idempotent;	     // safe to repeat: a client may retry after a timeout
	bool is_audited;	     // changes Anna: each call is an event, rpc.called
	const struct option *params; // NULL: none
	size_t params_size;
	const char *result; // what the result holds, in one sentence
	void (*handle)(struct call *call);
};

#define DEFINE_METHOD(name) const struct method method_##name

// --- what a handler may use ---

// The program as methods see it (rpc/anna.h).
struct anna *call_anna(const struct call *call);
// The filled struct of the method's rows.
const void *call_params(const struct call *call);
const struct caller *call_caller(const struct call *call);
// Lives until the answer is sent.
struct arena *call_arena(struct call *call);
// Where the result is written: exactly one JSON value; then call_reply. Bounded: a result over
// 4 MiB is answered with LIMIT instead.
struct json_writer *call_result(struct call *call);
void call_reply(struct call *call);
void call_fail(struct call *call, const struct err *err);
// As call_fail, for a configuration with errors: the first of them are the message (err's code
// counts, its text only when there are none), all are data.problems.
void call_fail_problems(struct call *call, const struct err *err, const struct problems *problems);
// [{file, line, column, severity: "error" or "warning", message}]
void problems_write(struct json_writer *writer, const struct problems *problems);
// A handler that waits (a job, durability) asks this before it goes on: the client is gone, the
// answer will be dropped; it must still call call_reply or call_fail to end the call.
bool call_is_abandoned(const struct call *call);
// For handlers that wait long: called once when the client goes while the call is in flight; it
// ends the call (call_fail), there or soon after. NULL takes it back.
void call_set_on_abandon(struct call *call, void (*on_abandon)(void *arg), void *arg);
// The call has waited for the world (a follower for its event), not for us: what is measured as
// its latency begins now.
void call_waited(struct call *call);

const char *role_name(enum role role);
