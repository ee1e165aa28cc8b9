// SPDX-License-Identifier: Apache-2.0
// Lines in, calls out. The invariants: every request that is not a notification gets exactly one
// answer; what a peer makes us keep is bounded; and while a session handles bytes (depth > 0) it is
// neither fed again nor freed.
#include "rpc/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "rpc/call.h"

#define BATCH_MAX 100
// Answers are handed over in portions of this size even while more requests wait, so that a flood
// of them meets back-pressure.
#define FLUSH_AT 65536
// What an idle session keeps of each buffer: there may be many of them.
#define KEEP_BUFFER 8192

// --- answers ---

static void flush(struct session *session) {
	if (session->output.len == 0) {
		return;
	}
	session->rpc->stats.bytes_out += session->output.len;
	if (!session->is_closed) {
		session->peer.send(session->peer.arg, buf_str(&session->output));
	}
	timing_answers_sent(session);
	if (session->output.cap > KEEP_BUFFER) {
		buf_finish(&session->output);
	} else {
		buf_clear(&session->output);
	}
}

static void answer_error(struct session *session, const struct value *id, const struct err *err) {
	session->rpc->stats.failures++;
	call_format_error(&session->output, id, err, NULL);
	buf_append_char(&session->output, '\n');
	timing_note_nonsense(session);
}

void session_format_refusal(const struct err *err, struct buf *out) {
	call_format_error(out, NULL, err, NULL);
	buf_append_char(out, '\n');
}

static void leave(struct session *session) {
	if (--session->depth == 0 && session->is_closed) {
		buf_finish(&session->input);
		buf_finish(&session->output);
		free(session);
	}
}

// The session is over: nothing of its input is looked at any more.
static void end_session(struct session *session) {
	if (session->is_over || session->is_closed) {
		return;
	}
	session->is_over = true;
	session->rpc->stats.input_bytes -= session->input.len;
	buf_finish(&session->input);
	session->depth++;
	flush(session);
	session->peer.end(session->peer.arg);
	leave(session);
}

// --- batches ---

static void batch_destroy(struct batch *batch) {
	arena_destroy(batch->arena);
	buf_finish(&batch->out);
	free(batch);
}

// One of the batch's requests, or its reading, is through.
static void batch_release(struct batch *batch) {
	if (--batch->waiting > 0) {
		return;
	}
	struct session *session = batch->session;
	if (session && batch->out.len) {
		buf_append_char(&session->output, '[');
		buf_append_str(&session->output, buf_str(&batch->out));
		buf_append_str(&session->output, STR("]\n"));
	}
	batch_destroy(batch);
}

static void batch_append(struct batch *batch, const struct call *call) {
	if (batch->out.len) {
		buf_append_char(&batch->out, ',');
	}
	if (batch->out.len + call->out.len <= RESULT_MAX) {
		buf_append_str(&batch->out, buf_str(&call->out));
		return;
	}
	struct err err = ERR_INIT;
	err_set(&err, ERR_LIMIT, "the results of this batch exceed %d bytes: ask for less",
		RESULT_MAX);
	call_format_error(&batch->out, &call->id, &err, NULL);
}

// --- the end of a call ---

static bool is_blocked(const struct session *session) {
	const struct rpc *rpc = session->rpc;
	// When all is held, a session with nothing in flight may still ask, or nobody could find out
	// why nothing is answered.
	return session->is_congested || session->call_count >= rpc->options.max_calls ||
		(session->call_count > 0 && admission_is_full(rpc));
}

// The end of a call makes room for the next: the one function declared before its definition.
static void process(struct session *session, struct str bytes);

static void rpc_release(struct rpc *rpc) {
	if (rpc->is_destroyed && rpc->stats.calls_in_flight == 0) {
		map_finish(&rpc->methods);
		timings_finish(rpc);
		free(rpc);
	}
}

