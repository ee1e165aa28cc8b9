// SPDX-License-Identifier: Apache-2.0
// The source `timer` in simulated time: phase, sleep, clocks that jump, stop and crash.
#include "sources/source_fixture.h"

extern const struct capability source_timer;

#define EVERY_MINUTE "[{\"name\": \"a\", \"every\": \"1m\"}]"
#define DAILY "[{\"name\": \"d\", \"at\": \"daily 03:00\"}]"
#define DAILY_CAUGHT_UP "[{\"name\": \"d\", \"at\": \"daily 03:00\", \"catch_up\": true}]"
#define HOUR (3600 * NS_PER_SECOND)
#define MINUTE (60 * NS_PER_SECOND)

static void init(struct fixture *fixture) {
	setenv("TZ", "UTC", 1);
	tzset();
	fixture_init(fixture, NULL, &source_timer);
}

static void advance(struct fixture *fixture, int64_t ns) {
	loop_advance(fixture->fake.loop, ns);
}

static void sleep_machine(struct fixture *fixture, int64_t ns) {
	fixture->fake.clock.boot_ns += ns;
	fixture->fake.clock.wall_ns += ns;
}

static void jump_clock(struct fixture *fixture, int64_t ns) {
	fixture->fake.clock.wall_ns += ns;
}

// The newest event, and that there are n.
static const struct event *newest(const struct fixture *fixture, size_t n, const char *kind) {
	CHECK_INT(fixture->n, n);
	CHECK_STR(fixture->events[n - 1]->kind, kind);
	return fixture->events[n - 1];
}

static void check_missed(const struct event *event, const char *count, const char *reason) {
	CHECK_STR(event->kind, "timer.missed");
	CHECK_TEXT(fixture_text(event, "count"), count);
	CHECK_TEXT(fixture_text(event, "reason"), reason);
}

TEST(an_interval_runs_on_its_multiples) {
	struct fixture fixture;
	init(&fixture);
	fixture.fake.clock.wall_ns += 20 * NS_PER_SECOND;
	fixture_start(&fixture, EVERY_MINUTE);
	advance(&fixture, 39 * NS_PER_SECOND);
	CHECK_INT(fixture.n, 0);
	advance(&fixture, NS_PER_SECOND + 2 * MINUTE);
	const struct event *event = newest(&fixture, 3, "timer.fired");
	CHECK_STR(event->subject, "a");
	CHECK_TEXT(fixture_text(event, "timer"), "a");
	CHECK_TEXT(fixture_text(event, "scheduled"), "2026-01-01T00:03:00.000000Z");
	CHECK_TEXT(fixture_text(event, "late_ms"), "0");
	fixture_finish(&fixture);
}

TEST(a_calendar_time_runs_once_a_day) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture, DAILY);
	advance(&fixture, 72 * HOUR);
	const struct event *event = newest(&fixture, 3, "timer.fired");
	CHECK_TEXT(fixture_text(event, "scheduled"), "2026-01-03T03:00:00.000000Z");
	fixture_finish(&fixture);
}

TEST(a_reload_does_not_disturb_a_timer_and_a_changed_one_starts_anew) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture,
		"[{\"name\": \"a\", \"every\": \"1m\"}, {\"name\": \"b\", "
		"\"every\": \"1h\"}]");
	advance(&fixture, 50 * NS_PER_SECOND);
	fixture_reconfigure(&fixture,
		"[{\"name\": \"c\", \"every\": \"45s\"}, {\"name\": \"a\", "
		"\"every\": \"1m\", \"catch_up\": true}]");
	advance(&fixture, 10 * NS_PER_SECOND);
	CHECK_STR(newest(&fixture, 1, "timer.fired")->subject, "a");
	fixture_reconfigure(&fixture, "[]");
	advance(&fixture, 2 * HOUR);
	CHECK_INT(fixture.n, 1);
	fixture_finish(&fixture);
}

TEST(runs_missed_in_sleep_are_told) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture, DAILY);
	sleep_machine(&fixture, 51 * HOUR + 10 * MINUTE);
	advance(&fixture, 15 * NS_PER_SECOND);
	const struct event *event = newest(&fixture, 1, "timer.missed");
	check_missed(event, "3", "sleep");
	CHECK_TEXT(fixture_text(event, "scheduled"), "2026-01-03T03:00:00.000000Z");
	CHECK_TEXT(fixture_text(event, "certain"), "true");
	advance(&fixture, 24 * HOUR);
	newest(&fixture, 2, "timer.fired");
	fixture_finish(&fixture);
}

