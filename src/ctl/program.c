// SPDX-License-Identifier: Apache-2.0
// Running a program; see program.h. Its end is seen by a pidfd, so a process that it leaves behind
// with its pipe does not keep us.
#include "ctl/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"

#define SAFE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define CHUNK 4096
#define LAST_READS 64 // after its end: what a pipe holds

static _Noreturn void become(const struct program *program, int null_fd, int out_fd, int err_fd) {
	const char *folder = program->folder ? program->folder : "/";
	bool is_ok = setpgid(0, 0) == 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
		dup2(out_fd, STDOUT_FILENO) >= 0 && dup2(err_fd, STDERR_FILENO) >= 0;
	if (is_ok && program->uid != 0) {
		is_ok = setgroups(0, NULL) == 0 &&
			setresgid(program->gid, program->gid, program->gid) == 0 &&
			setresuid(program->uid, program->uid, program->uid) == 0;
	}
	if (is_ok && program->held_fd > STDERR_FILENO) {
		is_ok = fcntl(program->held_fd, F_SETFD, 0) == 0;
	}
	is_ok = is_ok && chdir(folder) == 0 && setenv("PATH", SAFE_PATH, 1) == 0 &&
		setenv("LC_ALL", "C.UTF-8", 1) == 0 &&
		setenv("DEBIAN_FRONTEND", "noninteractive", 1) == 0;
	if (is_ok) {
		execvp(program->argv[0], (char *const *)(uintptr_t)program->argv);
	}
	_exit(127);
}

static int open_log(const char *path) {
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

// False at the end of what it says.
static bool read_some(int fd, struct buf *out) {
	char chunk[CHUNK];
	ssize_t n = read(fd, chunk, sizeof(chunk));
	if (n > 0 && out->len < PROGRAM_OUTPUT_MAX) {
		buf_append(out, chunk, (size_t)n);
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

// Until the process has ended; false when the time is over before.
static bool wait_end(int pidfd, int pipe_fd, int64_t deadline_ns, struct buf *out) {
	struct pollfd waits[2] = {
		{.fd = pidfd, .events = POLLIN}, {.fd = pipe_fd, .events = POLLIN}};
	for (;;) {
		int64_t left = deadline_ns - clock_monotonic(clock_system());
		if (left <= 0) {
			return false;
		}
		int n = poll(waits, 2, (int)(left / NS_PER_MS) + 1);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		if (n > 0 && waits[1].revents && !read_some(pipe_fd, out)) {
			waits[1].fd = -1;
		}
		if (n > 0 && waits[0].revents) {
			break;
		}
	}
	for (int i = 0; i < LAST_READS && waits[1].fd >= 0; i++) {
		if (!read_some(pipe_fd, out)) { // does not block
			break;
		}
	}
	return true;
}

static int reap(pid_t pid) {
	int how = 0;
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
	}
	return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

static void close_all(int *fds, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= 0) {
			close(fds[i]);
		}
	}
}

bool program_run(const struct program *program, bool wants_errors, struct buf *out, int *out_status,
	struct err *err) {
	int64_t deadline_ns = clock_monotonic(clock_system()) + program->limit_ns;
	enum {
		NOTHING,
		READ,
		WRITE,
		PIDFD
	};
	int fds[4] = {open("/dev/null", O_RDWR | O_CLOEXEC), -1, -1, -1};
	int ends[2];
	if (program->log_path) {
		fds[WRITE] = open_log(program->log_path);
	} else if (pipe2(ends, O_CLOEXEC) == 0) {
		fds[READ] = ends[0];
		fds[WRITE] = ends[1];
		(void)fcntl(ends[0], F_SETFL, O_NONBLOCK); // cannot fail on a pipe
	}
	if (fds[NOTHING] < 0 || fds[WRITE] < 0) {
		err_errno(err, "cannot run %s", program->argv[0]);
		close_all(fds, 4);
		return false;
	}
	bool is_both = wants_errors || program->log_path;
	pid_t pid = fork();
	if (pid == 0) {
		become(program, fds[NOTHING], fds[WRITE], is_both ? fds[WRITE] : fds[NOTHING]);
	}
	fds[PIDFD] = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	close_all(&fds[WRITE], 1);
	fds[WRITE] = -1;
	if (pid < 0 || fds[PIDFD] < 0) {
		err_errno(err, "cannot run %s", program->argv[0]);
	}
	bool has_ended = fds[PIDFD] >= 0 && wait_end(fds[PIDFD], fds[READ], deadline_ns, out);
	if (pid > 0 && !has_ended) {
		(void)kill(-pid, SIGKILL);
		(void)kill(pid, SIGKILL); // when it had no group of its own yet
	}
	int status = pid > 0 ? reap(pid) : 127;
	if (fds[PIDFD] >= 0 && !has_ended) {
		err_set(err, ERR_SLOW, "%s did not end within %lld s and was killed",
			program->argv[0], (long long)(program->limit_ns / NS_PER_SECOND));
	}
	close_all(fds, 4);
	*out_status = status;
	return has_ended;
}

static struct str last_line(struct str text) {
	struct str line = {0}, rest = str_trim(text);
	while (str_split(&rest, '\n', &line)) {
	}
	return str_trim(line);
}

bool program_ask(const struct program *program, struct buf *out, struct err *err) {
	int status = 0;
	size_t before = out->len;
	if (!program_run(program, true, out, &status, err)) {
		return false;
	}
	if (status == 0 && out->len - before >= PROGRAM_OUTPUT_MAX) {
		return err_set(err, ERR_LIMIT, "%s says more than %zu bytes", program->argv[0],
			PROGRAM_OUTPUT_MAX);
	}
	if (status != 0) {
		struct str said = last_line(str_skip(buf_str(out), before));
		const char *name = program->argv[0];
		return status == 127 && !said.len
			? err_set(err, ERR_NOT_FOUND, "%s could not be run", name)
			: err_set(err, ERR_IO, "%s ended with %d: %.*s", name, status,
				  (int)(said.len < 300 ? said.len : 300), said.at ? said.at : "");
	}
	return true;
}
