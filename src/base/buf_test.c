// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "tests/check.h"

TEST(an_empty_buffer_is_an_empty_text) {
	struct buf buf = BUF_INIT;
	CHECK_TEXT(buf_text(&buf), "");
	buf_clear(&buf);
	buf_consume(&buf, 0);
	char *taken = buf_take(&buf);
	CHECK_TEXT(taken, "");
	free(taken);
}

TEST(appending_grows_and_keeps_the_nul) {
	struct buf buf = BUF_INIT;
	for (int i = 0; i < 1000; i++) {
		buf_append_char(&buf, 'a');
		CHECK_INT(buf.at[buf.len], '\0');
	}
	buf_append_text(&buf, "bc");
	buf_append_str(&buf, (struct str){NULL, 0});
	CHECK_INT(buf.len, 1002);
	buf_consume(&buf, 999);
	CHECK_TEXT(buf_text(&buf), "abc");
	buf_finish(&buf);
	CHECK(!buf.at && !buf.len && !buf.cap);
}

TEST(reserved_room_can_be_written_to) {
	struct buf buf = BUF_INIT;
	memcpy(buf_reserve(&buf, 5), "hello", 5);
	buf.len += 5;
	CHECK_STR(buf_str(&buf), "hello");
	buf_finish(&buf);
}

TEST(formatted_text_may_be_longer_than_the_room) {
	struct buf buf = BUF_INIT;
	buf_append_text(&buf, "<");
	buf_appendf(&buf, "%0500d", 1);
	buf_appendf(&buf, "%s", ">");
	CHECK_INT(buf.len, 502);
	CHECK(str_ends(buf_str(&buf), STR("01>")));
	buf_finish(&buf);
}

TEST(taking_hands_the_text_over) {
	struct buf buf = BUF_INIT;
	buf_append_text(&buf, "mine");
	char *text = buf_take(&buf);
	CHECK(!buf.at);
	CHECK_TEXT(text, "mine");
	free(text);
}

TEST(integers_are_written_to_their_limits) {
	struct buf buf = BUF_INIT;
	buf_append_int64(&buf, INT64_MIN);
	buf_append_char(&buf, ' ');
	buf_append_int64(&buf, INT64_MAX);
	buf_append_char(&buf, ' ');
	buf_append_uint64(&buf, UINT64_MAX);
	buf_append_char(&buf, ' ');
	buf_append_int64(&buf, 0);
	CHECK_TEXT(
		buf_text(&buf), "-9223372036854775808 9223372036854775807 18446744073709551615 0");
	buf_finish(&buf);
}

TEST(doubles_are_written_short) {
	static const struct {
		double value;
		const char *text;
	} rows[] = {{0, "0"}, {-0.0, "-0"}, {1, "1"}, {-2.5, "-2.5"}, {0.1, "0.1"},
		{1.0 / 3, "0.3333333333333333"}, {1e15, "1e+15"}, {1e300, "1e+300"},
		{123456789012345.0, "123456789012345"}, {5e-324, "5e-324"},
		{DBL_MAX, "1.7976931348623157e+308"}, {NAN, "NaN"}, {INFINITY, "+Inf"},
		{-INFINITY, "-Inf"}, {-1e19, "-1e+19"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf buf = BUF_INIT;
		buf_append_double(&buf, rows[i].value);
		CHECK_TEXT(buf_text(&buf), rows[i].text);
		buf_finish(&buf);
	}
}

TEST(any_double_reads_back_the_same) {
	struct random random;
	uint64_t seed = 20260131;
	print_message("# seed %llu\n", (unsigned long long)seed);
	random_init(&random, seed);
	struct buf buf = BUF_INIT;
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = random_next(&random);
		double value, back;
		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value)) {
			continue;
		}
		buf_clear(&buf);
		buf_append_double(&buf, value);
		CHECK(str_to_double(buf_str(&buf), &back));
		CHECK_DOUBLE(back, value);
	}
	buf_finish(&buf);
}

int main(void) {
	return TESTS(RUN(an_empty_buffer_is_an_empty_text), RUN(appending_grows_and_keeps_the_nul),
		RUN(reserved_room_can_be_written_to),
		RUN(formatted_text_may_be_longer_than_the_room), RUN(taking_hands_the_text_over),
		RUN(integers_are_written_to_their_limits), RUN(doubles_are_written_short),
		RUN(any_double_reads_back_the_same));
}
