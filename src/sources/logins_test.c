// SPDX-License-Identifier: Apache-2.0
// The source `logins` on files that the test writes as login(1) and sshd(8) do.
#include "sources/source_fixture.h"

#include <fcntl.h>

#include "sources/logins_read.h"

extern const struct capability source_logins;

static struct utmp record(short type, const char *user, const char *tty, const char *host) {
	struct utmp record = {.ut_type = type, .ut_pid = 42};
	memcpy(record.ut_user, user, strnlen(user, sizeof(record.ut_user)));
	memcpy(record.ut_line, tty, strnlen(tty, sizeof(record.ut_line)));
	memcpy(record.ut_host, host, strnlen(host, sizeof(record.ut_host)));
	return record;
}

static void append_bytes(
	struct fixture *fixture, const char *name, const void *bytes, size_t size) {
	_cleanup_(freep) char *path = xasprintf("%s/var/log/%s", fixture->folder, name);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_INT(write(fd, bytes, size), size);
	close(fd);
}

static void append(struct fixture *fixture, const char *name, struct utmp one) {
	append_bytes(fixture, name, &one, sizeof(one));
}

static void init(struct fixture *fixture) {
	fixture_init(fixture, NULL, &source_logins);
	fixture->services.sysroot = fixture->folder;
	fixture_write(fixture, "var/log/other", "");
}

static void pass(struct fixture *fixture) {
	loop_advance(fixture->fake.loop, 2 * NS_PER_SECOND);
}

static void start(struct fixture *fixture, const char *json) {
	fixture_start(fixture, json);
	pass(fixture);
	CHECK_INT(fixture->n, 0);
}

static void check_newest(
	struct fixture *fixture, size_t n, const char *kind, const char *user, const char *host) {
	pass(fixture);
	CHECK_INT(fixture->n, n);
	CHECK_STR(fixture->events[n - 1]->kind, kind);
	CHECK_TEXT(fixture_text(fixture->events[n - 1], "user"), user);
	CHECK_TEXT(fixture_text(fixture->events[n - 1], "host"), host);
}

TEST(a_session_is_told_when_it_begins_and_ends_with_its_user) {
	struct fixture fixture;
	init(&fixture);
	append(&fixture, "wtmp", record(USER_PROCESS, "old", "pts/9", ""));
	start(&fixture, "{}");
	append(&fixture, "wtmp", record(USER_PROCESS, "ada", "pts/0", "192.0.2.1"));
	pass(&fixture);
	struct buf shown = BUF_INIT;
	meters_format(fixture.meters, &shown);
	CHECK(strstr(buf_text(&shown), "\nanna_logins_sessions 2\n") != NULL);
	buf_finish(&shown);
	check_newest(&fixture, 1, "login.opened", "ada", "192.0.2.1");
	CHECK_TEXT(fixture_text(fixture.events[0], "tty"), "pts/0");
	CHECK_TEXT(fixture_text(fixture.events[0], "pid"), "42");
	append(&fixture, "wtmp", record(DEAD_PROCESS, "", "pts/0", ""));
	check_newest(&fixture, 2, "login.closed", "ada", "192.0.2.1");
	append(&fixture, "wtmp", record(DEAD_PROCESS, "", "pts/0", ""));
	check_newest(&fixture, 3, "login.closed", "", "");
	append(&fixture, "wtmp", record(BOOT_TIME, "reboot", "~", "6.1"));
	pass(&fixture);
	CHECK_INT(fixture.n, 3);
	fixture_finish(&fixture);
}

TEST(who_was_logged_in_before_the_start_is_known_at_the_end) {
	struct fixture fixture;
	init(&fixture);
	append(&fixture, "wtmp", record(USER_PROCESS, "before-boot", "pts/1", ""));
	append(&fixture, "wtmp", record(BOOT_TIME, "reboot", "~", ""));
	append(&fixture, "wtmp", record(USER_PROCESS, "ada", "pts/0", "h"));
	start(&fixture, "{}");
	append(&fixture, "wtmp", record(DEAD_PROCESS, "", "pts/0", ""));
	check_newest(&fixture, 1, "login.closed", "ada", "h");
	append(&fixture, "wtmp", record(DEAD_PROCESS, "", "pts/1", ""));
	check_newest(&fixture, 2, "login.closed", "", "");
	fixture_finish(&fixture);
}

