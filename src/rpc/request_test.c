// SPDX-License-Identifier: Apache-2.0
// What a request leaves behind beside its answer: the calls that change Anna are events.
#include "flow/bus.h"
#include "rpc/anna.h"
#include "tests/check.h"
#include "tests/fakes/fake_engine.h"

struct anna {
	struct fake_engine fake;
	struct subscription subscription;
	struct buf events; // "method uid pid;" of each rpc.called
};

static int handled;

const struct services *anna_services(struct anna *anna) {
	return &anna->fake.services;
}

static void handle(struct call *call) {
	handled++;
	json_bool(call_result(call), true);
	call_reply(call);
}

static const struct method change = {
	.name = "change", .role = ROLE_ADMIN, .is_audited = true, .handle = handle};
static const struct method look = {.name = "look", .role = ROLE_READ, .handle = handle};
static const struct method *const methods[] = {&change, &look};

static void on_event(void *arg, enum bus_phase phase, struct event *event) {
	struct anna *anna = arg;
	if (phase == PHASE_ACCEPTED && str_is(event->kind, "rpc.called")) {
		CHECK(str_is(event->source, "rpc"));
		buf_appendf(&anna->events, "%" STR_FMT " %lld %lld;",
			STR_ARG(event_attribute(event, STR("method"))->string),
			(long long)event_attribute(event, STR("uid"))->integer,
			(long long)event_attribute(event, STR("pid"))->integer);
	}
}

static void on_send(void *arg, struct str bytes) {
	(void)arg;
	(void)bytes;
}

static void on_pause(void *arg, bool is_paused) {
	(void)arg;
	(void)is_paused;
}

static void ask(struct rpc *rpc, enum role role, const char *request) {
	struct err err = ERR_INIT;
	struct session_peer peer = {
		.caller = {.role = role, .uid = 7, .pid = 42}, .send = on_send, .pause = on_pause};
	struct session *session = session_open(rpc, &peer, &err);
	CHECK(session);
	session_feed(session, str_from(request));
	session_close(session);
}

TEST(a_call_that_changes_anna_is_an_event_when_it_is_allowed_and_right) {
	struct anna anna = {.events = BUF_INIT};
	fake_engine_init(&anna.fake, 1);
	fake_engine_start(&anna.fake, "", false);
	bus_subscribe(anna.fake.bus, &anna.subscription, on_event, &anna);
	struct rpc_options options = {.anna = &anna,
		.clock = loop_clock(anna.fake.loop.loop),
		.methods = methods,
		.method_count = 2};
	struct rpc *rpc = rpc_create(&options);
	rpc_set_ready(rpc, true);

	ask(rpc, ROLE_ADMIN, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"look\"}\n");
	ask(rpc, ROLE_ACT, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"change\"}\n");
	ask(rpc, ROLE_ADMIN,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"change\",\"params\":{\"x\":1}}\n");
	CHECK_INT(handled, 1);
	CHECK_TEXT(buf_text(&anna.events), "");

	ask(rpc, ROLE_ADMIN, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"change\"}\n");
	ask(rpc, ROLE_ADMIN, "{\"jsonrpc\":\"2.0\",\"method\":\"change\"}\n"); // a notification too

	CHECK_INT(handled, 3);
	CHECK_TEXT(buf_text(&anna.events), "change 7 42;change 7 42;");
	rpc_destroy(rpc);
	bus_unsubscribe(&anna.subscription);
	fake_engine_finish(&anna.fake);
	buf_finish(&anna.events);
}

int main(void) {
	return TESTS(RUN(a_call_that_changes_anna_is_an_event_when_it_is_allowed_and_right));
}