TEST(a_run_that_is_only_a_little_late_is_fired) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture, DAILY);
	sleep_machine(&fixture, 3 * HOUR + 30 * NS_PER_SECOND);
	advance(&fixture, 15 * NS_PER_SECOND);
	CHECK_TEXT(fixture_text(newest(&fixture, 1, "timer.fired"), "late_ms"), "40000");
	fixture_finish(&fixture);
}

TEST(catching_up_runs_once_for_all) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture, DAILY_CAUGHT_UP);
	sleep_machine(&fixture, 52 * HOUR);
	advance(&fixture, 15 * NS_PER_SECOND);
	CHECK_INT(fixture.n, 2);
	check_missed(fixture.events[0], "3", "sleep");
	CHECK_TEXT(fixture_text(newest(&fixture, 2, "timer.fired"), "missed"), "3");
	fixture_finish(&fixture);
}

TEST(an_interval_tells_what_it_slept_through) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture, EVERY_MINUTE);
	sleep_machine(&fixture, HOUR + 30 * NS_PER_SECOND);
	advance(&fixture, 15 * NS_PER_SECOND);
	CHECK_INT(fixture.n, 2);
	check_missed(fixture.events[0], "59", "sleep");
	newest(&fixture, 2, "timer.fired");
	fixture_finish(&fixture);
}

TEST(a_clock_set_back_fires_nothing_twice) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture,
		"[{\"name\": \"d\", \"at\": \"daily 03:00\"}, "
		"{\"name\": \"i\", \"every\": \"1h\"}]");
	advance(&fixture, 3 * HOUR + MINUTE);
	CHECK_INT(fixture.n, 4); // 1:00, 2:00, and both at 3:00
	jump_clock(&fixture, -2 * MINUTE);
	advance(&fixture, 58 * MINUTE);
	CHECK_INT(fixture.n, 4);
	advance(&fixture, 5 * MINUTE); // 4:02 by the clock
	newest(&fixture, 5, "timer.fired");
	jump_clock(&fixture, -3 * HOUR);
	advance(&fixture, 3 * HOUR - 5 * MINUTE);
	for (size_t i = 5; i < fixture.n; i++) {
		CHECK_STR(fixture.events[i]->subject, "i");
	}
	fixture_finish(&fixture);
}

TEST(a_clock_set_far_back_does_not_silence_a_timer) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture,
		"[{\"name\": \"d\", \"at\": \"daily 03:00\"}, "
		"{\"name\": \"i\", \"every\": \"12h\"}]");
	jump_clock(&fixture, -1000 * NS_PER_DAY);
	advance(&fixture, 24 * HOUR);
	CHECK_INT(fixture.n, 3);
	fixture_finish(&fixture);
}

TEST(a_clock_set_forward_over_a_run_is_told) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture,
		"[{\"name\": \"d\", \"at\": \"daily 03:00\"}, "
		"{\"name\": \"i\", \"every\": \"1h\"}]");
	jump_clock(&fixture, 4 * HOUR + 10 * MINUTE);
	advance(&fixture, MINUTE);
	check_missed(newest(&fixture, 1, "timer.missed"), "1", "clock");
	advance(&fixture, 49 * MINUTE); // no hour has passed yet, but its multiple is there
	newest(&fixture, 2, "timer.fired");
	fixture_finish(&fixture);
}

TEST(runs_missed_while_stopped_are_told) {
	struct fixture fixture;
	struct capability_health state;
	init(&fixture);
	fixture_start(&fixture, DAILY);
	advance(&fixture, 4 * HOUR);
	fixture_stop(&fixture);
	fake_clock_advance(&fixture.fake.clock, 48 * HOUR);
	fixture_start(&fixture, DAILY);
	const struct event *event = newest(&fixture, 2, "timer.missed");
	check_missed(event, "2", "stop");
	CHECK_TEXT(fixture_text(event, "certain"), "true");
	source_timer.health(fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	fixture_finish(&fixture);
}

TEST(a_restart_in_between_neither_misses_nor_repeats) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture, EVERY_MINUTE);
	advance(&fixture, MINUTE + 10 * NS_PER_SECOND);
	fixture_stop(&fixture);
	fake_clock_advance(&fixture.fake.clock, 20 * NS_PER_SECOND);
	fixture_start(&fixture, EVERY_MINUTE);
	CHECK_INT(fixture.n, 1);
	advance(&fixture, 30 * NS_PER_SECOND);
	newest(&fixture, 2, "timer.fired");
	fixture_finish(&fixture);
}

// What a crash leaves is the file as it was last saved.
static void crash_and_start(struct fixture *fixture, const char *json) {
	struct buf saved = BUF_INIT;
	_cleanup_(freep) char *path = xasprintf("%s/timers.json", fixture->folder);
	CHECK(fs_read_file(fs_system(), path, 1 << 20, &saved, NULL));
	fixture_stop(fixture);
	fixture_write(fixture, "timers.json", buf_text(&saved));
	buf_finish(&saved);
	fixture_start(fixture, json);
}

