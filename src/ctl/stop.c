// SPDX-License-Identifier: Apache-2.0
// `annactl stop`: asks the daemon to stop and returns when its process is gone. The process is held
// by a pidfd from before the question, so a pid used again is never mistaken for it.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "formats/json.h"

// Beyond the time the daemon gives its running actions (daemon.stop_timeout).
#define GONE_AFTER_MS 4000
#define LOOK_AGAIN_MS 50

// Without pidfd (before Linux 5.3, or a filter), looks whether the pid is still there.
static bool wait_by_pid(struct invocation *in, int64_t pid, int64_t deadline_ns) {
	while (kill((pid_t)pid, 0) == 0 || errno == EPERM) {
		if (clock_monotonic(in->clock) >= deadline_ns) {
			return false;
		}
		(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
	return true;
}

static bool wait_gone(struct invocation *in, int64_t pid, int pidfd, int64_t deadline_ns) {
	struct pollfd wait = {.fd = pidfd, .events = POLLIN};
	int64_t left;
	if (pidfd < 0) {
		return wait_by_pid(in, pid, deadline_ns);
	}
	while ((left = deadline_ns - clock_monotonic(in->clock)) > 0) {
		if (poll(&wait, 1, (int)(left / NS_PER_MS) + 1) > 0) {
			return true;
		}
	}
	return false;
}

static int fail_slow(struct invocation *in, int64_t pid, int64_t waited_ms) {
	struct failure failure = FAILURE_INIT;
	failure_set(&failure, ERR_SLOW,
		"annad (pid %lld) agreed to stop, but is still there after %lld s", (long long)pid,
		(long long)(waited_ms / 1000));
	failure_set_next(&failure,
		"see what it waits for: journalctl -u annad -n 20; at worst: kill -KILL %lld",
		(long long)pid);
	return invocation_fail(in, &failure);
}

static void report(struct invocation *in, int64_t pid, int64_t took_ns) {
	struct buf json = BUF_INIT;
	struct json_writer w;
	if (!in->output.is_json) {
		output_printf(&in->output, "annad (pid %lld) has stopped; it took %lld ms\n",
			(long long)pid, (long long)(took_ns / NS_PER_MS));
		return;
	}
	json_writer_init(&w, &json);
	json_begin_object(&w);
	json_member_bool(&w, "stopped", true);
	json_member_int(&w, "pid", pid);
	json_member_double(&w, "took_ms", (double)took_ns / (double)NS_PER_MS);
	json_end_object(&w);
	output_json_line(&in->output, buf_str(&json));
	buf_finish(&json);
}

static int run(struct invocation *in, const void *options) {
	struct request request = {.method = "stop", .is_repeatable = true};
	const struct value *status = invocation_ask(in, "status");
	const struct value *answer;
	int64_t pid, start_ns, wait_ms;
	int pidfd;
	bool is_gone;
	(void)options;
	if (!status) {
		return in->exit_status;
	}
	pid = field_int(status, "pid", 0);
	pidfd = pid > 1 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
	start_ns = clock_monotonic(in->clock);
	answer = invocation_call(in, &request);
	if (!answer) {
		return in->exit_status;
	}
	wait_ms = field_int(answer, "stop_timeout_ms", 1000) + GONE_AFTER_MS;
	client_finish(&in->client); // it must not wait for us
	is_gone = wait_gone(in, pid, pidfd, start_ns + wait_ms * NS_PER_MS);
	if (pidfd >= 0) {
		close(pidfd);
	}
	if (!is_gone) {
		return fail_slow(in, pid, wait_ms);
	}
	report(in, pid, clock_monotonic(in->clock) - start_ns);
	return 0;
}

DEFINE_COMMAND(stop) = {
	.name = "stop",
	.aliases = (const char *const[]){"shutdown", NULL},
	.summary = "Stop the daemon and wait until its process is gone.",
	.examples = (const char *const[]){"annactl stop", NULL},
	.run = run,
};
