// SPDX-License-Identifier: Apache-2.0
// One child for each look, its report through a pipe: lines of JSON, the last whole one counts. See
// look.h. The children are of a process group each, so that what they run goes with them.
#include "doctor/look.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LOOK(name) extern const struct look look_##name;
#include "doctor/looks.def"
#undef LOOK

const struct look *const look_table[] = {
#define LOOK(name) &look_##name,
#include "doctor/looks.def"
#undef LOOK
};
const size_t look_count = sizeof(look_table) / sizeof(*look_table);

#define REPORT_MAX (1024 * 1024)
#define RUN_OUTPUT_MAX (64 * 1024)
#define READ_STEP 4096

extern char **environ;

struct eye {
	const struct look *look;
	pid_t pid; // 0: ended, or never was
	int fd;	   // -1: closed
	struct buf text;
};

struct looking {
	struct arena *arena;
	struct places places;
	struct eye *eyes; // look_count
};

static void send_all(int fd, struct str text) {
	while (text.len > 0) {
		ssize_t n = write(fd, text.at, text.len);
		if (n > 0) {
			text = str_skip(text, (size_t)n);
		} else if (errno != EINTR) {
			return; // nobody reads any more
		}
	}
}

static void begin(struct look_report *out) {
	buf_clear(&out->text);
	json_writer_init(&out->w, &out->text);
	json_begin_object(&out->w);
}

void look_report_so_far(struct look_report *out) {
	json_end_object(&out->w);
	buf_append_char(&out->text, '\n');
	send_all(out->fd, buf_str(&out->text));
	begin(out);
}

void look_report_missing(struct look_report *out, const char *format, ...) {
	va_list args;
	va_start(args, format);
	(void)vsnprintf(out->why, sizeof(out->why), format, args);
	va_end(args);
	out->missing = out->why;
}

_noreturn_ static void be_look(const struct look *look, const struct places *places, int fd) {
	struct look_report out = {.text = BUF_INIT, .fd = fd};
	(void)setpgid(0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_DFL);
	begin(&out);
	look->gather(places, &out);
	if (out.missing) {
		begin(&out);
		json_member_text(&out.w, "!missing", out.missing);
	}
	look_report_so_far(&out);
	_exit(0);
}

static void start(struct looking *looking, size_t i) {
	struct eye *eye = &looking->eyes[i];
	int ends[2];
	*eye = (struct eye){.look = look_table[i], .fd = -1, .text = BUF_INIT};
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return; // told as missing
	}
	eye->pid = fork();
	if (eye->pid == 0) {
		close(ends[0]);
		be_look(look_table[i], &looking->places, ends[1]);
	}
	close(ends[1]);
	if (eye->pid < 0) {
		eye->pid = 0;
		close(ends[0]);
		return;
	}
	(void)setpgid(eye->pid, eye->pid); // whoever of the two is first
	eye->fd = ends[0];
}

struct looking *looking_start(struct arena *arena, const struct places *places) {
	struct looking *looking = ARENA_NEW(arena, struct looking);
	looking->arena = arena;
	looking->places = *places;
	looking->eyes = arena_array(arena, look_count, sizeof(*looking->eyes));
	for (size_t i = 0; i < look_count; i++) {
		start(looking, i);
	}
	return looking;
}

// Reads what is there; closes at the end of file or past the bound.
static void take_bytes(struct eye *eye) {
	ssize_t n = read(eye->fd, buf_reserve(&eye->text, READ_STEP), READ_STEP);
	if (n > 0) {
		eye->text.len += (size_t)n;
	}
	if (n == 0 || (n < 0 && errno != EINTR) || eye->text.len > REPORT_MAX) {
		close(eye->fd);
		eye->fd = -1;
	}
}

// A round of waiting; false when all are through or the time is up.
static bool wait_some(struct looking *looking, int64_t left_ns) {
	struct pollfd *fds = arena_array(looking->arena, look_count, sizeof(*fds));
	size_t open = 0;
	for (size_t i = 0; i < look_count; i++) {
		fds[i] = (struct pollfd){.fd = looking->eyes[i].fd, .events = POLLIN};
		open += fds[i].fd >= 0;
	}
	if (open == 0 || left_ns <= 0) {
		return false;
	}
	if (poll(fds, look_count, (int)(left_ns / NS_PER_MS) + 1) < 0 && errno != EINTR) {
		return false;
	}
	for (size_t i = 0; i < look_count; i++) {
		if (fds[i].fd >= 0 && fds[i].revents) {
			take_bytes(&looking->eyes[i]);
		}
	}
	return true;
}

// The last whole line.
static struct str last_line(const struct eye *eye) {
	struct str rest = buf_str(&eye->text), line, last = STR("");
	while (str_split(&rest, '\n', &line)) {
		if (rest.at) { // what follows the last newline is not whole
			last = line;
		}
	}
	return last;
}