TEST(after_a_crash_missed_runs_are_uncertain_and_not_caught_up) {
	struct fixture fixture;
	init(&fixture);
	fixture.fake.clock.wall_ns += 2 * HOUR + 59 * MINUTE + 30 * NS_PER_SECOND;
	fixture_start(&fixture, DAILY_CAUGHT_UP);
	advance(&fixture, 40 * NS_PER_SECOND); // fired, and not saved yet
	newest(&fixture, 1, "timer.fired");
	sleep_machine(&fixture, 5 * MINUTE);
	crash_and_start(&fixture, DAILY_CAUGHT_UP);
	const struct event *event = newest(&fixture, 2, "timer.missed");
	check_missed(event, "1", "stop");
	CHECK_TEXT(fixture_text(event, "certain"), "false");
	fixture_finish(&fixture);
}

TEST(a_damaged_state_file_means_nothing_is_remembered) {
	struct fixture fixture;
	init(&fixture);
	fixture_write(&fixture, "timers.json", "{\"timers\": {\"d\": 7}, \"clean\": 1, \"sa");
	fixture_start(&fixture, DAILY);
	CHECK_INT(fixture.n, 0);
	fixture_stop(&fixture);
	fixture_write(&fixture, "timers.json",
		"{\"saved\": 1, \"timers\": {\"d\": {\"schedule\": \"daily 03:00\", \"last\": "
		"\"x\"}}}");
	fixture_start(&fixture, DAILY);
	CHECK_INT(fixture.n, 0);
	fixture_finish(&fixture);
}

TEST(a_run_the_journal_refused_is_fired_later) {
	struct fixture fixture;
	init(&fixture);
	fixture_start(&fixture, DAILY);
	fixture_set_journal(&fixture, false);
	advance(&fixture, 3 * HOUR + 5 * NS_PER_SECOND);
	CHECK_INT(fixture.n, 0);
	fixture_set_journal(&fixture, true);
	advance(&fixture, 2 * NS_PER_SECOND);
	newest(&fixture, 1, "timer.fired");
	advance(&fixture, HOUR);
	CHECK_INT(fixture.n, 1);
	fixture_finish(&fixture);
}

TEST(a_state_that_cannot_be_kept_degrades) {
	struct fixture fixture;
	struct capability_health state;
	init(&fixture);
	fixture.services.state_folder = "/nonexistent/anna";
	fixture_start(&fixture, DAILY);
	advance(&fixture, NS_PER_SECOND);
	source_timer.health(fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK(strstr(state.reason, "/nonexistent/anna") != NULL);
	fixture_finish(&fixture);
}

TEST(wrong_timers_are_refused) {
	static const struct {
		const char *json, *expected;
	} rows[] = {
		{"[{\"name\": \"a\"}]", "either \"every\" or \"at\""},
		{"[{\"name\": \"a\", \"every\": \"1m\", \"at\": \"daily\"}]",
			"either \"every\" or \"at\""},
		{"[{\"name\": \"a\", \"at\": \"daily 25:00\"}]", "\"25\" is no hour (0 to 23)"},
		{"[{\"name\": \"a\", \"every\": \"1ms\"}]", "every"},
	};
	struct fixture fixture;
	init(&fixture);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf problems = BUF_INIT;
		CHECK(!fixture_configure(&fixture, rows[i].json, &problems));
		CHECK(strstr(buf_text(&problems), rows[i].expected) != NULL);
		buf_finish(&problems);
	}
	fixture_finish(&fixture);
}

int main(void) {
	return TESTS(RUN(an_interval_runs_on_its_multiples), RUN(a_calendar_time_runs_once_a_day),
		RUN(a_reload_does_not_disturb_a_timer_and_a_changed_one_starts_anew),
		RUN(runs_missed_in_sleep_are_told), RUN(a_run_that_is_only_a_little_late_is_fired),
		RUN(catching_up_runs_once_for_all), RUN(an_interval_tells_what_it_slept_through),
		RUN(a_clock_set_back_fires_nothing_twice),
		RUN(a_clock_set_far_back_does_not_silence_a_timer),
		RUN(a_clock_set_forward_over_a_run_is_told),
		RUN(runs_missed_while_stopped_are_told),
		RUN(a_restart_in_between_neither_misses_nor_repeats),
		RUN(after_a_crash_missed_runs_are_uncertain_and_not_caught_up),
		RUN(a_damaged_state_file_means_nothing_is_remembered),
		RUN(a_run_the_journal_refused_is_fired_later),
		RUN(a_state_that_cannot_be_kept_degrades), RUN(wrong_timers_are_refused));
}