static void append_answer(struct session *session, struct batch *batch, const struct call *call) {
	if (batch) {
		batch_append(batch, call);
	} else if (session) {
		buf_append_str(&session->output, buf_str(&call->out));
		buf_append_char(&session->output, '\n');
	}
}

void session_end_call(struct call *call) {
	struct rpc *rpc = call->rpc;
	struct session *session = call->session;
	struct batch *batch = call->batch;
	rpc->stats.calls_in_flight--;
	admission_release(call);
	timing_note_call(call);
	if (session) {
		session->call_count--;
	}
	if (!call->is_notification) {
		append_answer(session, batch, call);
	}
	call_destroy(call);
	if (batch) {
		batch_release(batch);
	}
	if (session && session->depth == 0) {
		process(session, (struct str){0}); // sends the answer; there may be room for more
	}
	rpc_release(rpc);
}

// --- requests ---

// Takes the call; the value lives in its arena or its batch's.
static void dispatch(struct session *session, struct batch *batch, struct call *call,
	const struct value *request) {
	struct rpc *rpc = session->rpc;
	call->session = session;
	call->batch = batch;
	call->caller = session->peer.caller;
	call->started_ns = session->fed_ns;
	admission_hold(call);
	list_add_last(&session->calls, &call->node);
	session->call_count++;
	rpc->stats.calls++;
	rpc->stats.calls_in_flight++;
	request_run(call, request);
}

static void handle_single(struct session *session, struct str line) {
	struct err err = ERR_INIT;
	struct call *call = call_create(session->rpc);
	struct str text = arena_copy_str(call->arena, line);
	const struct value *value = json_parse(call->arena, text, JSON_DEPTH, &err);
	if (!value) {
		call_destroy(call);
		session->rpc->stats.calls++;
		err.code = ERR_PARSE;
		answer_error(session, NULL, &err);
		return;
	}
	dispatch(session, NULL, call, value);
}

static void run_batch(struct session *session, struct batch *batch, const struct value *requests) {
	batch->waiting = 1; // our own hold, until all are under way
	batch->share = arena_used(batch->arena) / requests->array.n;
	for (size_t i = 0; i < requests->array.n && !session->is_closed; i++) {
		batch->waiting++;
		dispatch(session, batch, call_create(session->rpc), &requests->array.items[i]);
	}
	batch_release(batch);
}

static void handle_batch(struct session *session, struct str line) {
	struct err err = ERR_INIT;
	struct batch *batch = xcalloc(1, sizeof(*batch));
	batch->session = session;
	batch->arena = arena_create();
	struct str text = arena_copy_str(batch->arena, line);
	const struct value *value = json_parse(batch->arena, text, JSON_DEPTH, &err);
	if (!value) {
		err.code = ERR_PARSE;
	} else if (value->array.n == 0) {
		err_set(&err, ERR_REQUEST, "the batch is empty");
	} else if (value->array.n > BATCH_MAX) {
		err_set(&err, ERR_REQUEST, "the batch has %zu requests; at most %d are taken",
			value->array.n, BATCH_MAX);
	} else {
		run_batch(session, batch, value);
		return;
	}
	session->rpc->stats.calls++;
	answer_error(session, NULL, &err);
	batch_destroy(batch);
}

static void answer_too_long(struct session *session) {
	struct err err = ERR_INIT;
	err_set(&err, ERR_REQUEST,
		"the message is longer than %d bytes; it is skipped up to the end of its line",
		RPC_MESSAGE_MAX);
	session->rpc->stats.calls++;
	answer_error(session, NULL, &err);
}

static void handle_line(struct session *session, struct str line) {
	if (session->is_skipping) {
		session->is_skipping = false;
		return;
	}
	if (line.len > RPC_MESSAGE_MAX) {
		answer_too_long(session);
		return;
	}
	line = str_trim(line);
	if (line.len == 0) {
		return;
	}
	struct err err = ERR_INIT;
	if (!admission_check(session->rpc, line, &err)) {
		session->rpc->stats.calls++;
		answer_error(session, NULL, &err);
		return;
	}
	if (line.at[0] == '[') {
		handle_batch(session, line);
	} else {
		handle_single(session, line);
	}
}