TEST(failed_attempts_are_told_up_to_a_limit_and_counted_beyond) {
	struct fixture fixture;
	init(&fixture);
	append(&fixture, "btmp", record(LOGIN_PROCESS, "old", "ssh:notty", ""));
	start(&fixture, "{\"failure_limit\": 3}");
	for (int i = 0; i < 100; i++) {
		append(&fixture, "btmp", record(LOGIN_PROCESS, "root", "ssh:notty", "203.0.113.9"));
	}
	check_newest(&fixture, 3, "login.failed", "root", "203.0.113.9");
	loop_advance(fixture.fake.loop, 61 * NS_PER_SECOND);
	append(&fixture, "btmp", record(LOGIN_PROCESS, "admin", "ssh:notty", "203.0.113.9"));
	check_newest(&fixture, 4, "login.failed", "admin", "203.0.113.9");
	CHECK_TEXT(fixture_text(fixture.events[3], "held_back"), "97");
	fixture_finish(&fixture);
}

TEST(half_a_record_waits_for_its_other_half) {
	struct fixture fixture;
	init(&fixture);
	append(&fixture, "wtmp", record(BOOT_TIME, "", "", ""));
	start(&fixture, "{}");
	struct utmp one = record(USER_PROCESS, "ada", "pts/0", "");
	append_bytes(&fixture, "wtmp", &one, 100);
	pass(&fixture);
	CHECK_INT(fixture.n, 0);
	append_bytes(&fixture, "wtmp", (const char *)&one + 100, sizeof(one) - 100);
	check_newest(&fixture, 1, "login.opened", "ada", "");
	fixture_finish(&fixture);
}

TEST(a_rotation_loses_neither_the_end_of_the_old_nor_the_beginning_of_the_new) {
	struct fixture fixture;
	init(&fixture);
	append(&fixture, "wtmp", record(USER_PROCESS, "a", "pts/0", ""));
	start(&fixture, "{}");
	append(&fixture, "wtmp", record(USER_PROCESS, "b", "pts/1", ""));
	_cleanup_(freep) char *from = xasprintf("%s/var/log/wtmp", fixture.folder);
	_cleanup_(freep) char *to = xasprintf("%s/var/log/wtmp.1", fixture.folder);
	CHECK_INT(rename(from, to), 0);
	append(&fixture, "wtmp", record(USER_PROCESS, "c", "pts/2", ""));
	pass(&fixture);
	CHECK_INT(fixture.n, 2);
	CHECK_TEXT(fixture_text(fixture.events[0], "user"), "b");
	CHECK_TEXT(fixture_text(fixture.events[1], "user"), "c");
	fixture_finish(&fixture);
}

TEST(a_log_that_is_cut_short_is_a_gap_and_read_from_its_beginning) {
	struct fixture fixture;
	init(&fixture);
	append(&fixture, "wtmp", record(USER_PROCESS, "a", "pts/0", ""));
	append(&fixture, "wtmp", record(USER_PROCESS, "a", "pts/1", ""));
	start(&fixture, "{}");
	_cleanup_(freep) char *path = xasprintf("%s/var/log/wtmp", fixture.folder);
	CHECK_INT(truncate(path, 0), 0);
	append(&fixture, "wtmp", record(USER_PROCESS, "b", "pts/2", ""));
	check_newest(&fixture, 2, "login.opened", "b", "");
	CHECK_STR(fixture.events[0]->kind, "source.gap");
	fixture_finish(&fixture);
}

TEST(a_log_that_appears_later_is_new_from_its_beginning) {
	struct fixture fixture;
	struct capability_health state;
	init(&fixture);
	start(&fixture, "{}");
	source_logins.health(fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	append(&fixture, "wtmp", record(USER_PROCESS, "a", "pts/0", ""));
	check_newest(&fixture, 1, "login.opened", "a", "");
	fixture_finish(&fixture);
}

TEST(a_link_in_place_of_a_log_is_not_followed) {
	struct fixture fixture;
	struct capability_health state;
	init(&fixture);
	_cleanup_(freep) char *path = xasprintf("%s/var/log/wtmp", fixture.folder);
	CHECK_INT(symlink("/etc/passwd", path), 0);
	start(&fixture, "{}");
	source_logins.health(fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	fixture_finish(&fixture);
}

int main(void) {
	return TESTS(RUN(a_session_is_told_when_it_begins_and_ends_with_its_user),
		RUN(who_was_logged_in_before_the_start_is_known_at_the_end),
		RUN(failed_attempts_are_told_up_to_a_limit_and_counted_beyond),
		RUN(half_a_record_waits_for_its_other_half),
		RUN(a_rotation_loses_neither_the_end_of_the_old_nor_the_beginning_of_the_new),
		RUN(a_log_that_is_cut_short_is_a_gap_and_read_from_its_beginning),
		RUN(a_log_that_appears_later_is_new_from_its_beginning),
		RUN(a_link_in_place_of_a_log_is_not_followed));
}
