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
	struct histogram
		latency_ns; // from the last byte of a request to its answer, failures included
};

_must_use_ struct rpc *rpc_create(const struct rpc_options *options);
// Sessions must be closed. NULL is fine.
void rpc_destroy(struct rpc *rpc);
void rpc_get_stats(const struct rpc *rpc, struct rpc_stats *out);
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
