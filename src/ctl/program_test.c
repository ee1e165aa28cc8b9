// SPDX-License-Identifier: Apache-2.0
// Real programs: what they say, how they end, and that none outlives its time.
#include "ctl/program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "tests/check.h"

#define LIMIT_NS (20 * NS_PER_SECOND)

static bool shell(const char *script, bool wants_errors, struct buf *out, int *status,
	int64_t limit_ns, struct err *err) {
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	struct program program = {.argv = argv, .limit_ns = limit_ns};
	return program_run(&program, wants_errors, out, status, err);
}

TEST(output_and_status_come_back) {
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = 0;

	CHECK(shell(
		"echo said; echo complained >&2; exit 7", false, &out, &status, LIMIT_NS, &err));

	CHECK_TEXT(buf_text(&out), "said\n");
	CHECK_INT(status, 7);
	buf_finish(&out);
}

TEST(errors_come_along_when_wanted) {
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = 0;

	CHECK(shell("echo said; echo complained >&2", true, &out, &status, LIMIT_NS, &err));

	CHECK_TEXT(buf_text(&out), "said\ncomplained\n");
	CHECK_INT(status, 0);
	buf_finish(&out);
}

TEST(a_signal_is_told_apart_from_a_status) {
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = 0;

	CHECK(shell("kill -TERM $$", false, &out, &status, LIMIT_NS, &err));

	CHECK_INT(status, 128 + SIGTERM);
	buf_finish(&out);
}

TEST(one_that_does_not_end_is_killed_with_its_children) {
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = 0;
	int64_t pid;

	CHECK(!shell("sleep 1000 & echo $!; wait", false, &out, &status, 300 * NS_PER_MS, &err));

	CHECK_INT(err.code, ERR_SLOW);
	CHECK(str_to_int64(str_trim(buf_str(&out)), &pid));
	// Its parent is dead, so somebody else reaps it. A killed process that runs on another CPU
	// needs a moment to notice: its descriptor tells when it has.
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd >= 0) {
		struct pollfd gone = {.fd = fd, .events = POLLIN};
		CHECK_INT(poll(&gone, 1, 10000), 1);
		close(fd);
	} else {
		CHECK_INT(errno, ESRCH);
	}
	buf_finish(&out);
}

TEST(what_it_leaves_behind_with_its_pipe_is_not_waited_for) {
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = 1;
	int64_t pid;

	CHECK(shell("sleep 1000 & echo $!", false, &out, &status, LIMIT_NS, &err));

	CHECK_INT(status, 0);
	CHECK(str_to_int64(str_trim(buf_str(&out)), &pid));
	CHECK_INT(kill((pid_t)pid, SIGKILL), 0);
	buf_finish(&out);
}

TEST(a_program_that_is_not_there_is_said) {
	const char *argv[] = {"no-such-program-of-anna", NULL};
	struct program program = {.argv = argv, .limit_ns = LIMIT_NS};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	CHECK(!program_ask(&program, &out, &err));

	CHECK_INT(err.code, ERR_NOT_FOUND);
	CHECK_TEXT(err.message, "no-such-program-of-anna could not be run");
	buf_finish(&out);
}

TEST(a_failure_shows_the_last_line) {
	const char *argv[] = {"/bin/sh", "-c", "echo first; echo it broke >&2; exit 3", NULL};
	struct program program = {.argv = argv, .limit_ns = LIMIT_NS};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	CHECK(!program_ask(&program, &out, &err));

	CHECK_TEXT(err.message, "/bin/sh ended with 3: it broke");
	buf_finish(&out);
}

TEST(endless_output_is_cut_and_does_not_block) {
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = 1;

	CHECK(shell("head -c 1000000 /dev/zero", false, &out, &status, LIMIT_NS, &err));

	CHECK_INT(status, 0);
	CHECK(out.len >= PROGRAM_OUTPUT_MAX && out.len < PROGRAM_OUTPUT_MAX + 8192);
	buf_finish(&out);
}

TEST(a_cut_output_is_not_taken_for_a_whole_one) {
	const char *argv[] = {"/bin/sh", "-c", "head -c 1000000 /dev/zero", NULL};
	struct program program = {.argv = argv, .limit_ns = LIMIT_NS};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	CHECK(!program_ask(&program, &out, &err));

	CHECK_INT(err.code, ERR_LIMIT);
	buf_finish(&out);
}

int main(void) {
	return TESTS(RUN(output_and_status_come_back), RUN(errors_come_along_when_wanted),
		RUN(a_signal_is_told_apart_from_a_status),
		RUN(one_that_does_not_end_is_killed_with_its_children),
		RUN(what_it_leaves_behind_with_its_pipe_is_not_waited_for),
		RUN(a_program_that_is_not_there_is_said), RUN(a_failure_shows_the_last_line),
		RUN(endless_output_is_cut_and_does_not_block),
		RUN(a_cut_output_is_not_taken_for_a_whole_one));
}
