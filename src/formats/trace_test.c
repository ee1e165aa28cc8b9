// SPDX-License-Identifier: Apache-2.0
#include "formats/trace.h"

#include "tests/check.h"

#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN_ID "00f067aa0ba902b7"

static void check_text(const struct trace *trace, const char *expected) {
	struct buf buf = BUF_INIT;
	trace_format(&buf, trace);
	CHECK_TEXT(buf_text(&buf), expected);
	CHECK_INT(buf.len, TRACE_TEXT_LEN);
	buf_finish(&buf);
}

TEST(a_header_reads_and_writes_back) {
	struct trace trace;
	CHECK(trace_parse(STR("00-" TRACE_ID "-" SPAN_ID "-01"), &trace));
	CHECK_INT(trace.trace_id[0], 0x4b);
	CHECK_INT(trace.span_id[7], 0xb7);
	CHECK_INT(trace.flags, 1);
	check_text(&trace, "00-" TRACE_ID "-" SPAN_ID "-01");
}

TEST(later_versions_may_be_longer) {
	struct trace trace;
	CHECK(trace_parse(STR("cc-" TRACE_ID "-" SPAN_ID "-ff-what-comes"), &trace));
	check_text(&trace, "00-" TRACE_ID "-" SPAN_ID "-01");
	CHECK(trace_parse(STR("01-" TRACE_ID "-" SPAN_ID "-00"), &trace));
}

TEST(invalid_headers_are_refused) {
	static const char *const rows[] = {"", "00", "ff-" TRACE_ID "-" SPAN_ID "-01",
		"00-" TRACE_ID "-" SPAN_ID "-1", "00-" TRACE_ID "-" SPAN_ID,
		"00-" TRACE_ID "-" SPAN_ID "-01-", "00-" TRACE_ID "-" SPAN_ID "-01 ",
		"01-" TRACE_ID "-" SPAN_ID "-01x", "00-" TRACE_ID "_" SPAN_ID "-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN_ID "-01",
		"00-00000000000000000000000000000000-" SPAN_ID "-01",
		"00-" TRACE_ID "-0000000000000000-01", "0g-" TRACE_ID "-" SPAN_ID "-01",
		" 00-" TRACE_ID "-" SPAN_ID "-01"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct trace trace = {.flags = 77};
		print_message("%s\n", rows[i]);
		CHECK(!trace_parse(str_from(rows[i]), &trace));
		CHECK_INT(trace.flags, 77);
	}
}

TEST(a_child_keeps_the_trace_and_gets_its_own_span) {
	struct random random;
	struct trace parent, child;
	random_init(&random, 1);
	trace_init(&parent, &random);
	trace_child(&child, &parent, &random);
	CHECK(memcmp(parent.trace_id, child.trace_id, 16) == 0);
	CHECK(memcmp(parent.span_id, child.span_id, 8) != 0);
	CHECK_INT(child.flags, 1);
}

TEST(ids_are_never_zero) {
	struct random stuck = {{0, 0, 0, 0}}; // xoshiro's fixed point: only zeros come
	struct trace trace, back;
	struct buf buf = BUF_INIT;
	trace_init(&trace, &stuck);
	trace_format(&buf, &trace);
	CHECK(trace_parse(buf_str(&buf), &back));
	buf_finish(&buf);
}

int main(void) {
	return TESTS(RUN(a_header_reads_and_writes_back), RUN(later_versions_may_be_longer),
		RUN(invalid_headers_are_refused),
		RUN(a_child_keeps_the_trace_and_gets_its_own_span), RUN(ids_are_never_zero));
}
