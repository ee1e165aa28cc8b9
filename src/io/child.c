// SPDX-License-Identifier: Apache-2.0
// Starts and watches real processes. The new process is cloned with CLONE_VM | CLONE_VFORK, as
// posix_spawn does: nothing of Anna's memory is copied, and an exec that fails is known before
// spawn returns. Invariant: a process is reaped only after its owner was told that it ended, so
// its id (which is also its group's) cannot be reused while the owner may still signal it.
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/list.h"
#include "io/loop.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define CHILD_STACK (64 * 1024)
#define READ_CHUNK (64 * 1024) // a pipe's usual capacity
#define FINAL_READS 17	       // 1 MiB, the largest pipe, and one more
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define LAST_WAIT_MS 1000 // for killed processes when the runner goes

// What the new process is doing when it fails.
enum step {
	STEP_CGROUP,
	STEP_GROUP,
	STEP_STDIO,
	STEP_IDENTITY,
	STEP_DIRECTORY,
	STEP_EXEC
};

struct child {
	struct list node; // in its runner's children
	struct runner *runner;
	pid_t pid;
	int pidfd;
	int pipe_fd; // -1: closed, or no output wanted
	char *cgroup;
	struct watch exit_watch;
	struct watch pipe_watch;
	void (*on_output)(void *arg, struct str bytes);
	void (*on_exit)(void *arg, const struct child_result *result);
	void *arg;
	bool is_released;
	bool has_ended; // seen to have exited; still a zombie until reaped
	bool is_reaped;
};

struct runner {
	struct child_runner runner;
	struct loop *loop;
	struct list children;
	int null_fd;
	char *stack; // of the new process while it shares our memory; one spawn at a time
	char *chunk; // for reading output
};

// What the new process needs, prepared before it exists, and how it failed.
struct birth {
	const char *path;
	const char *const *argv;
	const char *const *environment;
	const char *directory;
	const char *cgroup_procs;
	const struct child_identity *identity;
	int null_fd;
	int out_fd;
	enum step failed_step;
	int failed_errno; // 0: it runs
};

// --- in the new process: shares our memory until exec, so only system calls, no libc state ---

static bool write_cgroup(const char *path) {
	long fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		return false;
	}
	bool ok = syscall(SYS_write, fd, "0", 1) == 1;
	int saved = errno;
	(void)syscall(SYS_close, fd);
	errno = saved;
	return ok;
}

// Everything to its default, ignored ones too, and nothing blocked. The kernel's own call: libc's
// (and the sanitizers') keep tables that the new process would change for us as well.
static void reset_signals(void) {
	static const uint64_t zero[8]; // a kernel sigaction: SIG_DFL, no flags, empty mask
	for (int signal = 1; signal < 65; signal++) {
		(void)syscall(SYS_rt_sigaction, signal, zero, NULL, 8);
	}
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, zero, NULL, 8);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) static int birth_run(void *arg) {
	struct birth *birth = arg;
	if (birth->cgroup_procs) {
		birth->failed_step = STEP_CGROUP;
		if (!write_cgroup(birth->cgroup_procs)) {
			goto failed;
		}
	}
	birth->failed_step = STEP_GROUP;
	if (syscall(SYS_setpgid, 0, 0) != 0) {
		goto failed;
	}
	birth->failed_step = STEP_STDIO;
	if (syscall(SYS_dup3, birth->null_fd, 0, 0) < 0 ||
		syscall(SYS_dup3, birth->out_fd, 1, 0) < 0 ||
		syscall(SYS_dup3, birth->out_fd, 2, 0) < 0) {
		goto failed;
	}
#ifdef SYS_close_range
	(void)syscall(SYS_close_range, 3U, ~0U, 0U); // a kernel without it: ours are close-on-exec
#endif
	// The kernel's own calls: libc's would change the identity of all our threads as well.
	const struct child_identity *identity = birth->identity;
	birth->failed_step = STEP_IDENTITY;
	if (identity &&
		(syscall(SYS_setgroups, identity->group_count, identity->groups) != 0 ||
			syscall(SYS_setresgid, identity->gid, identity->gid, identity->gid) != 0 ||
			syscall(SYS_setresuid, identity->uid, identity->uid, identity->uid) != 0)) {
		goto failed;
	}
	birth->failed_step = STEP_DIRECTORY;
	if (syscall(SYS_chdir, birth->directory) != 0) {
		goto failed;
	}
	reset_signals();
	birth->failed_step = STEP_EXEC;
	(void)syscall(SYS_execve, birth->path, birth->argv, birth->environment);
failed:
	birth->failed_errno = errno;
	(void)syscall(SYS_exit_group, 127);
	__builtin_unreachable();
}

