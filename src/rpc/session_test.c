// SPDX-License-Identifier: Apache-2.0
#include "rpc/session_fixture.h"

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
		RUN(a_peer_that_goes_abandons_its_calls));
}