static void add_fact(struct looking *looking, struct eye *eye, struct patient *patient) {
	bool timed_out = eye->fd >= 0;
	struct str line = arena_copy_str(looking->arena, last_line(eye));
	const struct value *value = line.len ? json_parse(looking->arena, line, JSON_DEPTH, NULL)
					     : NULL;
	struct str missing = value_text(value, "!missing");
	if (missing.len > 0) {
		patient_add_missing(
			patient, eye->look->name, arena_copy(looking->arena, missing), false);
	} else if (value) {
		patient_add(patient, eye->look->name, value);
	} else {
		patient_add_missing(patient, eye->look->name,
			timed_out
				? arena_printf(looking->arena,
					  "looking at it (%s) did not end in time", eye->look->name)
				: "the process that should look could not be started or died",
			timed_out);
	}
}

static void end(struct eye *eye) {
	bool is_through = eye->fd < 0;
	if (!is_through) {
		close(eye->fd);
	}
	if (eye->pid > 0) {
		// One that is through has ended, or was too long. One in state D cannot be reaped
		// now; init does it when the disk or mount answers.
		(void)kill(-eye->pid, SIGKILL);
		(void)waitpid(eye->pid, NULL, is_through ? 0 : WNOHANG);
	}
	buf_finish(&eye->text);
}

void looking_finish(struct looking *looking, struct clock *clock, int64_t deadline_ns,
	struct patient *patient) {
	while (wait_some(looking, deadline_ns - clock_monotonic(clock))) {
	}
	for (size_t i = 0; i < look_count; i++) {
		add_fact(looking, &looking->eyes[i], patient);
		end(&looking->eyes[i]);
	}
}

// --- inside a look ---

static bool read_output(int fd, int64_t deadline_ns, struct buf *out) {
	for (;;) {
		int64_t left = deadline_ns - clock_monotonic(clock_system());
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t n;
		if (left <= 0 || poll(&wait, 1, (int)(left / NS_PER_MS) + 1) <= 0) {
			return false;
		}
		n = read(fd, buf_reserve(out, READ_STEP), READ_STEP);
		if (n == 0) {
			return true;
		}
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0 || out->len + (size_t)n > RUN_OUTPUT_MAX) {
			return false;
		}
		out->len += (size_t)n;
	}
}

bool look_run_program(const char *const *argv, int64_t within_ns, struct buf *out, int *out_status,
	struct err *err) {
	int64_t deadline_ns = clock_monotonic(clock_system()) + within_ns;
	posix_spawn_file_actions_t actions;
	int ends[2], error;
	pid_t pid = 0;
	bool ok;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return err_errno(err, "cannot run %s", argv[0]);
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	error = posix_spawnp(
		&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (error) {
		close(ends[0]);
		errno = error;
		return err_errno(err, "cannot run %s", argv[0]);
	}
	ok = read_output(ends[0], deadline_ns, out);
	buf_reserve(out, 1)[0] = '\0'; // what was read into it was not appended
	close(ends[0]);
	if (!ok) {
		(void)kill(pid, SIGKILL);
	}
	while (waitpid(pid, out_status, 0) < 0 && errno == EINTR) {
	}
	return ok || err_set(err, ERR_TIMEOUT, "%s did not end in time", argv[0]);
}

static bool read_with(const char *path, int flags, size_t limit, struct buf *out) {
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	ssize_t n = -1;
	int error = errno;
	while (fd >= 0) {
		n = read(fd, buf_reserve(out, READ_STEP), READ_STEP);
		error = errno;
		if (n <= 0 || out->len + (size_t)n > limit) {
			break;
		}
		out->len += (size_t)n;
	}
	if (fd >= 0) {
		close(fd);
	}
	buf_reserve(out, 1)[0] = '\0'; // what was read into it was not appended
	errno = error;
	return n == 0;
}

bool look_read_file(const char *path, size_t limit, struct buf *out) {
	return read_with(path, 0, limit, out);
}

bool look_read_own_file(const char *path, size_t limit, struct buf *out) {
	return read_with(path, O_NOFOLLOW, limit, out);
}

const char *look_user_name(uint32_t uid, char out[64]) {
	struct passwd *user = getpwuid(uid);
	if (user) {
		(void)snprintf(out, 64, "%s", user->pw_name);
	} else {
		(void)snprintf(out, 64, "uid %u", uid);
	}
	return out;
}

void look_write_stat(struct json_writer *w, const struct stat *status) {
	static const struct {
		mode_t type;
		const char *name;
	} types[] = {{S_IFSOCK, "socket"}, {S_IFREG, "file"}, {S_IFDIR, "folder"},
		{S_IFLNK, "link"}, {S_IFIFO, "pipe"}};
	const char *type = "device";
	char owner[64];
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if ((status->st_mode & S_IFMT) == types[i].type) {
			type = types[i].name;
		}
	}
	json_member_text(w, "type", type);
	json_member_int(w, "mode", status->st_mode & 07777);
	json_member_uint(w, "uid", status->st_uid);
	json_member_uint(w, "gid", status->st_gid);
	json_member_text(w, "owner", look_user_name(status->st_uid, owner));
	json_member_int(w, "size", status->st_size);
	json_member_int(w, "inode", (int64_t)status->st_ino);
	json_member_int(w, "device", (int64_t)status->st_dev);
}