// --- before: what could go wrong later is found out here ---

static const char *environment_path(const char *const *environment) {
	for (size_t i = 0; environment && environment[i]; i++) {
		if (strncmp(environment[i], "PATH=", 5) == 0) {
			return environment[i] + 5;
		}
	}
	return DEFAULT_PATH;
}

static bool is_program(const char *path) {
	struct stat stat_now;
	return access(path, X_OK) == 0 && stat(path, &stat_now) == 0 && S_ISREG(stat_now.st_mode);
}

// Where `name` is on the PATH the program will see. Only absolute folders count: an empty or
// relative one would run whatever lies in the working directory.
static char *find_program(const char *name, const char *const *environment, struct err *err) {
	struct str rest = str_from(environment_path(environment));
	struct str folder;
	while (rest.at && str_split(&rest, ':', &folder)) {
		if (str_is_empty(folder) || folder.at[0] != '/') {
			continue;
		}
		char *path = xasprintf("%" STR_FMT "/%s", STR_ARG(folder), name);
		if (is_program(path)) {
			return path;
		}
		free(path);
	}
	err_set(err, ERR_NOT_FOUND,
		"cannot run %s: there is no such program in %s; give its whole path", name,
		environment_path(environment));
	return NULL;
}

// A descriptor above the standard three, so that dup3 in the new process cannot overwrite it.
static int fd_above_standard(int fd) {
	if (fd < 0 || fd > 2) {
		return fd;
	}
	int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int saved = errno;
	(void)close(fd);
	errno = saved;
	return higher;
}

// Only our end does not block: the program's output must behave as a program expects.
static bool open_pipe(int *out_read, int *out_write, struct err *err) {
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0) {
		return err_errno(err, "cannot make a pipe for a program's output");
	}
	fds[0] = fd_above_standard(fds[0]);
	fds[1] = fd_above_standard(fds[1]);
	if (fds[0] < 0 || fds[1] < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0) {
		err_errno(err, "cannot make a pipe for a program's output");
		if (fds[0] >= 0) {
			(void)close(fds[0]);
		}
		if (fds[1] >= 0) {
			(void)close(fds[1]);
		}
		return false;
	}
	*out_read = fds[0];
	*out_write = fds[1];
	return true;
}

static void explain_failure(
	const struct birth *birth, const struct child_spec *spec, struct err *err) {
	errno = birth->failed_errno;
	switch (birth->failed_step) {
	case STEP_CGROUP:
		err_errno(err, "cannot run %s: joining the cgroup %s failed", birth->path,
			spec->cgroup);
		return;
	case STEP_DIRECTORY:
		err_errno(err, "cannot run %s in the folder %s", birth->path, birth->directory);
		return;
	case STEP_IDENTITY:
		err_errno(err, "cannot run %s as user %u", birth->path,
			(unsigned)birth->identity->uid);
		return;
	case STEP_GROUP:
	case STEP_STDIO:
		err_errno(err, "cannot run %s: preparing its process failed", birth->path);
		return;
	case STEP_EXEC:
		if (birth->failed_errno == ENOEXEC) {
			err_set(err, ERR_INVALID,
				"cannot run %s: it is neither a program for this machine nor a "
				"script that"
				" begins with #!",
				birth->path);
			return;
		}
		err_errno(err, "cannot run %s", birth->path);
		return;
	}
}

// --- while it runs ---

static void child_free(struct child *child) {
	list_remove(&child->node);
	watch_stop(&child->exit_watch);
	watch_stop(&child->pipe_watch);
	if (child->pipe_fd >= 0) {
		(void)close(child->pipe_fd);
	}
	(void)close(child->pidfd);
	free(child->cgroup);
	free(child);
}

static void close_pipe(struct child *child) {
	watch_stop(&child->pipe_watch);
	if (child->pipe_fd >= 0) {
		(void)close(child->pipe_fd);
		child->pipe_fd = -1;
	}
}

// False when there is nothing more to read now or ever (then the pipe is closed).
static bool read_output(struct child *child) {
	struct runner *runner = child->runner;
	ssize_t n;
	do {
		n = read(child->pipe_fd, runner->chunk, READ_CHUNK);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		child->on_output(child->arg, str_range(runner->chunk, (size_t)n));
		return true;
	}
	if (n == 0 || errno != EAGAIN) {
		close_pipe(child);
	}
	return false;
}

static void on_pipe_ready(void *arg, uint32_t events) {
	(void)events;
	(void)read_output(arg);
}

