// SPDX-License-Identifier: Apache-2.0
// How much memory requests may take while they are in flight, over all sessions. At the limit a
// session with calls in flight is paused until one ends; one without may still ask something small,
// or nobody could find out why nothing is answered.
#include "rpc/call.h"

#define CALL_BYTES 4096	 // of a call beside its arena: the call itself, what its method notes down
#define VALUES_MAX 32768 // in one message
#define SMALL_LINE 4096	 // "health" and "status" are far smaller

bool admission_is_full(const struct rpc *rpc) {
	return rpc->stats.held_bytes >= rpc->options.max_input_bytes;
}

// A value of two bytes ("0,") takes 112 in memory while it is parsed: a message of a mebibyte could
// take 60 of them.
static bool has_too_many_values(struct str line) {
	size_t n = 0, depth = 0;
	bool is_text = false;
	for (size_t i = 0; line.len > VALUES_MAX && i < line.len && depth <= JSON_DEPTH; i++) {
		char c = line.at[i];
		if (c == '"') {
			is_text = !is_text;
		} else if (is_text) {
			i += c == '\\';
		} else {
			n += c == ',' || c == '[' || c == '{';
			depth += c == '[' || c == '{';
			depth -= depth && (c == ']' || c == '}');
		}
	}
	return n > VALUES_MAX && depth <= JSON_DEPTH; // deeper is refused before it takes anything
}

bool admission_check(struct rpc *rpc, struct str line, struct err *err) {
	if (has_too_many_values(line)) {
		return err_set(err, ERR_REQUEST, "the message has more than %d values", VALUES_MAX);
	}
	if (admission_is_full(rpc) && line.len > SMALL_LINE) {
		rpc->stats.held_refused++;
		return err_set(err, ERR_BUSY,
			"requests that take %zu bytes wait for their answers already (max_input in "
			"[rpc]); only small ones are taken",
			rpc->stats.held_bytes);
	}
	return true;
}

void admission_hold(struct call *call) {
	struct rpc_stats *stats = &call->rpc->stats;
	call->held = CALL_BYTES + arena_used(call->arena) + (call->batch ? call->batch->share : 0);
	stats->held_bytes += call->held;
	stats->held_deepest = stats->held_bytes > stats->held_deepest ? stats->held_bytes
								      : stats->held_deepest;
}

void admission_release(struct call *call) {
	call->rpc->stats.held_bytes -= call->held;
	call->held = 0;
}
