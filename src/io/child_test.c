// SPDX-License-Identifier: Apache-2.0
// Real programs of /bin on the real loop: no sleeping, each test waits for what it expects.
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "io/loop.h"
#include "tests/check.h"

struct run {
	struct loop *loop;
	struct child_runner *runner;
	struct child *child;
	struct buf output;
	struct child_result result;
	int exits;
	bool release_on_output;
	struct err err;
};

static void on_output(void *arg, struct str bytes) {
	struct run *run = arg;
	buf_append_str(&run->output, bytes);
	if (run->release_on_output && run->child) {
		run->runner->release(run->child);
		run->child = NULL;
	}
}

static void on_ended(void *arg, const struct child_result *result) {
	struct run *run = arg;
	run->result = *result;
	run->exits++;
	loop_stop(run->loop);
}

static void run_init(struct run *run) {
	*run = (struct run){0};
	run->loop = loop_create(clock_system(), NULL, NULL);
	run->runner = child_runner_create(run->loop);
}

static void run_finish(struct run *run) {
	if (run->child) {
		run->runner->release(run->child);
	}
	child_runner_destroy(run->runner);
	loop_destroy(run->loop);
	buf_finish(&run->output);
}

static void run_start_with(struct run *run, struct child_spec spec) {
	spec.on_output = spec.on_output ? spec.on_output : on_output;
	spec.on_exit = on_ended;
	spec.arg = run;
	run->child = run->runner->spawn(run->runner, &spec, &run->err);
}

static void run_shell(struct run *run, const char *script) {
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	run_start_with(run, (struct child_spec){.argv = argv});
	CHECK(run->child);
}

// Rounds until the condition holds; a minute of rounds is a failure, not a hang.
#define WAIT_FOR(run, condition) \
	do { \
		int64_t end_ = clock_monotonic(clock_system()) + 60 * NS_PER_SECOND; \
		while (!(condition)) { \
			CHECK(clock_monotonic(clock_system()) < end_); \
			loop_step((run)->loop, 10 * NS_PER_MS); \
		} \
	} while (0)

TEST(output_of_both_streams_arrives_before_the_exit) {
	struct run run;
	run_init(&run);
	run_shell(&run, "echo out; echo err >&2; exit 7");

	WAIT_FOR(&run, run.exits);

	CHECK_TEXT(buf_text(&run.output), "out\nerr\n");
	CHECK(!run.result.was_signalled);
	CHECK_INT(run.result.exit_status, 7);
	CHECK(run.result.max_rss_bytes > 0);
	run_finish(&run);
}

TEST(a_missing_program_is_named) {
	struct run run;
	run_init(&run);
	const char *argv[] = {"/no/such/program", NULL};

	run_start_with(&run, (struct child_spec){.argv = argv});

	CHECK(!run.child);
	CHECK_INT(run.err.code, ERR_NOT_FOUND);
	CHECK_TEXT(run.err.message, "cannot run /no/such/program: No such file or directory");
	run_finish(&run);
}

TEST(what_is_no_program_is_refused_without_a_shell) {
	struct run run;
	run_init(&run);
	char path[] = "/tmp/anna-child-test-XXXXXX";
	int fd = mkstemp(path);
	CHECK_INT(write(fd, "echo hi\n", 8), 8);
	(void)fchmod(fd, 0700);
	(void)close(fd);
	const char *argv[] = {path, NULL};

	run_start_with(&run, (struct child_spec){.argv = argv});

	CHECK(!run.child);
	CHECK_INT(run.err.code, ERR_INVALID);
	(void)unlink(path);
	run_finish(&run);
}

TEST(the_path_of_the_environment_is_searched) {
	struct run run;
	run_init(&run);
	const char *argv[] = {"sh", "-c", "echo $NAME", NULL};
	const char *environment[] = {"PATH=:relative:/nowhere:/bin", "NAME=it is me", NULL};

	run_start_with(&run, (struct child_spec){.argv = argv, .environment = environment});
	WAIT_FOR(&run, run.exits);

	CHECK_TEXT(buf_text(&run.output), "it is me\n");
	run_finish(&run);
}

TEST(a_program_not_on_the_path_is_an_error) {
	struct run run;
	run_init(&run);
	const char *argv[] = {"sh", NULL};
	const char *environment[] = {"PATH=:relative:/nowhere", NULL};

	run_start_with(&run, (struct child_spec){.argv = argv, .environment = environment});

	CHECK(!run.child);
	CHECK_TEXT(run.err.message,
		"cannot run sh: there is no such program in "
		":relative:/nowhere; give its whole path");
	run_finish(&run);
}

TEST(a_missing_folder_is_named) {
	struct run run;
	run_init(&run);
	const char *argv[] = {"/bin/true", NULL};

	run_start_with(&run, (struct child_spec){.argv = argv, .directory = "/no/folder"});

	CHECK(!run.child);
	CHECK_TEXT(run.err.message,
		"cannot run /bin/true in the folder /no/folder: No such file or directory");
	run_finish(&run);
}

TEST(a_cgroup_that_cannot_be_joined_is_an_error) {
	struct run run;
	run_init(&run);
	const char *argv[] = {"/bin/true", NULL};

	run_start_with(&run, (struct child_spec){.argv = argv, .cgroup = "/no/cgroup"});

	CHECK(!run.child);
	CHECK_TEXT(run.err.message,
		"cannot run /bin/true: joining the cgroup /no/cgroup failed: "
		"No such file or directory");
	run_finish(&run);
}