// False while it runs. With WNOWAIT the process stays a zombie, which keeps its id taken.
static bool ask_exit(struct child *child, int flags, struct child_result *out) {
	siginfo_t how = {0};
	struct rusage usage = {0};
	long result;
	do {
		result = syscall(SYS_waitid, P_PIDFD, child->pidfd, &how, WEXITED | flags, &usage);
	} while (result < 0 && errno == EINTR);
	if (result == 0 && how.si_pid == 0) {
		return false;
	}
	*out = (struct child_result){0};
	if (result != 0) {
		out->exit_status = 255; // somebody else reaped it: how it ended is not known
		return true;
	}
	out->was_signalled = how.si_code == CLD_KILLED || how.si_code == CLD_DUMPED;
	out->exit_status = out->was_signalled ? 0 : how.si_status;
	out->signal = out->was_signalled ? how.si_status : 0;
	out->user_ns = usage.ru_utime.tv_sec * NS_PER_SECOND + usage.ru_utime.tv_usec * NS_PER_US;
	out->system_ns = usage.ru_stime.tv_sec * NS_PER_SECOND + usage.ru_stime.tv_usec * NS_PER_US;
	out->max_rss_bytes = usage.ru_maxrss * 1024;
	return true;
}

static void on_exit_ready(void *arg, uint32_t events) {
	struct child *child = arg;
	struct child_result result, reaped;
	(void)events;
	if (!ask_exit(child, WNOHANG | WNOWAIT, &result)) {
		return;
	}
	watch_stop(&child->exit_watch);
	child->has_ended = true;
	// Bounded: a descendant that goes on writing must not keep us here.
	for (int i = 0; i < FINAL_READS && child->pipe_fd >= 0 && !child->is_released; i++) {
		if (!read_output(child)) {
			break;
		}
	}
	close_pipe(child);
	if (!child->is_released && child->on_exit) {
		child->on_exit(child->arg, &result);
	}
	(void)ask_exit(child, WNOHANG, &reaped);
	child->is_reaped = true;
	if (child->is_released) {
		child_free(child);
	}
}

static pid_t child_pid(const struct child *child) {
	return child->pid;
}

// Everything in the sub-cgroup; cgroup.kill is there since Linux 5.14.
static void kill_cgroup(const char *folder) {
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/cgroup.kill", folder);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t n = write(fd, "1", 1);
		(void)close(fd);
		if (n == 1) {
			return;
		}
	}
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return;
	}
	char text[8192];
	ssize_t n = read(fd, text, sizeof(text));
	(void)close(fd);
	struct str rest = str_range(text, n > 0 ? (size_t)n : 0);
	struct str word;
	int64_t pid;
	while (str_word(&rest, &word)) {
		if (str_to_int64(word, &pid) && pid > 1) {
			(void)kill((pid_t)pid, SIGKILL);
		}
	}
}

static void child_kill(struct child *child, int signal) {
	if (child->is_reaped) {
		return; // the id may be another process's by now
	}
	(void)kill(-child->pid, signal);
	if (signal == SIGKILL && child->cgroup) {
		kill_cgroup(child->cgroup);
	}
}

static void child_release(struct child *child) {
	assert(!child->is_released);
	child->is_released = true;
	close_pipe(child);
	if (child->is_reaped) {
		child_free(child);
	} else if (!child->has_ended) {
		child_kill(child, SIGKILL); // on_exit_ready reaps it
	}
}

static struct child *child_create(
	struct runner *runner, const struct child_spec *spec, pid_t pid, int pidfd, int pipe_fd) {
	struct child *child = xcalloc(1, sizeof(*child));
	child->runner = runner;
	child->pid = pid;
	child->pidfd = pidfd;
	child->pipe_fd = pipe_fd;
	child->cgroup = spec->cgroup ? xstrdup(spec->cgroup) : NULL;
	child->exit_watch.fd = child->pipe_watch.fd = -1;
	child->on_output = spec->on_output;
	child->on_exit = spec->on_exit;
	child->arg = spec->arg;
	list_add_last(&runner->children, &child->node);
	return child;
}

// Clones and waits until the new process has called exec or failed. *out_pidfd is set when > 0.
static pid_t give_birth(struct runner *runner, struct birth *birth, int *out_pidfd) {
	sigset_t all, before;
	(void)sigfillset(&all);
	// A handler must not run in the new process while it shares our memory.
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = clone(birth_run, runner->stack + CHILD_STACK,
		CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, birth, out_pidfd);
	int saved = errno;
	// On one processor it would begin when everything its start made us do is through, the journal's
	// write among it.
	(void)sched_yield();
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return pid;
}

