// SPDX-License-Identifier: Apache-2.0
// Calendar expressions over tables, above all around the days when clocks change.
#include "sources/calendar.h"

#include <time.h>

#include "base/clock.h"
#include "tests/check.h"

static void set_zone(const char *zone) {
	setenv("TZ", zone, 1);
	tzset();
}

static int64_t wall(const char *text) {
	int64_t ns = 0;
	CHECK(time_parse(str_from(text), &ns));
	return ns;
}

struct row {
	const char *calendar, *after, *next;
};

static void check_rows(const struct row *rows, size_t n) {
	for (size_t i = 0; i < n; i++) {
		struct calendar calendar;
		struct err err = ERR_INIT;
		struct buf next = BUF_INIT, expected = BUF_INIT;
		if (!calendar_parse(str_from(rows[i].calendar), &calendar, &err)) {
			print_error("%s: %s\n", rows[i].calendar, err.message);
			CHECK(false);
		}
		time_format(&next, calendar_next(&calendar, wall(rows[i].after)));
		time_format(&expected, wall(rows[i].next));
		if (!str_equal(buf_str(&next), buf_str(&expected))) {
			print_error("%s after %s\n", rows[i].calendar, rows[i].after);
		}
		CHECK_TEXT(buf_text(&next), buf_text(&expected));
		buf_finish(&next);
		buf_finish(&expected);
	}
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

TEST(expressions_name_the_next_time) {
	static const struct row rows[] = {
		{"hourly", "2026-03-10T10:00:00Z", "2026-03-10T11:00:00Z"},
		{"hourly :15", "2026-03-10T10:14:59.999Z", "2026-03-10T10:15:00Z"},
		{"hourly :15", "2026-03-10T10:15:00Z", "2026-03-10T11:15:00Z"},
		{"daily", "2026-03-10T10:00:00Z", "2026-03-11T00:00:00Z"},
		{"Daily 03:30", "2026-12-31T10:00:00Z", "2027-01-01T03:30:00Z"},
		{"weekly", "2026-03-10T10:00:00Z", "2026-03-16T00:00:00Z"},
		{"weekly 05:00", "2026-03-10T10:00:00Z", "2026-03-16T05:00:00Z"},
		{"weekly sat 05:00", "2026-03-10T10:00:00Z", "2026-03-14T05:00:00Z"},
		{"monthly", "2026-03-10T10:00:00Z", "2026-04-01T00:00:00Z"},
		{"monthly 31 23:59", "2026-04-01T10:00:00Z", "2026-05-31T23:59:00Z"},
		{"mon-fri 09:00", "2026-03-13T09:00:00Z", "2026-03-16T09:00:00Z"},
		{"fri-mon 09:00", "2026-03-16T09:00:00Z", "2026-03-20T09:00:00Z"},
		{"sat,sun", "2026-03-14T00:00:00Z", "2026-03-15T00:00:00Z"},
		{"*/15 * * * *", "2026-03-10T10:01:00Z", "2026-03-10T10:15:00Z"},
		{"5/20 8-18/2 * * *", "2026-03-10T10:45:00Z", "2026-03-10T12:05:00Z"},
		{"0 0 29 feb *", "2026-03-10T10:00:00Z", "2028-02-29T00:00:00Z"},
		{"0 0 29 2 *", "2097-03-10T10:00:00Z", "2104-02-29T00:00:00Z"},
		{"0 4 8-14 * *", "2026-03-10T10:00:00Z", "2026-03-11T04:00:00Z"},
		{"0 4 13 * fri", "2026-03-01T10:00:00Z", "2026-03-06T04:00:00Z"},
		{"0 4 * * 7", "2026-03-10T10:00:00Z", "2026-03-15T04:00:00Z"},
		{"* * * * *", "1969-12-31T23:58:30Z", "1969-12-31T23:59:00Z"},
	};
	set_zone("UTC");
	CHECK_ROWS(rows);
}

TEST(a_time_in_the_gap_runs_right_after_it) {
	static const struct row rows[] = {
		// 2026-03-29: 02:00 CET is followed by 03:00 CEST.
		{"daily 02:30", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"daily 02:30", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		{"daily 02:00", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"daily 01:59", "2026-03-28T12:00:00Z", "2026-03-29T00:59:00Z"},
		{"daily 03:00", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"daily 12:00", "2026-03-29T01:00:00Z", "2026-03-29T10:00:00Z"},
		{"hourly", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
		{"hourly", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		{"*/20 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"*/20 2 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
	};
	set_zone("Europe/Berlin");
	CHECK_ROWS(rows);
}

TEST(a_repeated_hour_runs_once) {
	static const struct row rows[] = {
		// 2026-10-25: 03:00 CEST is followed by 02:00 CET.
		{"daily 02:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
		{"daily 02:30", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"daily 02:30", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z"},
		{"hourly", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"},
		{"daily 03:00", "2026-10-25T00:59:00Z", "2026-10-25T02:00:00Z"},
		{"daily 01:00", "2026-10-24T12:00:00Z", "2026-10-24T23:00:00Z"},
	};
	set_zone("Europe/Berlin");
	CHECK_ROWS(rows);
}

TEST(odd_zones_are_understood) {
	static const struct row lord_howe[] = {
		// half an hour of daylight saving
		{"daily 02:10", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"},
		{"daily 01:45", "2026-04-04T00:00:00Z", "2026-04-04T14:45:00Z"},
		{"daily 01:45", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"},
	};
	static const struct row apia[] = {
		// 2011-12-30 was left out
		{"daily 12:00", "2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z"},
		{"daily 12:00", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"},
	};
	set_zone("Australia/Lord_Howe");
	CHECK_ROWS(lord_howe);
	set_zone("Pacific/Apia");
	CHECK_ROWS(apia);
}

TEST(wrong_expressions_say_why) {
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"", "no calendar time: write "},
		{"* * * *", "no calendar time: write "},
		{"03:00", "no calendar time: write "},
		{"daily 3", "\"3\" is no time: write HH:MM"},
		{"daily 24:00", "\"24\" is no hour (0 to 23)"},
		{"daily 03:60", "\"60\" is no minute (0 to 59)"},
		{"daily 03:0", "\"03:0\" is no time: write HH:MM"},
		{"hourly 03:15", "\"03:15\" is no time: write :MM"},
		{"weekly someday", "\"someday\" is no weekday (0 to 7)"},
		{"fortnightly", "\"fortnightly\" is no weekday (0 to 7)"},
		{"daily 03:00 now", "what is behind the time is not understood"},
		{"*/0 * * * *", "the step of a minute is 1 to 60"},
		{"*/5/5 * * * *", "the step of a minute is 1 to 60"},
		{"30-10 * * * *", "a range of minutes goes upwards"},
		{"0 0 30 feb *", "that day never comes"},
		{"0 0 , * *", "\"\" is no day (1 to 31)"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct calendar calendar;
		struct err err = ERR_INIT;
		CHECK(!calendar_parse(str_from(rows[i].text), &calendar, &err));
		if (strncmp(err.message, rows[i].expected, strlen(rows[i].expected)) != 0) {
			CHECK_TEXT(err.message, rows[i].expected);
		}
	}
}

// Against a walk minute by minute: the first minute whose local clock shows the time.
TEST(every_next_time_shows_the_local_time_asked_for) {
	struct calendar calendar;
	set_zone("Europe/Berlin");
	CHECK(calendar_parse(STR("30 4 * * *"), &calendar, NULL));
	int64_t at = wall("2026-01-01T00:00:00Z");
	for (int i = 0; i < 365; i++) {
		int64_t next = calendar_next(&calendar, at);
		time_t seconds = (time_t)(next / NS_PER_SECOND);
		struct tm tm;
		CHECK(next > at && next - at < 2 * NS_PER_DAY);
		CHECK(localtime_r(&seconds, &tm) && tm.tm_hour == 4 && tm.tm_min == 30);
		at = next;
	}
}

int main(void) {
	return TESTS(RUN(expressions_name_the_next_time),
		RUN(a_time_in_the_gap_runs_right_after_it), RUN(a_repeated_hour_runs_once),
		RUN(odd_zones_are_understood), RUN(wrong_expressions_say_why),
		RUN(every_next_time_shows_the_local_time_asked_for));
}
