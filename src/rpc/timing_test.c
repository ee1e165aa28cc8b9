// SPDX-License-Identifier: Apache-2.0
#include "rpc/session_fixture.h"

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

int main(void) {
	return TESTS(RUN(latency_is_counted_from_the_request_or_from_the_end_of_waiting),
		RUN(latency_ends_when_the_kernel_has_the_answer),
		RUN(each_method_is_measured_by_its_own_name_and_all_others_by_one));
}