static struct child *runner_start(struct runner *runner, const struct child_spec *spec,
	struct birth *birth, int pipe_fd, struct err *err) {
	int pidfd = -1;
	pid_t pid = give_birth(runner, birth, &pidfd);
	if (pid < 0) {
		err_errno(err, "cannot start a process for %s", birth->path);
		return NULL;
	}
	if (birth->failed_errno != 0) {
		siginfo_t how;
		explain_failure(birth, spec, err);
		while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &how, WEXITED) != 0 &&
			errno == EINTR) {
		}
		(void)close(pidfd);
		return NULL;
	}
	struct child *child = child_create(runner, spec, pid, pidfd, pipe_fd);
	if (watch_start(&child->exit_watch, runner->loop, pidfd, LOOP_READABLE, on_exit_ready,
		    child, err) &&
		(pipe_fd < 0 ||
			watch_start(&child->pipe_watch, runner->loop, pipe_fd, LOOP_READABLE,
				on_pipe_ready, child, err))) {
		return child;
	}
	struct child_result result;
	child_kill(child, SIGKILL);
	(void)ask_exit(child, 0, &result);
	child->pipe_fd = -1; // the caller closes it
	child_free(child);
	return NULL;
}

static struct child *runner_spawn(
	struct child_runner *base, const struct child_spec *spec, struct err *err) {
	static const char *const no_environment[] = {NULL};
	struct runner *runner = list_item(base, struct runner, runner);
	_cleanup_(freep) char *found = NULL;
	_cleanup_(freep) char *cgroup_procs = spec->cgroup
		? xasprintf("%s/cgroup.procs", spec->cgroup)
		: NULL;
	int read_fd = -1, write_fd = -1;
	if (!spec->argv || !spec->argv[0] || !spec->argv[0][0]) {
		err_set(err, ERR_INVALID, "cannot run a program without a name");
		return NULL;
	}
	if (!strchr(spec->argv[0], '/')) {
		found = find_program(spec->argv[0], spec->environment, err);
		if (!found) {
			return NULL;
		}
	}
	if (spec->on_output && !open_pipe(&read_fd, &write_fd, err)) {
		return NULL;
	}
	struct birth birth = {
		.path = found ? found : spec->argv[0],
		.argv = spec->argv,
		.environment = spec->environment ? spec->environment : no_environment,
		.directory = spec->directory ? spec->directory : "/",
		.cgroup_procs = cgroup_procs,
		.identity = spec->identity,
		.null_fd = runner->null_fd,
		.out_fd = write_fd >= 0 ? write_fd : runner->null_fd,
	};
	struct child *child = runner_start(runner, spec, &birth, read_fd, err);
	if (write_fd >= 0) {
		(void)close(write_fd);
	}
	if (!child && read_fd >= 0) {
		(void)close(read_fd);
	}
	return child;
}

struct child_runner *child_runner_create(struct loop *loop) {
	struct runner *runner = xcalloc(1, sizeof(*runner));
	runner->runner = (struct child_runner){runner_spawn, child_pid, child_kill, child_release};
	runner->loop = loop;
	list_init(&runner->children);
	runner->null_fd = fd_above_standard(open("/dev/null", O_RDWR | O_CLOEXEC));
	// The lowest page is out of bounds: running over the end stops instead of corrupting.
	runner->stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (runner->null_fd < 0 || runner->stack == MAP_FAILED ||
		mprotect(runner->stack, 4096, PROT_NONE) != 0) {
		abort(); // out of memory or descriptors at start
	}
	runner->chunk = xmalloc(READ_CHUNK);
	return &runner->runner;
}

// A killed process that does not end in time (it hangs in the kernel) is left to init.
static void end_child(struct child *child) {
	struct child_result result;
	if (!child->is_reaped) {
		child_kill(child, SIGKILL);
		struct pollfd ready = {.fd = child->pidfd, .events = POLLIN};
		(void)poll(&ready, 1, LAST_WAIT_MS);
		(void)ask_exit(child, WNOHANG, &result);
	}
	child_free(child);
}

void child_runner_destroy(struct child_runner *base) {
	if (!base) {
		return;
	}
	struct runner *runner = list_item(base, struct runner, runner);
	list_for_each (node, &runner->children) {
		end_child(list_item(node, struct child, node));
	}
	(void)close(runner->null_fd);
	(void)munmap(runner->stack, CHILD_STACK);
	free(runner->chunk);
	free(runner);
}
