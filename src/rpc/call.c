// SPDX-License-Identifier: Apache-2.0
// One call as its method's handler sees it: parameters in, one answer out. A call is recycled with
// its arena and buffer warm, so an ordinary one costs no allocation.
#include "rpc/call.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/clock.h"

// A call that once had a large answer does not keep that memory.
#define KEEP_OUT 16384
#define KEEP_ARENA 16384
#define SPARE_MAX 64

struct call *call_create(struct rpc *rpc) {
	struct call *call;
	if (!list_is_empty(&rpc->spare_calls)) {
		call = list_item(rpc->spare_calls.next, struct call, node);
		list_remove(&call->node);
		rpc->spare_count--;
		return call;
	}
	call = xcalloc(1, sizeof(*call));
	call->rpc = rpc;
	call->arena = arena_create();
	list_init(&call->node);
	return call;
}

static void call_free(struct call *call) {
	arena_destroy(call->arena);
	buf_finish(&call->out);
	free(call);
}

void call_destroy(struct call *call) {
	struct rpc *rpc = call->rpc;
	list_remove(&call->node);
	if (rpc->is_destroyed || rpc->spare_count >= SPARE_MAX || call->out.cap > KEEP_OUT ||
		arena_used(call->arena) > KEEP_ARENA) {
		call_free(call);
		return;
	}
	struct call fresh = {.rpc = rpc, .arena = call->arena, .out = call->out};
	*call = fresh;
	arena_clear(call->arena);
	buf_clear(&call->out);
	list_add_first(&rpc->spare_calls, &call->node);
	rpc->spare_count++;
}

static void append_head(struct buf *out, const struct value *id) {
	buf_append_str(out, STR("{\"jsonrpc\":\"2.0\",\"id\":"));
	if (id) {
		json_format(out, id);
	} else {
		buf_append_str(out, STR("null"));
	}
}

void problems_write(struct json_writer *w, const struct problems *problems) {
	json_begin_array(w);
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *problem = &problems->items[i];
		json_begin_object(w);
		json_member_text(w, "file", problem->file);
		json_member_int(w, "line", problem->line);
		json_member_int(w, "column", problem->column);
		json_member_text(w, "severity", problem->is_warning ? "warning" : "error");
		json_member_text(w, "message", problem->message);
		json_end_object(w);
	}
	json_end_array(w);
}

void call_format_error(struct buf *out, const struct value *id, const struct err *err,
	const struct problems *problems) {
	const struct err_row *row = err_row(err->code);
	struct json_writer writer;
	append_head(out, id);
	buf_append_str(out, STR(",\"error\":"));
	json_writer_init(&writer, out);
	json_begin_object(&writer);
	json_member_int(&writer, "code", row->rpc_code);
	json_member_text(&writer, "message", err->message[0] ? err->message : row->text);
	json_key(&writer, "data");
	json_begin_object(&writer);
	json_member_text(&writer, "name", row->name);
	json_member_bool(&writer, "retryable", row->retryable);
	json_member_int(&writer, "retry_after_ms", row->retry_after_ms);
	json_member_text(&writer, "hint", row->hint);
	if (problems) {
		json_key(&writer, "problems");
		problems_write(&writer, problems);
	}
	json_end_object(&writer);
	json_end_object(&writer);
	buf_append_char(out, '}');
}

struct anna *call_anna(const struct call *call) {
	return call->rpc->options.anna;
}

const void *call_params(const struct call *call) {
	return call->params;
}

const struct caller *call_caller(const struct call *call) {
	return &call->caller;
}

struct arena *call_arena(struct call *call) {
	return call->arena;
}

bool call_is_abandoned(const struct call *call) {
	return call->batch ? !call->batch->session : !call->session;
}

void call_set_on_abandon(struct call *call, void (*on_abandon)(void *arg), void *arg) {
	call->on_abandon = on_abandon;
	call->abandon_arg = arg;
}

void call_waited(struct call *call) {
	call->started_ns = clock_monotonic(call->rpc->options.clock);
}

struct json_writer *call_result(struct call *call) {
	if (!call->result_at) {
		append_head(&call->out, &call->id);
		buf_append_str(&call->out, STR(",\"result\":"));
		call->result_at = call->out.len;
		json_writer_init(&call->writer, &call->out);
	}
	return &call->writer;
}

void call_reply(struct call *call) {
	assert(call->result_at && call->out.len > call->result_at && call->writer.depth == 0);
	if (call->out.len - call->result_at > RESULT_MAX) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_LIMIT,
			"the result of %s has %zu bytes; at most %d are sent: ask for less",
			call->method->name, call->out.len - call->result_at, RESULT_MAX);
		call_fail(call, &err);
		return;
	}
	buf_append_char(&call->out, '}');
	session_end_call(call);
}

void call_fail(struct call *call, const struct err *err) {
	call->rpc->stats.failures++;
	call->has_failed = true;
	buf_clear(&call->out);
	call_format_error(&call->out, &call->id, err, NULL);
	session_end_call(call);
}

void call_fail_problems(struct call *call, const struct err *err, const struct problems *problems) {
	struct err full = *err;
	struct buf text = BUF_INIT;
	problems_format(problems, &text);
	if (text.len) {
		// Cut is fine: data.problems has all.
		(void)snprintf(full.message, sizeof(full.message),
			"the configuration has %zu error%s:\n%" STR_FMT, problems->errors,
			problems->errors == 1 ? "" : "s", STR_ARG(str_trim(buf_str(&text))));
	}
	buf_finish(&text);
	call->rpc->stats.failures++;
	call->has_failed = true;
	buf_clear(&call->out);
	call_format_error(&call->out, &call->id, &full, problems);
	session_end_call(call);
}

const char *role_name(enum role role) {
	static const char *const names[] = {"none", "read", "act", "admin"};
	return names[role];
}
