// SPDX-License-Identifier: Apache-2.0
// events and events.emit through a session, over a real journal in simulated time.
#include "rpc/anna.h"
#include "rpc/emitter.h"
#include "tests/check.h"
#include "tests/fakes/fake_engine.h"

extern const struct method method_events, method_events_emit;

// --- the program behind the methods ---

struct anna {
	struct fake_engine fake;
	struct emitter *emitter;
	struct rpc *rpc;
	struct session *session;
	struct buf sent;
	struct arena *arena;
};

const struct services *anna_services(struct anna *anna) {
	return &anna->fake.services;
}

const char *anna_journal_folder(const struct anna *anna) {
	return anna->fake.journal_folder;
}

struct emitter *anna_emitter(struct anna *anna) {
	return anna->emitter;
}

static void on_send(void *arg, struct str bytes) {
	buf_append_str(&((struct anna *)arg)->sent, bytes);
}

static void on_pause(void *arg, bool is_paused) {
	(void)arg;
	(void)is_paused;
}

static void setup(struct anna *anna) {
	static const struct method *const methods[] = {&method_events, &method_events_emit};
	struct err err = ERR_INIT;
	*anna = (struct anna){.sent = BUF_INIT, .arena = arena_create()};
	fake_engine_init(&anna->fake, 1);
	fake_engine_start(&anna->fake, "", false);
	anna->emitter = emitter_create(&anna->fake.services, anna->fake.journal_folder);
	struct rpc_options options = {.anna = anna,
		.clock = loop_clock(anna->fake.loop.loop),
		.methods = methods,
		.method_count = 2};
	anna->rpc = rpc_create(&options);
	rpc_set_ready(anna->rpc, true);
	struct session_peer peer = {.caller = {.role = ROLE_ACT, .uid = 7},
		.send = on_send,
		.pause = on_pause,
		.arg = anna};
	anna->session = session_open(anna->rpc, &peer, &err);
	CHECK(anna->session);
}

static void teardown(struct anna *anna) {
	if (anna->session) {
		session_close(anna->session);
	}
	emitter_destroy(anna->emitter);
	rpc_destroy(anna->rpc);
	fake_engine_finish(&anna->fake);
	buf_finish(&anna->sent);
	arena_destroy(anna->arena);
}

static void send(struct anna *anna, const char *method, const char *params) {
	struct buf line = BUF_INIT;
	buf_clear(&anna->sent);
	buf_appendf(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n",
		method, params);
	session_feed(anna->session, buf_str(&line));
	buf_finish(&line);
}

static const struct value *answer(struct anna *anna, const char *member) {
	struct err err = ERR_INIT;
	const struct value *value = json_parse(
		anna->arena, arena_copy_str(anna->arena, buf_str(&anna->sent)), 64, &err);
	if (!value || !value_get(value, str_from(member))) {
		print_error("no %s in: %s\n", member, buf_text(&anna->sent));
		fail();
	}
	return value_get(value, str_from(member));
}

static const struct value *ask(struct anna *anna, const char *method, const char *params) {
	send(anna, method, params);
	fake_engine_settle(&anna->fake);
	return answer(anna, "result");
}

static int64_t ask_error(struct anna *anna, const char *method, const char *params) {
	send(anna, method, params);
	fake_engine_settle(&anna->fake);
	return value_get(answer(anna, "error"), STR("code"))->integer;
}

static int64_t integer(const struct value *value, const char *member) {
	return value_get(value, str_from(member))->integer;
}

static size_t event_count(const struct value *page) {
	return value_get(page, STR("events"))->array.n;
}

static const struct value *event_at(const struct value *page, size_t i) {
	return &value_get(page, STR("events"))->array.items[i];
}

static bool is_complete(const struct value *page) {
	return value_get(page, STR("complete"))->boolean;
}

// Ids rise, but not by one: the engine's cursor is a record too.
static void emit_many(struct anna *anna, int n) {
	for (int i = 0; i < n; i++) {
		CHECK(fake_engine_emit(&anna->fake, i % 2 ? "test.odd" : "test.even", NULL));
		if (i % 100 == 99) {
			fake_engine_settle(&anna->fake);
		}
	}
	fake_engine_settle(&anna->fake);
}

static uint64_t last_id(struct anna *anna) {
	struct bus_stats stats;
	bus_get_stats(anna->fake.bus, &stats);
	return stats.durable_id;
}