// --- bytes ---

// The input budget is used up: whoever holds most of it pays.
static void evict_largest(struct rpc *rpc) {
	struct session *largest = NULL;
	list_for_each (node, &rpc->sessions) {
		struct session *session = list_item(node, struct session, node);
		if (!session->is_over && (!largest || session->input.len > largest->input.len)) {
			largest = session;
		}
	}
	if (!largest) {
		return;
	}
	struct err err = ERR_INIT;
	err_set(&err, ERR_BUSY,
		"all clients together have %zu bytes of unfinished messages here (at most %zu are "
		"kept), you most of them; the connection is closed",
		rpc->stats.input_bytes, rpc->options.max_input_bytes);
	rpc->stats.evicted_sessions++;
	answer_error(largest, NULL, &err);
	end_session(largest);
}

// Keeps what could not be handled yet. `rest` lies in session->input when that is in use.
static void keep_rest(struct session *session, struct str rest) {
	size_t before = session->input.len;
	bool is_begun = !is_blocked(session); // else whole messages are waiting
	if (is_begun && !session->is_skipping && rest.len > RPC_MESSAGE_MAX) {
		answer_too_long(session);
		session->is_skipping = true;
	}
	if (is_begun && session->is_skipping) {
		rest.len = 0;
	}
	if (before) {
		buf_consume(&session->input, (size_t)(rest.at - session->input.at));
		session->input.len = rest.len;
	} else {
		buf_append_str(&session->input, rest);
	}
	session->searched = is_begun ? session->input.len : 0;
	if (session->input.len == 0 && session->input.cap > KEEP_BUFFER) {
		buf_finish(&session->input);
	}
}

static struct str handle_lines(struct session *session, struct str all, size_t searched) {
	while (!session->is_over && !session->is_closed && !is_blocked(session)) {
		const char *from = all.at + searched;
		const char *end = all.len > searched ? memchr(from, '\n', all.len - searched)
						     : NULL;
		if (!end) {
			break;
		}
		struct str line = {all.at, (size_t)(end - all.at)};
		all = str_skip(all, line.len + 1);
		searched = 0;
		handle_line(session, line);
		if (session->output.len >= FLUSH_AT) {
			flush(session);
		}
	}
	return all;
}

// Handles waiting input and `bytes`, sends the answers.
static void process(struct session *session, struct str bytes) {
	struct rpc *rpc = session->rpc;
	size_t before = session->input.len;
	struct str all = bytes;
	session->depth++;
	// A request's time begins when we may look at it: a client that reads slowly or asks too
	// much at once must not make Anna look slow.
	session->fed_ns = clock_monotonic(rpc->options.clock);
	if (before) {
		buf_append_str(&session->input, bytes);
		all = buf_str(&session->input);
	}
	if (all.len) {
		struct str rest = handle_lines(session, all, before ? session->searched : 0);
		if (!session->is_over && !session->is_closed) {
			keep_rest(session, rest);
			rpc->stats.input_bytes += session->input.len - before;
			if (rpc->stats.input_bytes > rpc->stats.input_deepest) {
				rpc->stats.input_deepest = rpc->stats.input_bytes;
			}
		}
	}
	flush(session);
	bool pauses = is_blocked(session);
	if (!session->is_over && !session->is_closed && pauses != session->is_paused) {
		session->is_paused = pauses;
		session->peer.pause(session->peer.arg, pauses);
	}
	if (rpc->stats.input_bytes > rpc->options.max_input_bytes) {
		evict_largest(rpc);
	}
	leave(session);
}

void session_feed(struct session *session, struct str bytes) {
	assert(session->depth == 0);
	if (session->is_over || session->is_closed) {
		return;
	}
	session->rpc->stats.bytes_in += bytes.len;
	process(session, bytes);
}

