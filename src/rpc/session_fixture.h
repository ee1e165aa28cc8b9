// SPDX-License-Identifier: Apache-2.0
// A session of the tests: methods to call, and a peer that remembers what it was sent.
#pragma once

#include "base/alloc.h"
#include "base/clock.h"
#include "rpc/session.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"

struct echo_params {
	struct str text;
	int64_t number;
};

static struct call *held[256];
static size_t held_count;
static int handled;

static inline void handle_echo(struct call *call) {
	const struct echo_params *params = call_params(call);
	struct json_writer *w = call_result(call);
	handled++;
	json_begin_object(w);
	json_member_str(w, "text", params->text);
	json_member_int(w, "number", params->number);
	json_end_object(w);
	call_reply(call);
}

static inline void handle_true(struct call *call) {
	handled++;
	json_bool(call_result(call), true);
	call_reply(call);
}

static inline void handle_hold(struct call *call) {
	held[held_count++] = call;
}

static inline void handle_large(struct call *call) {
	struct json_writer *w = call_result(call);
	char *text = xcalloc(1, 17 * 1024 * 1024);
	memset(text, 'a', 17 * 1024 * 1024 - 1);
	json_text(w, text);
	free(text);
	call_reply(call);
}

static inline void handle_fail(struct call *call) {
	struct err err = ERR_INIT;
	err_set(&err, ERR_BUSY, "busy as a bee");
	json_begin_object(call_result(call)); // begun and given up
	call_fail(call, &err);
}

static const struct option echo_rows[] = {{.key = "text",
						  .type = OPTION_STRING,
						  .offset = offsetof(struct echo_params, text),
						  .is_required = true},
	{.key = "number",
		.type = OPTION_INT,
		.offset = offsetof(struct echo_params, number),
		.fallback = "7",
		.max = 9},
	{0}};

static const char *const echo_aliases[] = {"repeat", NULL};
static const struct method echo = {.name = "echo",
	.aliases = echo_aliases,
	.role = ROLE_READ,
	.params = echo_rows,
	.params_size = sizeof(struct echo_params),
	.handle = handle_echo};
static const struct method ping = {.name = "ping", .role = ROLE_READ, .handle = handle_true};
static const struct method hold = {.name = "hold", .role = ROLE_READ, .handle = handle_hold};
static const struct method large = {.name = "large", .role = ROLE_READ, .handle = handle_large};
static const struct method fails = {.name = "fails", .role = ROLE_READ, .handle = handle_fail};
static const struct method stop = {.name = "stop", .role = ROLE_ADMIN, .handle = handle_true};
static const struct method *const methods[] = {&echo, &ping, &hold, &large, &fails, &stop};

struct fixture {
	struct fake_clock clock;
	struct rpc *rpc;
	struct session *session;
	struct buf sent;
	int sends, pauses, ends;
	bool is_paused;
	bool congests;	       // as a peer that reads nothing
	int64_t send_ns;       // how long the kernel takes for an answer
	struct fixture *first; // of which this is another peer
};

static inline void on_send(void *arg, struct str bytes) {
	struct fixture *f = arg;
	f->sends++;
	fake_clock_advance(&f->clock, f->send_ns);
	buf_append_str(&f->sent, bytes);
	if (f->congests) {
		session_set_congested(f->session, true);
	}
}

static inline void on_pause(void *arg, bool is_paused) {
	struct fixture *f = arg;
	f->pauses++;
	f->is_paused = is_paused;
}

static inline void on_end(void *arg) {
	((struct fixture *)arg)->ends++;
}

static inline void open_session(struct fixture *f, struct rpc *rpc, enum role role) {
	struct err err = ERR_INIT;
	struct session_peer peer = {
		.caller = {.role = role, .uid = 1000}, on_send, on_pause, on_end, f};
	f->session = session_open(rpc, &peer, &err);
	CHECK(f->session);
}

static inline void setup_with(struct fixture *f, struct rpc_options options) {
	*f = (struct fixture){.sent = BUF_INIT};
	fake_clock_init(&f->clock);
	options.clock = &f->clock.clock;
	options.methods = methods;
	options.method_count = sizeof(methods) / sizeof(methods[0]);
	f->rpc = rpc_create(&options);
	rpc_set_ready(f->rpc, true);
	open_session(f, f->rpc, ROLE_READ);
	held_count = 0;
	handled = 0;
}

static inline void setup(struct fixture *f) {
	setup_with(f, (struct rpc_options){0});
}

static inline void teardown(struct fixture *f) {
	session_close(f->session);
	rpc_destroy(f->rpc);
	buf_finish(&f->sent);
}

static inline void feed(struct fixture *f, const char *text) {
	session_feed(f->session, str_from(text));
}

static inline void release_held(void) {
	for (size_t i = 0; i < held_count; i++) {
		json_bool(call_result(held[i]), true);
		call_reply(held[i]);
	}
	held_count = 0;
}

static inline int count_lines(const struct fixture *f) {
	int n = 0;
	for (size_t i = 0; i < f->sent.len; i++) {
		n += f->sent.at[i] == '\n';
	}
	return n;
}