TEST(an_event_is_emitted_and_read_back_whole) {
	struct anna anna;
	setup(&anna);

	int64_t id = integer(ask(&anna, "emit",
				     "{\"kind\":\"user.door\",\"subject\":\"front\","
				     "\"attributes\":{\"open\":true,\"n\":2.5}}"),
		"id");
	const struct value *page = ask(&anna, "events", "{\"kind\":\"user.*\"}");

	CHECK_INT(event_count(page), 1);
	const struct value *event = event_at(page, 0);
	CHECK_INT(integer(event, "id"), id);
	CHECK_STR(value_get(event, STR("source"))->string, "emit");
	CHECK_STR(value_get(event, STR("subject"))->string, "front");
	CHECK(value_get(value_get(event, STR("attributes")), STR("open"))->boolean);
	CHECK_INT(integer(page, "next"), id);
	CHECK(is_complete(page));
	teardown(&anna);
}

struct row {
	const char *params;
	int64_t code;
};

static const struct row refused[] = {
	{"{}", -32602},
	{"{\"kind\":\"\"}", -32602},
	{"{\"kind\":\"user.a\",\"atributes\":{}}", -32602},
	{"{\"kind\":\"user.a\",\"attributes\":[1]}", -32602},
	{"{\"kind\":\"user.a\",\"attributes\":3}", -32602},
	{"{\"kind\":\"user.a\",\"cause\":-1}", -32602},
	{"{\"kind\":\"host.filesystem\"}", 2003},
	{"{\"kind\":\"user\"}", 2003},
	{"{\"kind\":\"User.a\"}", 2003},
	{"{\"kind\":\"user.a b\"}", 2003},
	{"{\"kind\":\"user.a\",\"attributes\":{\"\":1}}", 2003},
	{"{\"kind\":\"user.a\",\"attributes\":{\"a\\nb\":1}}", 2003},
	{"{\"kind\":\"user.a\",\"cause\":99999}", 2003},
};

TEST(what_may_not_be_emitted_is_refused) {
	struct anna anna;
	setup(&anna);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		int64_t code = ask_error(&anna, "events.emit", refused[i].params);
		if (code != refused[i].code) {
			print_error("%s gives %lld\n", refused[i].params, (long long)code);
			fail();
		}
	}
	CHECK_INT(last_id(&anna), 0);
	teardown(&anna);
}

TEST(without_a_word_the_newest_fifty_are_shown_oldest_first) {
	struct anna anna;
	setup(&anna);
	emit_many(&anna, 120);

	const struct value *page = ask(&anna, "events", "{}");

	CHECK_INT(event_count(page), 50);
	CHECK_INT(integer(event_at(page, 0), "id"), last_id(&anna) - 49);
	CHECK_INT(integer(event_at(page, 49), "id"), last_id(&anna));
	CHECK_INT(integer(page, "next"), last_id(&anna));
	CHECK(is_complete(page));
	teardown(&anna);
}

TEST(all_of_a_long_journal_comes_in_pages_without_gap_or_double) {
	struct anna anna;
	char params[64];
	setup(&anna);
	emit_many(&anna, 1234);
	int64_t next = 0, total = 0, last = 0;
	bool complete = false;

	for (int pages = 0; !complete && pages < 10; pages++) {
		(void)snprintf(
			params, sizeof(params), "{\"limit\":0,\"after\":%lld}", (long long)next);
		const struct value *page = ask(&anna, "events", params);
		CHECK(event_count(page) <= 500);
		for (size_t i = 0; i < event_count(page); i++) {
			CHECK(integer(event_at(page, i), "id") > last);
			last = integer(event_at(page, i), "id");
			total++;
		}
		next = integer(page, "next");
		complete = is_complete(page);
	}

	CHECK_INT(total, 1234);
	teardown(&anna);
}

TEST(a_limit_above_a_page_begins_at_the_right_event) {
	struct anna anna;
	setup(&anna);
	emit_many(&anna, 1000);

	const struct value *page = ask(&anna, "events", "{\"limit\":700}");

	CHECK_INT(event_count(page), 500);
	CHECK(!is_complete(page));
	char params[64];
	(void)snprintf(params, sizeof(params), "{\"limit\":700,\"after\":%lld}",
		(long long)integer(page, "next"));
	page = ask(&anna, "events", params);
	CHECK_INT(event_count(page), 200);
	CHECK(is_complete(page));
	teardown(&anna);
}

TEST(filters_hold_together) {
	struct anna anna;
	setup(&anna);
	emit_many(&anna, 20);
	ask(&anna, "emit", "{\"kind\":\"user.a\",\"subject\":\"x\"}");
	ask(&anna, "emit", "{\"kind\":\"user.a\",\"subject\":\"y\"}");

	CHECK_INT(event_count(ask(&anna, "events", "{\"kind\":\"test.odd\"}")), 10);
	CHECK_INT(event_count(ask(&anna, "events", "{\"kind\":[\"test.odd\",\"user.*\"]}")), 12);
	CHECK_INT(event_count(ask(&anna, "events", "{\"kind\":\"user.a\",\"subject\":\"y\"}")), 1);
	CHECK_INT(event_count(ask(&anna, "events", "{\"source\":\"nobody\"}")), 0);
	CHECK_INT(event_count(ask(&anna, "events", "{\"before\":6}")), 5);
	CHECK_INT(event_count(ask(&anna, "events", "{\"after\":3,\"before\":6}")), 2);
	CHECK_INT(event_count(ask(&anna, "events", "{\"after\":3,\"limit\":4}")), 4);
	CHECK_INT(integer(ask(&anna, "events", "{\"after\":3,\"kind\":\"no.such\"}"), "next"),
		last_id(&anna));
	teardown(&anna);
}

