// SPDX-License-Identifier: Apache-2.0
// What a call and its session know of each other; only session.c,
// request.c and call.c include this.
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "rpc/session.h"

#define RESULT_MAX (4 * 1024 * 1024)

#define ANSWERS_TIMED 32 // of one flush; what is more is timed a moment early

struct rpc {
	struct rpc_options options;
	struct map methods; // by name and alias
	struct list sessions;
	struct list spare_calls; // answered ones, kept warm
	size_t spare_count;
	struct rpc_stats stats;
	struct timing *timings;	 // one a method, in their order, and one for the unknown
	struct windows *windows; // of all
	bool is_ready;
	bool is_destroyed; // waits for its last call
};

// What was measured of one method.
struct timing {
	const char *name;
	uint64_t calls, failures;
	double sum_ns;
	struct windows *windows; // NULL until its first call
};

// An answer in a session's output: measured once the kernel has it.
struct answer {
	uint32_t timing; // index
	bool has_failed;
	int64_t started_ns;
};

struct session {
	struct list node;
	struct rpc *rpc;
	struct session_peer peer;
	struct buf input;  // begun and waiting messages
	size_t searched;   // of input: so far there is no line end
	struct buf output; // answers of the messages being handled
	struct list calls;
	size_t call_count;
	unsigned depth;	  // a feed is on the stack
	bool is_skipping; // up to the next line end
	bool is_paused;
	bool is_congested;
	bool is_over;
	bool is_closed;
	int64_t fed_ns; // when the bytes being handled came
	struct answer answers[ANSWERS_TIMED];
	size_t answer_count;
};

// The requests of one array, answered together.
struct batch {
	struct session *session; // NULL: gone
	struct arena *arena;	 // the parsed message
	struct buf out;
	size_t waiting;
	size_t share; // of the message's memory, for each of its calls
};

struct call {
	struct list node; // of the session, or of the spare ones
	struct rpc *rpc;
	struct session *session; // NULL: abandoned
	struct batch *batch;
	const struct method *method;
	struct arena *arena;
	struct buf out;	  // the answer
	size_t result_at; // where in it the result begins; 0: not begun
	struct json_writer writer;
	struct value id;
	bool is_notification;
	struct caller caller;
	const void *params;
	void (*on_abandon)(void *arg);
	void *abandon_arg;
	int64_t started_ns;
	bool has_failed;
	size_t held; // bytes of its request, of rpc->stats.held_bytes
};

struct call *call_create(struct rpc *rpc);
void call_destroy(struct call *call);
// Appends {"jsonrpc":"2.0","id":…,"error":{…}}; id NULL gives null.
// problems may be NULL.
void call_format_error(struct buf *out, const struct value *id, const struct err *err,
	const struct problems *problems);
// Runs one request object of a call that is set up: ends it, now or later.
void request_run(struct call *call, const struct value *request);
// timing.c
void timings_init(struct rpc *rpc);
void timings_finish(struct rpc *rpc);
// The call is done; measured now, or when its session's output was sent.
void timing_note_call(struct call *call);
// What was no request is answered with an error.
void timing_note_nonsense(struct session *session);
// The kernel has what was in the session's output.
void timing_answers_sent(struct session *session);
// admission.c
// Whether requests in flight take as much memory as they may, all sessions together.
bool admission_is_full(const struct rpc *rpc);
// False with *err: this message is not looked at.
_must_use_ bool admission_check(struct rpc *rpc, struct str line, struct err *err);
// Counts a call's memory while it is in flight.
void admission_hold(struct call *call);
void admission_release(struct call *call);
// The call is answered (call->out) and given back.
void session_end_call(struct call *call);
