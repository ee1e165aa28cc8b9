// SPDX-License-Identifier: Apache-2.0
// Running the annad binary beside us; see annad.h.
#include "ctl/annad.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/fields.h"

#define VERSION_MAX 256
#define VERSION_WITHIN_NS (2 * NS_PER_SECOND)
// How long to ask a daemon for its config path before going on without it.
#define ASK_WITHIN_NS NS_PER_SECOND

extern char **environ;

static bool try_path(struct buf *out, struct str folder, const char *rest) {
	buf_clear(out);
	buf_append_str(out, folder);
	buf_append_text(out, rest);
	return access(buf_text(out), X_OK) == 0;
}

bool annad_find(struct buf *out, struct failure *failure) {
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct str rest = str_from(getenv("PATH")), folder;
	const char *slash;
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash) {
		folder = str_range(self, (size_t)(slash - self));
		if (try_path(out, folder, "/annad") || try_path(out, folder, "/../sbin/annad")) {
			return true;
		}
	}
	while (str_split(&rest, ':', &folder)) {
		if (folder.len > 0 && folder.at[0] == '/' && try_path(out, folder, "/annad")) {
			return true;
		}
	}
	failure_set(failure, ERR_NOT_FOUND,
		"there is no annad beside annactl, in ../sbin or on PATH to do this with");
	return failure_set_next(failure, "install annad, or put it beside annactl");
}

void annad_become(const char **argv, struct failure *failure) {
	struct buf path = BUF_INIT;
	struct err err = ERR_INIT;
	if (annad_find(&path, failure)) {
		argv[0] = buf_text(&path);
		execv(buf_text(&path), (char *const *)(uintptr_t)argv);
		err_errno(&err, "cannot run %s", buf_text(&path));
		failure_from_err(failure, &err);
	}
	buf_finish(&path);
}

static bool read_line(int fd, struct clock *clock, struct buf *out) {
	int64_t deadline_ns = clock_monotonic(clock) + VERSION_WITHIN_NS;
	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = deadline_ns - clock_monotonic(clock);
		ptrdiff_t end;
		ssize_t n;
		if (left <= 0 || poll(&wait, 1, (int)(left / NS_PER_MS) + 1) <= 0 ||
			out->len >= VERSION_MAX) {
			return false;
		}
		n = read(fd, buf_reserve(out, VERSION_MAX), VERSION_MAX);
		out->len += n > 0 ? (size_t)n : 0;
		end = str_find_char(buf_str(out), '\n');
		if (end >= 0) {
			out->len = (size_t)end;
			buf_reserve(out, 1)[0] = '\0';
			return true;
		}
		if (n <= 0) {
			return false;
		}
	}
}

bool annad_version(const char *path, struct buf *out) {
	const char *argv[] = {path, "--version", NULL};
	posix_spawn_file_actions_t actions;
	int ends[2];
	pid_t pid = 0;
	bool ok = false;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return false;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (posix_spawn(&pid, path, &actions, NULL, (char *const *)(uintptr_t)argv, environ) == 0) {
		close(ends[1]);
		ends[1] = -1;
		ok = read_line(ends[0], clock_system(), out);
		(void)kill(pid, SIGKILL); // it has said what we asked for, or hangs
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
		}
	}
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	if (ends[1] >= 0) {
		close(ends[1]);
	}
	return ok;
}

static bool try_config(struct buf *out, const char *folder, const char *rest) {
	return folder && folder[0] == '/' && try_path(out, str_from(folder), "") &&
		(buf_append_text(out, rest), access(buf_text(out), F_OK) == 0);
}

void annad_find_config(struct buf *out) {
	buf_clear(out);
	if (!(geteuid() != 0 &&
		    (try_config(out, getenv("XDG_CONFIG_HOME"), "/anna/config.toml") ||
			    try_config(out, getenv("HOME"), "/.config/anna/config.toml"))) &&
		!try_config(out, "/etc/anna", "/config.toml")) {
		buf_clear(out);
	}
}

void annad_default_config(struct invocation *in, struct buf *out) {
	struct request request = {.method = "status", .is_repeatable = true};
	struct failure ignored = FAILURE_INIT;
	int64_t timeout_ns = in->client.timeout_ns;
	const struct value *status;
	struct str path;
	in->client.timeout_ns = timeout_ns < ASK_WITHIN_NS ? timeout_ns : ASK_WITHIN_NS;
	in->client.wants_no_retry = true;
	status = client_call(&in->client, &request, in->arena, &ignored);
	in->client.timeout_ns = timeout_ns;
	in->client.wants_no_retry = false;
	path = field_str(status, "config_path");
	buf_clear(out);
	if (path.len > 0) {
		buf_append_str(out, path);
	} else {
		annad_find_config(out);
	}
}
