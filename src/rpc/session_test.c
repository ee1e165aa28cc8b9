// SPDX-License-Identifier: Apache-2.0
#include "rpc/session.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"

// --- methods to call, and a peer that remembers what it was sent ---

struct echo_params {
	struct str text;
	int64_t number;
};

static struct call *held[256];
static size_t held_count;
static int handled;

static void handle_echo(struct call *call) {
	const struct echo_params *params = call_params(call);
	struct json_writer *w = call_result(call);
	handled++;
	json_begin_object(w);
	json_member_str(w, "text", params->text);
	json_member_int(w, "number", params->number);
	json_end_object(w);
	call_reply(call);
}

static void handle_true(struct call *call) {
	handled++;
	json_bool(call_result(call), true);
	call_reply(call);
}

static void handle_hold(struct call *call) {
	held[held_count++] = call;
}

static void handle_large(struct call *call) {
	struct json_writer *w = call_result(call);
	char *text = xcalloc(1, 17 * 1024 * 1024);
	memset(text, 'a', 17 * 1024 * 1024 - 1);
	json_text(w, text);
	free(text);
	call_reply(call);
}

static void handle_fail(struct call *call) {
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

static void on_send(void *arg, struct str bytes) {
	struct fixture *f = arg;
	f->sends++;
	fake_clock_advance(&f->clock, f->send_ns);
	buf_append_str(&f->sent, bytes);
	if (f->congests) {
		session_set_congested(f->session, true);
	}
}

static void on_pause(void *arg, bool is_paused) {
	struct fixture *f = arg;
	f->pauses++;
	f->is_paused = is_paused;
}

static void on_end(void *arg) {
	((struct fixture *)arg)->ends++;
}

static void open_session(struct fixture *f, struct rpc *rpc, enum role role) {
	struct err err = ERR_INIT;
	struct session_peer peer = {
		.caller = {.role = role, .uid = 1000}, on_send, on_pause, on_end, f};
	f->session = session_open(rpc, &peer, &err);
	CHECK(f->session);
}

static void setup_with(struct fixture *f, struct rpc_options options) {
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

static void setup(struct fixture *f) {
	setup_with(f, (struct rpc_options){0});
}

static void teardown(struct fixture *f) {
	session_close(f->session);
	rpc_destroy(f->rpc);
	buf_finish(&f->sent);
}

static void feed(struct fixture *f, const char *text) {
	session_feed(f->session, str_from(text));
}

static void release_held(void) {
	for (size_t i = 0; i < held_count; i++) {
		json_bool(call_result(held[i]), true);
		call_reply(held[i]);
	}
	held_count = 0;
}

static int count_lines(const struct fixture *f) {
	int n = 0;
	for (size_t i = 0; i < f->sent.len; i++) {
		n += f->sent.at[i] == '\n';
	}
	return n;
}

// --- one request ---

struct row {
	const char *input;
	const char *begin; // of the answer; "" for none at all
};

static const struct row rows[] = {
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n"},
	{"{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0000b\",\"method\":\"ping\",\"params\":null}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0000b\",\"result\":true}\n"},
	{"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\",\"params\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":true}\n"},
	{"{\"jsonrpc\":\"2.0\",\"id\":-9223372036854775808,\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":-9223372036854775808,\"result\":true}\n"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}\r",
		"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"result\":true}\n"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"repeat\",\"params\":{\"text\":\"x\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"text\":\"x\",\"number\":7}}\n"},
	// Blank lines and notifications are not answered, not even failing ones.
	{"", ""},
	{" \t", ""},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", ""},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}", ""},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[1]}", ""},
	// -32700
	{"{", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"},
	{"nonsense", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"},
	{"[1,2", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"},
	// -32600, with the id where it can be known
	{"1", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"},
	{"{}", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"},
	{"[]", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"},
	{"{\"id\":4,\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32600,"},
	{"{\"jsonrpc\":\"1.0\",\"id\":4,\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32600,"},
	{"{\"jsonrpc\":2.0,\"id\":4,\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32600,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":1,\"params\":\"bar\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32600,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\",\"params\":\"bar\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32600,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"},
	// -32601
	{"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"pong\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32601,\"message\":\"there is "
		"no "
		"method \\\"pong\\\"; did you mean \\\"ping\\\"?\""},
	{"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32601,"},
	// -32602
	{"{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"echo\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":6,\"error\":{\"code\":-32602,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"echo\",\"params\":[\"x\"]}",
		"{\"jsonrpc\":\"2.0\",\"id\":6,\"error\":{\"code\":-32602,\"message\":\"parameters "
		"are "
		"given by name, as an object: echo takes text, number\""},
	{"{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"echo\",\"params\":{\"text\":\"x\",\"number\":"
	 "10}}",
		"{\"jsonrpc\":\"2.0\",\"id\":6,\"error\":{\"code\":-32602,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"ping\",\"params\":{\"x\":1}}",
		"{\"jsonrpc\":\"2.0\",\"id\":6,\"error\":{\"code\":-32602,\"message\":\"ping takes "
		"no "
		"parameters, but \\\"x\\\" was given\""},
	// Anna's own
	{"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"stop\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1003,\"message\":\"stop needs "
		"the "
		"role admin, and uid 1000 has the role "
		"read\",\"data\":{\"name\":\"PermissionDenied\","
		"\"retryable\":false,\"retry_after_ms\":0,\"hint\":"},
	{"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"fails\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":4001,\"message\":\"busy as a "
		"bee\",\"data\":{\"name\":\"ResourceBusy\",\"retryable\":true,"},
	{"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"large\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":4002,"},
};

TEST(each_line_gets_the_answer_the_specification_says) {
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		setup(&f);

		feed(&f, rows[i].input);
		feed(&f, "\n");

		struct str sent = buf_str(&f.sent);
		if (!str_starts(sent, str_from(rows[i].begin)) ||
			(rows[i].begin[0] ? count_lines(&f) != 1 : sent.len > 0)) {
			print_error("%s\ngives %.*s\n", rows[i].input, STR_ARG(sent));
			fail();
		}
		teardown(&f);
	}
}

TEST(an_unknown_parameter_is_answered_with_the_nearest_name) {
	struct fixture f;
	setup(&f);

	feed(&f,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\","
		"\"params\":{\"text\":\"a\",\"numbr\":1}}\n");

	CHECK(str_find(buf_str(&f.sent), STR("\"code\":-32602")) >= 0);
	CHECK(str_find(buf_str(&f.sent), STR("numbr")) >= 0);
	CHECK(str_find(buf_str(&f.sent), STR("\\\"number\\\"")) >= 0);
	teardown(&f);
}

TEST(bytes_split_anywhere_give_the_same_answers) {
	struct fixture whole;
	setup(&whole);
	struct buf input = BUF_INIT;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) - 1; i++) { // not the large one
		buf_append_text(&input, rows[i].input);
		buf_append_char(&input, '\n');
	}
	session_feed(whole.session, buf_str(&input));
	CHECK_INT(whole.sends, 1);

	for (size_t at = 1; at < input.len; at++) {
		struct fixture split;
		setup(&split);
		session_feed(split.session, str_head(buf_str(&input), at));
		session_feed(split.session, str_skip(buf_str(&input), at));
		CHECK(str_equal(buf_str(&split.sent), buf_str(&whole.sent)));
		teardown(&split);
	}

	struct fixture single;
	setup(&single);
	for (size_t at = 0; at < input.len; at++) {
		session_feed(single.session, str_range(input.at + at, 1));
	}
	CHECK(str_equal(buf_str(&single.sent), buf_str(&whole.sent)));
	CHECK(session_is_idle(single.session));
	teardown(&single);
	teardown(&whole);
	buf_finish(&input);
}

TEST(while_not_ready_only_ping_is_answered) {
	struct fixture f;
	setup(&f);
	rpc_set_ready(f.rpc, false);

	feed(&f,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\",\"params\":{\"text\":\"\"}}\n");

	CHECK(str_starts(buf_str(&f.sent),
		STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n"
		    "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":4005,")));
	teardown(&f);
}

// --- batches ---

TEST(a_batch_is_answered_as_one_array_without_its_notifications) {
	struct fixture f;
	setup(&f);

	feed(&f,
		"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},"
		"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"},1,"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}]\n");

	CHECK_INT(handled, 3);
	CHECK_INT(count_lines(&f), 1);
	CHECK(str_starts(buf_str(&f.sent),
		STR("[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true},"
		    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,")));
	CHECK(str_ends(
		buf_str(&f.sent), STR(",{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":true}]\n")));
	teardown(&f);
}

TEST(a_batch_of_notifications_is_not_answered) {
	struct fixture f;
	setup(&f);

	feed(&f,
		"[{\"jsonrpc\":\"2.0\",\"method\":\"ping\"},{\"jsonrpc\":\"2.0\",\"method\":"
		"\"ping\"}]\n");

	CHECK_INT(handled, 2);
	CHECK_INT(f.sent.len, 0);
	teardown(&f);
}

TEST(a_batch_is_answered_when_its_last_call_is) {
	struct fixture f;
	setup(&f);

	feed(&f,
		"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"},"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}]\n");
	CHECK_INT(f.sent.len, 0);
	release_held();

	CHECK_STR(buf_str(&f.sent),
		"[{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":true},"
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}]\n");
	teardown(&f);
}

static void feed_batch(struct fixture *f, int n) {
	struct buf batch = BUF_INIT;
	for (int i = 0; i < n; i++) {
		buf_appendf(&batch, "%c{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"ping\"}",
			i ? ',' : '[', i);
	}
	buf_append_text(&batch, "]\n");
	session_feed(f->session, buf_str(&batch));
	buf_finish(&batch);
}

TEST(a_batch_of_more_than_a_hundred_is_refused_whole) {
	struct fixture f;
	setup(&f);

	feed_batch(&f, 100);
	CHECK_INT(handled, 100);
	buf_clear(&f.sent);
	feed_batch(&f, 101);

	CHECK_INT(handled, 100);
	CHECK(str_starts(buf_str(&f.sent),
		STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"the "
		    "batch has 101 requests; at most 100 are taken\"")));
	teardown(&f);
}

// --- limits ---

static struct buf message_of(size_t len) {
	struct buf text = BUF_INIT;
	buf_append_text(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"");
	while (text.len < len - 1) {
		buf_append_char(&text, ' ');
	}
	buf_append_text(&text, "}\n");
	return text;
}

TEST(a_message_may_have_a_mebibyte_and_no_byte_more) {
	struct fixture f;
	setup(&f);
	struct buf fits = message_of(RPC_MESSAGE_MAX), too_long = message_of(RPC_MESSAGE_MAX + 1);

	session_feed(f.session, buf_str(&fits));
	CHECK_STR(buf_str(&f.sent), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n");
	buf_clear(&f.sent);
	session_feed(f.session, buf_str(&too_long));
	feed(&f, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n");

	CHECK(str_starts(buf_str(&f.sent),
		STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"the "
		    "message is longer than 1048576 bytes")));
	CHECK(str_ends(
		buf_str(&f.sent), STR("}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":true}\n")));
	CHECK_INT(count_lines(&f), 2);
	buf_finish(&fits);
	buf_finish(&too_long);
	teardown(&f);
}

TEST(a_line_without_end_is_answered_once_and_not_kept) {
	struct fixture f;
	setup(&f);
	char *portion = xmalloc(65536);
	memset(portion, 'x', 65536);

	for (int i = 0; i < 100; i++) {
		session_feed(f.session, str_range(portion, 65536));
	}
	struct rpc_stats stats;
	rpc_get_stats(f.rpc, &stats);
	CHECK_INT(count_lines(&f), 1);
	CHECK_INT(stats.input_bytes, 0);
	buf_clear(&f.sent);
	feed(&f, "\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n");

	CHECK_STR(buf_str(&f.sent), "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":true}\n");
	free(portion);
	teardown(&f);
}

TEST(a_depth_bomb_is_a_parse_error) {
	struct fixture f;
	setup(&f);
	char *bomb = xmalloc(1000001);
	memset(bomb, '[', 1000000);
	bomb[1000000] = '\n';

	session_feed(f.session, str_range(bomb, 1000001));

	CHECK(str_starts(buf_str(&f.sent),
		STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,")));
	free(bomb);
	teardown(&f);
}

TEST(calls_past_the_limit_wait_unread_and_go_on_in_order) {
	struct fixture f;
	setup_with(&f, (struct rpc_options){.max_calls = 2});

	feed(&f,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hold\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"hold\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\"}\n");
	CHECK_INT(held_count, 2);
	CHECK(f.is_paused);
	CHECK(!session_is_idle(f.session));
	feed(&f, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}\n");
	CHECK_INT(f.sent.len, 0);
	json_bool(call_result(held[0]), true);
	call_reply(held[0]);
	CHECK_INT(held_count, 3);
	CHECK(f.is_paused);
	json_bool(call_result(held[1]), true);
	call_reply(held[1]);

	CHECK(!f.is_paused);
	CHECK_STR(buf_str(&f.sent),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":true}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":true}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":true}\n");
	json_bool(call_result(held[2]), true);
	call_reply(held[2]);
	CHECK(session_is_idle(f.session));
	teardown(&f);
}

TEST(a_pipelined_flood_meets_back_pressure_when_the_peer_does_not_read) {
	struct fixture f;
	setup(&f);
	f.congests = true;
	struct buf flood = BUF_INIT;
	for (int i = 0; i < 10000; i++) {
		buf_append_text(&flood, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
	}

	session_feed(f.session, buf_str(&flood));
	CHECK(f.is_paused);
	CHECK(handled < 2000);
	f.congests = false;
	session_set_congested(f.session, false);

	CHECK(!f.is_paused);
	CHECK_INT(handled, 10000);
	CHECK_INT(count_lines(&f), 10000);
	buf_finish(&flood);
	teardown(&f);
}

TEST(when_the_input_budget_is_used_up_the_largest_holder_is_closed) {
	struct fixture f, greedy = {.sent = BUF_INIT};
	setup_with(&f, (struct rpc_options){.max_input_bytes = 100});
	open_session(&greedy, f.rpc, ROLE_READ);

	session_feed(greedy.session,
		STR("{                                                      "
		    "                             "));
	feed(&f, "{\"jsonrpc\":\"2.0\",\"id\":2,");

	CHECK_INT(greedy.ends, 1);
	CHECK(str_starts(buf_str(&greedy.sent),
		STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":4001,")));
	feed(&f, "\"method\":\"ping\"}\n");
	CHECK_STR(buf_str(&f.sent), "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":true}\n");
	session_feed(greedy.session, STR("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n"));
	CHECK_INT(count_lines(&greedy), 1);
	struct rpc_stats stats;
	rpc_get_stats(f.rpc, &stats);
	CHECK_INT(stats.input_bytes, 0);
	session_close(greedy.session);
	buf_finish(&greedy.sent);
	teardown(&f);
}

TEST(sessions_past_the_limit_are_refused_with_a_line_to_send) {
	struct fixture f;
	struct err err = ERR_INIT;
	struct buf line = BUF_INIT;
	setup_with(&f, (struct rpc_options){.max_sessions = 1});

	struct session_peer peer = {.send = on_send};
	struct session *second = session_open(f.rpc, &peer, &err);

	CHECK(!second);
	CHECK_INT(err.code, ERR_BUSY);
	session_format_refusal(&err, &line);
	CHECK(str_starts(
		buf_str(&line), STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":4001,")));
	CHECK(str_ends(buf_str(&line), STR("}}}\n")));
	buf_finish(&line);
	teardown(&f);
}

// --- ends ---

static int abandoned;
static void on_abandon(void *arg) {
	struct err err = ERR_INIT;
	abandoned++;
	call_fail(arg, &err);
}

TEST(a_peer_that_goes_abandons_its_calls) {
	struct fixture f;
	setup(&f);
	abandoned = 0;
	feed(&f,
		"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}]\n"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hold\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"hold\"}\n");
	call_set_on_abandon(held[2], on_abandon, held[2]);

	session_close(f.session);
	CHECK_INT(abandoned, 1);
	CHECK(call_is_abandoned(held[0]));
	CHECK(call_is_abandoned(held[1]));
	rpc_destroy(f.rpc); // the calls that are under way keep what they need
	held_count = 2;
	release_held();

	CHECK_INT(f.sent.len, 0);
	buf_finish(&f.sent);
}

TEST(latency_is_counted_from_the_request_or_from_the_end_of_waiting) {
	struct fixture f;
	setup(&f);
	feed(&f,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hold\"}\n");
	fake_clock_advance(&f.clock, 1000);
	call_waited(held[1]);
	fake_clock_advance(&f.clock, 20);
	release_held();

	struct rpc_stats stats;
	rpc_get_stats(f.rpc, &stats);
	CHECK_INT(stats.latency_ns.count, 2);
	CHECK_INT(stats.latency_ns.max, 1020);
	CHECK_INT(stats.latency_ns.min, 20);
	CHECK_INT(stats.calls, 2);
	CHECK_INT(stats.calls_in_flight, 0);
	teardown(&f);
}

static struct rpc_timing timing_of(const struct fixture *f, const char *name) {
	struct rpc_timing timing;
	for (size_t i = 0; i < rpc_timing_count(f->rpc); i++) {
		rpc_get_timing(f->rpc, i, &timing);
		if (strcmp(timing.name, name) == 0) {
			return timing;
		}
	}
	fail();
	return timing;
}

TEST(latency_ends_when_the_kernel_has_the_answer) {
	struct fixture f;
	struct window_summary of;
	setup(&f);
	f.send_ns = 700;

	feed(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");

	windows_read(rpc_windows(f.rpc), clock_monotonic(&f.clock.clock), WINDOW_1M, &of);
	CHECK_INT(of.count, 1);
	CHECK_INT(of.max, 700);
	CHECK_INT(timing_of(&f, "ping").calls, 1);
	teardown(&f);
}

TEST(each_method_is_measured_by_its_own_name_and_all_others_by_one) {
	struct fixture f;
	setup(&f);

	feed(&f,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"repeat\",\"params\":{\"text\":\"a\"}}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\",\"params\":{\"text\":\"a\"}}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"fails\"}\n"
		"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}\n"
		"[{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\"}]\n"
		"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"nope\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"nope2\"}\n"
		"nonsense\n");

	CHECK_INT(timing_of(&f, "echo").calls, 2);
	CHECK_INT(timing_of(&f, "echo").failures, 0);
	CHECK_INT(timing_of(&f, "ping").calls, 2);
	CHECK_INT(timing_of(&f, "fails").failures, 1);
	CHECK_INT(timing_of(&f, RPC_UNKNOWN_METHOD).calls, 3);
	CHECK_INT(timing_of(&f, RPC_UNKNOWN_METHOD).failures, 3);
	CHECK(!timing_of(&f, "stop").windows);
	CHECK_INT(rpc_timing_count(f.rpc), sizeof(methods) / sizeof(*methods) + 1);
	teardown(&f);
}

TEST(when_requests_in_flight_hold_all_only_small_ones_of_others_are_taken) {
	struct fixture f, other = {.sent = BUF_INIT};
	struct buf padded = BUF_INIT;
	struct rpc_stats stats;
	setup_with(&f, (struct rpc_options){.max_input_bytes = 16384});
	open_session(&other, f.rpc, ROLE_READ);
	for (int i = 0; i < 8; i++) {
		feed(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n");
	}
	CHECK(f.is_paused);
	CHECK(held_count < 8);
	rpc_get_stats(f.rpc, &stats);
	CHECK(stats.held_bytes >= 16384);

	buf_append_text(&padded, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"");
	for (int i = 0; i < 5000; i++) {
		buf_append_char(&padded, ' ');
	}
	buf_append_text(&padded, "}\n");
	session_feed(other.session, buf_str(&padded));
	CHECK(str_starts(buf_str(&other.sent),
		STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":4001,")));
	buf_clear(&other.sent);
	session_feed(other.session, STR("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n"));
	CHECK_STR(buf_str(&other.sent), "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":true}\n");

	while (held_count) { // an end makes room for the next
		release_held();
	}
	CHECK(!f.is_paused);
	CHECK_INT(count_lines(&f), 8);
	rpc_get_stats(f.rpc, &stats);
	CHECK_INT(stats.held_bytes, 0);
	CHECK_INT(stats.held_refused, 1);
	session_close(other.session);
	buf_finish(&other.sent);
	buf_finish(&padded);
	teardown(&f);
}

TEST(a_message_of_very_many_values_is_refused_and_a_text_of_commas_is_not) {
	struct fixture f;
	struct buf line = BUF_INIT;
	setup(&f);
	buf_append_text(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":[0");
	for (int i = 0; i < 40000; i++) {
		buf_append_text(&line, ",0");
	}
	buf_append_text(&line, "]}\n");
	session_feed(f.session, buf_str(&line));
	CHECK(str_starts(buf_str(&f.sent),
		STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"the "
		    "message has more than 32768 values")));

	buf_clear(&f.sent);
	buf_clear(&line);
	buf_append_text(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":\"\\\"");
	for (int i = 0; i < 40000; i++) {
		buf_append_text(&line, ",,");
	}
	buf_append_text(&line, "\"}\n");
	session_feed(f.session, buf_str(&line));
	CHECK_STR(buf_str(&f.sent), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n");
	buf_finish(&line);
	teardown(&f);
}

int main(void) {
	return TESTS(RUN(each_line_gets_the_answer_the_specification_says),
		RUN(an_unknown_parameter_is_answered_with_the_nearest_name),
		RUN(bytes_split_anywhere_give_the_same_answers),
		RUN(while_not_ready_only_ping_is_answered),
		RUN(a_batch_is_answered_as_one_array_without_its_notifications),
		RUN(a_batch_of_notifications_is_not_answered),
		RUN(a_batch_is_answered_when_its_last_call_is),
		RUN(a_batch_of_more_than_a_hundred_is_refused_whole),
		RUN(a_message_may_have_a_mebibyte_and_no_byte_more),
		RUN(a_line_without_end_is_answered_once_and_not_kept),
		RUN(a_depth_bomb_is_a_parse_error),
		RUN(calls_past_the_limit_wait_unread_and_go_on_in_order),
		RUN(a_pipelined_flood_meets_back_pressure_when_the_peer_does_not_read),
		RUN(when_the_input_budget_is_used_up_the_largest_holder_is_closed),
		RUN(sessions_past_the_limit_are_refused_with_a_line_to_send),
		RUN(a_peer_that_goes_abandons_its_calls),
		RUN(latency_is_counted_from_the_request_or_from_the_end_of_waiting),
		RUN(latency_ends_when_the_kernel_has_the_answer),
		RUN(each_method_is_measured_by_its_own_name_and_all_others_by_one),
		RUN(when_requests_in_flight_hold_all_only_small_ones_of_others_are_taken),
		RUN(a_message_of_very_many_values_is_refused_and_a_text_of_commas_is_not));
}
