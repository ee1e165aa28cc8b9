// SPDX-License-Identifier: Apache-2.0
// Any bytes, cut anywhere: a session answers whole lines of JSON-RPC, the same ones however the
// bytes were cut, and keeps no more than its limits.
#include <assert.h>
#include <stdlib.h>

#include "rpc/session.h"
#include "tests/fakes/fake_loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define HELD_MAX 64

static struct call *held[HELD_MAX];
static size_t held_count;

struct parameters {
	struct str text;
	int64_t number;
	struct strings list;
	const struct value *any;
};

static const struct option rows[] = {{.key = "text",
					     .type = OPTION_STRING,
					     .offset = offsetof(struct parameters, text),
					     .max = 10},
	{.key = "number",
		.type = OPTION_INT,
		.offset = offsetof(struct parameters, number),
		.fallback = "1",
		.min = -5,
		.max = 5},
	{.key = "list",
		.type = OPTION_STRINGS,
		.offset = offsetof(struct parameters, list),
		.max = 3},
	{.key = "any", .type = OPTION_VALUE, .offset = offsetof(struct parameters, any)}, {0}};

static void handle_echo(struct call *call) {
	const struct parameters *parameters = call_params(call);
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_str(w, "text", parameters->text);
	json_member_int(w, "number", parameters->number);
	json_key(w, "any");
	if (parameters->any) {
		json_value(w, parameters->any);
	} else {
		json_null(w);
	}
	json_end_object(w);
	call_reply(call);
}

static void handle_ping(struct call *call) {
	json_bool(call_result(call), true);
	call_reply(call);
}

static void handle_hold(struct call *call) {
	assert(held_count < HELD_MAX);
	held[held_count++] = call;
}

static const struct method echo = {.name = "echo",
	.role = ROLE_READ,
	.params = rows,
	.params_size = sizeof(struct parameters),
	.handle = handle_echo};
static const struct method ping = {.name = "ping", .role = ROLE_READ, .handle = handle_ping};
static const struct method hold = {.name = "hold", .role = ROLE_READ, .handle = handle_hold};
static const struct method stop = {.name = "stop", .role = ROLE_ADMIN, .handle = handle_ping};
static const struct method *const methods[] = {&echo, &ping, &hold, &stop};

static void on_send(void *arg, struct str answers) {
	buf_append_str(arg, answers);
}

static void on_pause(void *arg, bool is_paused) {
	(void)arg;
	(void)is_paused;
}

static void on_end(void *arg) {
	(void)arg;
}

static void answer_held(void) {
	for (size_t i = 0; i < held_count; i++) {
		struct call *call = held[i];
		held[i] = NULL;
		json_bool(call_result(call), true);
		call_reply(call);
	}
}

// All answers to the bytes, given in portions of `step`; half of the held calls are answered while
// the session lives.
static void run(struct str bytes, size_t step, bool answers, struct buf *out) {
	struct fake_clock clock;
	struct err err = ERR_INIT;
	fake_clock_init(&clock);
	struct rpc_options options = {.clock = &clock.clock,
		.methods = methods,
		.method_count = 4,
		.max_calls = 8,
		.max_input_bytes = 1 << 20};
	struct rpc *rpc = rpc_create(&options);
	struct session_peer peer = {{.role = ROLE_READ}, on_send, on_pause, on_end, out};
	struct session *session = session_open(rpc, &peer, &err);
	struct rpc_stats stats;
	rpc_set_ready(rpc, true);
	held_count = 0;
	for (size_t at = 0; at < bytes.len; at += step) {
		session_feed(session, str_head(str_skip(bytes, at), step));
		rpc_get_stats(rpc, &stats);
		assert(stats.calls_in_flight <= 8 + 99); // a batch may go past the limit once
		assert(stats.input_bytes <= bytes.len);
	}
	if (answers) {
		for (size_t i = 0; i < held_count && i < HELD_MAX; i++) {
			struct call *call = held[i];
			json_bool(call_result(call), true);
			call_reply(call); // more may be held now
		}
		held_count = 0;
	}
	session_close(session);
	rpc_destroy(rpc);
	answer_held();
}

static void check_answers(struct str answers) {
	struct str line;
	assert(answers.len == 0 || answers.at[answers.len - 1] == '\n');
	answers.len -= answers.len > 0;
	while (answers.len && str_split(&answers, '\n', &line)) {
		struct arena *arena = arena_create();
		struct err err = ERR_INIT;
		const struct value *value = json_parse(arena, line, JSON_DEPTH + 8, &err);
		assert(value && (value->type == VALUE_TABLE || value->type == VALUE_ARRAY));
		if (value->type == VALUE_TABLE) {
			assert(value_get(value, STR("id")));
			assert(!value_get(value, STR("result")) != !value_get(value, STR("error")));
		}
		arena_destroy(arena);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct buf whole = BUF_INIT, parts = BUF_INIT;
	struct str text = str_range((const char *)bytes, n);
	size_t step = n ? 1 + bytes[0] % 61 : 1;
	size_t holds = 0;
	for (struct str rest = text; rest.len >= 4; rest = str_skip(rest, 1)) {
		holds += str_starts(rest, STR("hold")) || str_starts(rest, STR("\\u"));
	}
	if (holds >= HELD_MAX) {
		return 0; // more than the table takes
	}
	run(text, n ? n : 1, false, &whole);
	run(text, step, false, &parts);
	check_answers(buf_str(&whole));
	assert(str_equal(buf_str(&whole), buf_str(&parts)));
	buf_clear(&parts);
	run(text, step, true, &parts);
	check_answers(buf_str(&parts));
	buf_finish(&whole);
	buf_finish(&parts);
	return 0;
}