TEST(the_group_is_joined_by_writing_0_to_cgroup_procs) {
	struct run run;
	run_init(&run);
	char folder[] = "/tmp/anna-child-cgroup-XXXXXX";
	CHECK(mkdtemp(folder));
	_cleanup_(freep) char *procs = xasprintf("%s/cgroup.procs", folder);
	(void)close(open(procs, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	const char *argv[] = {"/bin/cat", procs, NULL};

	run_start_with(&run, (struct child_spec){.argv = argv, .cgroup = folder});
	WAIT_FOR(&run, run.exits);

	CHECK_TEXT(buf_text(&run.output), "0");
	(void)unlink(procs);
	(void)rmdir(folder);
	run_finish(&run);
}

TEST(nothing_of_ours_is_inherited) {
	struct run run;
	run_init(&run);
	int leaky = open("/dev/null", O_RDONLY); // deliberately without O_CLOEXEC
	sigset_t blocked;
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
	(void)signal(SIGPIPE, SIG_IGN);

	run_shell(&run,
		"ls /proc/self/fd | tr '\\n' ' '; env; pwd;"
		"grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t'; cat");
	WAIT_FOR(&run, run.exits);

	// ls has its folder open as 3; cat on /dev/null ends at once.
	CHECK_TEXT(buf_text(&run.output),
		"0 1 2 3 PWD=/\n/\nSigBlk:0000000000000000\n"
		"SigIgn:0000000000000000\n");
	(void)sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	(void)close(leaky);
	run_finish(&run);
}

TEST(a_grandchild_that_holds_the_pipe_does_not_delay_the_exit) {
	struct run run;
	run_init(&run);
	// The grandchild would hold the pipe for ever; it ends when its write end breaks.
	run_shell(&run, "(while echo x; do :; done) & echo $!; exit 0");

	WAIT_FOR(&run, run.exits);

	CHECK_INT(run.exits, 1);
	CHECK_INT(run.result.exit_status, 0);
	run_finish(&run);
}

TEST(a_signal_reaches_the_whole_group) {
	struct run run;
	run_init(&run);
	run_shell(&run, "cat /dev/zero >/dev/null & echo $!; wait");
	WAIT_FOR(&run, run.output.len > 0);
	int64_t grandchild = 0;
	CHECK(str_to_int64(str_trim(buf_str(&run.output)), &grandchild));

	run.runner->kill(run.child, SIGKILL);
	WAIT_FOR(&run, run.exits);

	CHECK(run.result.was_signalled);
	CHECK_INT(run.result.signal, SIGKILL);
	char state[64] = "";
	_cleanup_(freep) char *path = xasprintf("/proc/%d/stat", (int)grandchild);
	WAIT_FOR(&run, ({
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, state, sizeof(state) - 1);
		state[n > 0 ? n : 0] = '\0';
		(void)(fd < 0 || close(fd));
		n <= 0 || strstr(state, ") Z ");
	}));
	run_finish(&run);
}

TEST(a_child_released_in_its_output_is_killed_and_forgotten) {
	struct run run;
	run_init(&run);
	run.release_on_output = true;
	run_shell(&run, "echo now; cat /dev/zero >/dev/null");
	pid_t pid = run.runner->pid(run.child);

	WAIT_FOR(&run, run.output.len > 0);
	WAIT_FOR(&run, kill(pid, 0) != 0 && errno == ESRCH);

	CHECK_INT(run.exits, 0);
	run_finish(&run);
}

TEST(the_runner_ends_what_still_runs) {
	struct run run;
	run_init(&run);
	run_shell(&run, "cat /dev/zero >/dev/null");
	pid_t pid = run.runner->pid(run.child);

	child_runner_destroy(run.runner);

	CHECK(kill(pid, 0) != 0 && errno == ESRCH);
	loop_destroy(run.loop);
	buf_finish(&run.output);
}

TEST(much_output_is_delivered_whole) {
	struct run run;
	run_init(&run);
	run_shell(&run, "head -c 3000000 /dev/zero");

	WAIT_FOR(&run, run.exits);

	CHECK_INT(run.output.len, 3000000);
	run_finish(&run);
}

int main(void) {
	return TESTS(RUN(output_of_both_streams_arrives_before_the_exit),
		RUN(a_missing_program_is_named), RUN(what_is_no_program_is_refused_without_a_shell),
		RUN(the_path_of_the_environment_is_searched),
		RUN(a_program_not_on_the_path_is_an_error), RUN(a_missing_folder_is_named),
		RUN(a_cgroup_that_cannot_be_joined_is_an_error),
		RUN(the_group_is_joined_by_writing_0_to_cgroup_procs),
		RUN(nothing_of_ours_is_inherited),
		RUN(a_grandchild_that_holds_the_pipe_does_not_delay_the_exit),
		RUN(a_signal_reaches_the_whole_group),
		RUN(a_child_released_in_its_output_is_killed_and_forgotten),
		RUN(the_runner_ends_what_still_runs), RUN(much_output_is_delivered_whole));
}