TEST(since_takes_durations_and_times) {
	struct anna anna;
	setup(&anna);
	emit_many(&anna, 3);
	loop_advance(anna.fake.loop.loop, 3600 * NS_PER_SECOND);
	emit_many(&anna, 2);

	CHECK_INT(event_count(ask(&anna, "events", "{\"since\":\"5m\"}")), 2);
	CHECK_INT(event_count(ask(&anna, "events", "{\"since\":\"2h\"}")), 5);
	CHECK_INT(event_count(ask(&anna, "events", "{\"since\":\"2026-01-01T00:30:00Z\"}")), 2);
	CHECK_INT(ask_error(&anna, "events", "{\"since\":\"yesterday\"}"), 2007);
	teardown(&anna);
}

TEST(a_cursor_from_another_journal_is_refused) {
	struct anna anna;
	setup(&anna);
	emit_many(&anna, 3);

	CHECK_INT(ask_error(&anna, "events", "{\"after\":1000}"), 2003);
	teardown(&anna);
}

TEST(a_follower_waits_and_gets_what_comes_together) {
	struct anna anna;
	struct rpc_stats stats;
	setup(&anna);
	emit_many(&anna, 3);
	send(&anna, "events", "{\"after\":3,\"wait_ms\":60000}");
	loop_advance(anna.fake.loop.loop, 30 * NS_PER_SECOND);
	CHECK_INT(anna.sent.len, 0);

	CHECK(fake_engine_emit(&anna.fake, "test.a", NULL));
	CHECK(fake_engine_emit(&anna.fake, "test.b", NULL));
	fake_engine_settle(&anna.fake);

	const struct value *page = answer(&anna, "result");
	CHECK(event_count(page) >= 1);
	CHECK_STR(value_get(event_at(page, 0), STR("kind"))->string, "test.a");
	size_t last = event_count(page) - 1;
	CHECK(integer(page, "next") >= integer(event_at(page, last), "id"));
	rpc_get_stats(anna.rpc, &stats);
	CHECK(stats.latency_ns.max < NS_PER_SECOND); // waiting is no latency
	teardown(&anna);
}

TEST(a_filtered_follower_moves_on_past_what_it_does_not_show) {
	struct anna anna;
	setup(&anna);
	send(&anna, "events", "{\"after\":0,\"kind\":\"user.*\",\"wait_ms\":10000}");
	fake_engine_settle(&anna.fake);
	emit_many(&anna, 5);
	CHECK_INT(anna.sent.len, 0);

	loop_advance(anna.fake.loop.loop, 11 * NS_PER_SECOND);

	const struct value *page = answer(&anna, "result");
	CHECK_INT(event_count(page), 0);
	CHECK_INT(integer(page, "next"), last_id(&anna));
	CHECK(is_complete(page));
	teardown(&anna);
}

TEST(a_follower_that_goes_is_forgotten) {
	struct anna anna;
	struct rpc_stats stats;
	setup(&anna);
	send(&anna, "events", "{\"wait_ms\":60000}");
	fake_engine_settle(&anna.fake);
	send(&anna, "events", "{\"wait_ms\":60000}"); // still reading

	session_close(anna.session);
	anna.session = NULL;
	fake_engine_settle(&anna.fake);
	emit_many(&anna, 2);

	rpc_get_stats(anna.rpc, &stats);
	CHECK_INT(stats.calls_in_flight, 0);
	teardown(&anna);
}

int main(void) {
	return TESTS(RUN(an_event_is_emitted_and_read_back_whole),
		RUN(what_may_not_be_emitted_is_refused),
		RUN(without_a_word_the_newest_fifty_are_shown_oldest_first),
		RUN(all_of_a_long_journal_comes_in_pages_without_gap_or_double),
		RUN(a_limit_above_a_page_begins_at_the_right_event), RUN(filters_hold_together),
		RUN(since_takes_durations_and_times), RUN(a_cursor_from_another_journal_is_refused),
		RUN(a_follower_waits_and_gets_what_comes_together),
		RUN(a_filtered_follower_moves_on_past_what_it_does_not_show),
		RUN(a_follower_that_goes_is_forgotten));
}