void session_set_congested(struct session *session, bool is_congested) {
	session->is_congested = is_congested;
	if (session->depth == 0 && !session->is_over && !session->is_closed) {
		process(session, (struct str){0});
	}
}

bool session_is_idle(const struct session *session) {
	return session->call_count == 0 && session->input.len == 0 && !session->is_skipping;
}

size_t session_calls(const struct session *session) {
	return session->call_count;
}

// --- life cycle ---

struct session *session_open(struct rpc *rpc, const struct session_peer *peer, struct err *err) {
	if (rpc->stats.sessions >= rpc->options.max_sessions) {
		rpc->stats.refused_sessions++;
		err_set(err, ERR_BUSY,
			"Anna has %zu connections open, as many as she accepts (max_connections in "
			"[rpc])",
			rpc->stats.sessions);
		return NULL;
	}
	struct session *session = xcalloc(1, sizeof(*session));
	session->rpc = rpc;
	session->peer = *peer;
	list_init(&session->calls);
	list_add_last(&rpc->sessions, &session->node);
	rpc->stats.sessions++;
	return session;
}

void session_close(struct session *session) {
	if (session->is_closed) {
		return;
	}
	session->is_closed = true;
	list_for_each (node, &session->calls) {
		struct call *call = list_item(node, struct call, node);
		list_remove(node);
		call->session = NULL;
		if (call->batch) {
			call->batch->session = NULL;
		}
		if (call->on_abandon) {
			call->on_abandon(call->abandon_arg); // may end the call
		}
	}
	session->call_count = 0;
	list_remove(&session->node);
	session->rpc->stats.sessions--;
	session->rpc->stats.input_bytes -= session->is_over ? 0 : session->input.len;
	session->depth++;
	leave(session);
}

static void add_method(struct rpc *rpc, const struct method *method, const char *name) {
	void *old = map_put(&rpc->methods, str_from(name), (void *)(uintptr_t)method);
	assert(!old); // two methods with one name
	(void)old;
}

struct rpc *rpc_create(const struct rpc_options *options) {
	struct rpc *rpc = xcalloc(1, sizeof(*rpc));
	rpc->options = *options;
	rpc_set_limits(rpc, options->max_sessions, options->max_calls, options->max_input_bytes);
	list_init(&rpc->sessions);
	list_init(&rpc->spare_calls);
	histogram_init(&rpc->stats.latency_ns);
	timings_init(rpc);
	for (size_t i = 0; i < options->method_count; i++) {
		const struct method *method = options->methods[i];
		add_method(rpc, method, method->name);
		for (const char *const *alias = method->aliases; alias && *alias; alias++) {
			add_method(rpc, method, *alias);
		}
	}
	return rpc;
}

void rpc_destroy(struct rpc *rpc) {
	if (!rpc) {
		return;
	}
	assert(list_is_empty(&rpc->sessions));
	rpc->is_destroyed = true;
	list_for_each (node, &rpc->spare_calls) {
		call_destroy(list_item(node, struct call, node));
	}
	rpc_release(rpc); // abandoned calls that are still under way keep it
}

void rpc_get_stats(const struct rpc *rpc, struct rpc_stats *out) {
	*out = rpc->stats;
	out->max_sessions = rpc->options.max_sessions;
	out->max_input_bytes = rpc->options.max_input_bytes;
}

void rpc_set_limits(
	struct rpc *rpc, size_t max_sessions, size_t max_calls, size_t max_input_bytes) {
	rpc->options.max_sessions = max_sessions ? max_sessions : 128;
	rpc->options.max_calls = max_calls ? max_calls : 64;
	rpc->options.max_input_bytes = max_input_bytes ? max_input_bytes : 32 * 1024 * 1024;
}

const struct method *const *rpc_methods(const struct rpc *rpc, size_t *out_count) {
	*out_count = rpc->options.method_count;
	return rpc->options.methods;
}

void rpc_set_ready(struct rpc *rpc, bool is_ready) {
	rpc->is_ready = is_ready;
}
