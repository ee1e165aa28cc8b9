// SPDX-License-Identifier: Apache-2.0
#include "rpc/session_fixture.h"

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
	return TESTS(RUN(when_requests_in_flight_hold_all_only_small_ones_of_others_are_taken),
		RUN(a_message_of_very_many_values_is_refused_and_a_text_of_commas_is_not));
}
