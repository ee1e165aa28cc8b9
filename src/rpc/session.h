// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 (jsonrpc.org/specification), one message a line, without sockets: bytes of one peer
// in, bytes for it out. The socket server (rpc/server) and the simulator both drive it.
//
// Answers come as they are ready; a batch's come together. Limits: 1 MiB a message (the rest of a
// longer line is skipped), JSON_DEPTH, 100 requests a batch, calls in flight per session (more
// wait unread), and one budget of buffered input over all sessions: when it is used up, the
// session that holds most gets BUSY and ends.
#pragma once

#include "base/histogram.h"
#include "base/str.h"
#include "base/windows.h"
#include "rpc/method.h"

#define RPC_MESSAGE_MAX (1024 * 1024)

struct rpc;
struct session;

struct rpc_options {
	struct anna *anna;
	struct clock *clock;
	const struct method *const *methods;
	size_t method_count;
	size_t max_sessions;	// default 128
	size_t max_calls;	// in flight per session, default 64; more wait unread
	size_t max_input_bytes; // buffered over all sessions, default 32 MiB
};

struct rpc_stats {
	uint64_t calls, failures, refused_sessions, bytes_in, bytes_out;
	size_t sessions, calls_in_flight, input_bytes;
	size_t max_sessions, max_input_bytes; // the limits in force
	size_t input_deepest, max_output_bytes;
	uint64_t held_refused;		     // too large while as much was in flight as may be
	size_t held_bytes, held_deepest;     // of the requests of calls in flight
	size_t output_bytes, output_deepest; // that clients have not read yet
	uint64_t broken_outputs;	     // connections ended because of that
	uint64_t evicted_sessions;	     // closed because they held most of the input
	struct histogram
		latency_ns; // from the last byte of a request to its answer, failures included
};

// What is measured of one method. Latency is from the last byte of the request to the answer handed
// to the kernel; a follower's waiting is not in it.
struct rpc_timing {
	const char *name; // RPC_UNKNOWN_METHOD for all that could not be told apart
	uint64_t calls, failures;
	double sum_ns;
	const struct windows *windows; // borrowed; NULL: it was never called
};

// Requests that name no method of ours, or are no requests at all, are counted under one name: who
// sends nonsense cannot make the list longer.
#define RPC_UNKNOWN_METHOD "(unknown)"

_must_use_ struct rpc *rpc_create(const struct rpc_options *options);
// Sessions must be closed. NULL is fine.
void rpc_destroy(struct rpc *rpc);
void rpc_get_stats(const struct rpc *rpc, struct rpc_stats *out);
// The server's: answers that wait for their readers, and whether one was broken off for it.
void rpc_note_output(
	struct rpc *rpc, size_t output_bytes, size_t max_output_bytes, bool was_broken);
// All methods together, then each (aliases count as what they stand for), the unknown ones last.
const struct windows *rpc_windows(const struct rpc *rpc);
size_t rpc_timing_count(const struct rpc *rpc);
void rpc_get_timing(const struct rpc *rpc, size_t i, struct rpc_timing *out);
// Takes on new limits (a reload does); sessions that are open stay.
void rpc_set_limits(struct rpc *rpc, size_t max_sessions, size_t max_calls, size_t max_input_bytes);
// The methods, for rpc.describe.
const struct method *const *rpc_methods(const struct rpc *rpc, size_t *out_count);
// While not ready, every method but status, ping and rpc.describe answers UNAVAILABLE.
void rpc_set_ready(struct rpc *rpc, bool is_ready);

struct session_peer {
	struct caller caller;
	// Sends an answer's bytes (whole lines).
	void (*send)(void *arg, struct str bytes);
	// The session wants no more input for now / again (back-pressure).
	void (*pause)(void *arg, bool is_paused);
	// The session is over (a limit was broken): flush, then close.
	void (*end)(void *arg);
	void *arg;
};

// NULL with *err BUSY when there are too many.
_must_use_ struct session *session_open(
	struct rpc *rpc, const struct session_peer *peer, struct err *err);
// Bytes as they came, in any portions.
void session_feed(struct session *session, struct str bytes);
// The peer is gone: calls in flight are abandoned. No callback comes any more.
void session_close(struct session *session);
// While congested (the peer does not read its answers) no further message is looked at.
void session_set_congested(struct session *session, bool is_congested);
// Whether nothing is buffered and no call is in flight (for idle time-outs).
bool session_is_idle(const struct session *session);
size_t session_calls(const struct session *session); // in flight
// The line a refused connection gets: a JSON-RPC error with id null.
void session_format_refusal(const struct err *err, struct buf *out);
