// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "tests/check.h"

TEST(times_are_written_in_utc_with_microseconds) {
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {{0, "1970-01-01T00:00:00.000000Z"}, {-1, "1969-12-31T23:59:59.999999Z"},
		{1769860800 * NS_PER_SECOND + 1999, "2026-01-31T12:00:00.000001Z"},
		{951782400 * NS_PER_SECOND, "2000-02-29T00:00:00.000000Z"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf buf = BUF_INIT;
		time_format(&buf, rows[i].ns);
		CHECK_TEXT(buf_text(&buf), rows[i].text);
		buf_finish(&buf);
	}
}

TEST(rfc3339_times_are_read) {
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {{"1970-01-01T00:00:00Z", 0}, {"1970-01-01t00:00:00z", 0},
		{"1970-01-01 00:00:01Z", NS_PER_SECOND}, {"1970-01-01T01:00:00+01:00", 0},
		{"1969-12-31T22:30:00-01:30", 0}, {"1970-01-01T00:00:00-00:00", 0},
		{"1970-01-01T00:00:00.5Z", 500 * NS_PER_MS},
		{"1970-01-01T00:00:00.123456789123Z", 123456789},
		{"2016-12-31T23:59:60Z", 1483228800 * NS_PER_SECOND}, // a leap second
		{"2000-02-29T00:00:00Z", 951782400 * NS_PER_SECOND}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ns = -1;
		print_message("# %s\n", rows[i].text);
		CHECK(time_parse(str_from(rows[i].text), &ns));
		CHECK_INT(ns, rows[i].ns);
	}
}

TEST(texts_that_are_no_rfc3339_times_are_refused) {
	static const char *const rows[] = {"", "now", "2026-01-31", "2026-01-31T12:00:00",
		"2026-1-31T12:00:00Z", "2026-13-01T12:00:00Z", "2026-00-01T12:00:00Z",
		"2026-02-29T12:00:00Z", "2100-02-29T12:00:00Z", "2026-01-32T12:00:00Z",
		"2026-01-00T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
		"2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+24:00",
		"2026-01-31T12:00:00+0100", "2026-01-31T12:00:00+01:60", "2026-01-31T12:00Z",
		"2026-01-31T12:00:00Zx", " 2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z ",
		"9999-01-31T12:00:00Z", "+026-01-31T12:00:00Z"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ns = 42;
		print_message("# %s\n", rows[i]);
		CHECK(!time_parse(str_from(rows[i]), &ns));
		CHECK_INT(ns, 42);
	}
	int64_t ns;
	CHECK(!time_parse((struct str){NULL, 0}, &ns));
}

TEST(durations_are_read) {
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {{"250ms", 250 * NS_PER_MS}, {"90s", 90 * NS_PER_SECOND}, {"0", 0}, {"0s", 0},
		{"5m", 300 * NS_PER_SECOND}, {"1h30m", 5400 * NS_PER_SECOND},
		{"2d", 2 * NS_PER_DAY}, {"500us", 500 * NS_PER_US}, {"7ns", 7},
		{"30", 30 * NS_PER_SECOND}, {"1d1h1m1s1ms1us1ns", 90061001001001},
		{"3653d", 3653 * NS_PER_DAY}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ns = -1;
		print_message("# %s\n", rows[i].text);
		CHECK(duration_parse(str_from(rows[i].text), &ns));
		CHECK_INT(ns, rows[i].ns);
	}
}

TEST(texts_that_are_no_durations_are_refused) {
	static const char *const rows[] = {"", "s", "-5s", "+5s", "5 s", "5S", "1.5s", "5x", "5m5",
		"m5", "30m1h", "1m1m", "3653d1ns", "99999999999999999999s", "9223372036854775807h",
		"315619201", "1h 30m", "5min", "1e3"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ns = 42;
		print_message("# %s\n", rows[i]);
		CHECK(!duration_parse(str_from(rows[i]), &ns));
		CHECK_INT(ns, 42);
	}
}

TEST(durations_are_written_as_they_are_read) {
	static const char *const rows[] = {
		"0s", "250ms", "1h30m", "2d", "1d1h1m1s1ms1us1ns", "59s999ms", "1ns", "3653d"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ns;
		struct buf buf = BUF_INIT;
		CHECK(duration_parse(str_from(rows[i]), &ns));
		duration_format(&buf, ns);
		CHECK_TEXT(buf_text(&buf), rows[i]);
		buf_finish(&buf);
	}
}

TEST(durations_for_people_have_two_units_at_most) {
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {{3 * NS_PER_DAY + 4 * 3600 * NS_PER_SECOND + 5, "3d 4h"},
		{725 * NS_PER_SECOND, "12m 5s"}, {850 * NS_PER_MS, "850 ms"},
		{999600 * NS_PER_US, "1000 ms"}, {1500, "1.5 us"}, {60 * NS_PER_SECOND, "1m"},
		{NS_PER_DAY + NS_PER_SECOND, "1d"}, {0, "0 ns"}, {-5 * NS_PER_SECOND, "-5s"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf buf = BUF_INIT;
		duration_format_human(&buf, rows[i].ns);
		CHECK_TEXT(buf_text(&buf), rows[i].text);
		buf_finish(&buf);
	}
}

int main(void) {
	return TESTS(RUN(times_are_written_in_utc_with_microseconds), RUN(rfc3339_times_are_read),
		RUN(texts_that_are_no_rfc3339_times_are_refused), RUN(durations_are_read),
		RUN(texts_that_are_no_durations_are_refused),
		RUN(durations_are_written_as_they_are_read),
		RUN(durations_for_people_have_two_units_at_most));
}
