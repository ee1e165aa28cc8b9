// SPDX-License-Identifier: Apache-2.0
// The diagnosis of a daemon that does not answer; see diagnose.h. Nothing here takes a lock or
// opens a connection: a daemon that is just starting must not notice.
#include "ctl/diagnose.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>

#include "ctl/connection.h"
#include "ctl/event_line.h"
#include "ctl/output.h"
#include "flow/event.h"
#include "io/fs.h"
#include "store/reader.h"

// How far back the last daemon.* event is looked for.
#define RECORDS_MAX 2000

enum socket_state {
	SOCKET_ABSENT,
	SOCKET_THERE,
	SOCKET_OTHER,
	SOCKET_UNREADABLE
};
enum lock_state {
	LOCK_ABSENT,
	LOCK_UNREADABLE,
	LOCK_RELEASED,
	LOCK_PID
};

struct process {
	int pid; // 0: none
	bool is_alive;
	bool is_annad;
	char state; // as in /proc/PID/stat
	char name[32];
};

struct last_record {
	uint64_t id;
	int64_t time_ns;
	const char *kind;
	const char *detail;
};

struct diagnosis {
	struct arena *arena;
	const char *socket;
	enum socket_state socket_state;
	uid_t socket_owner;
	const char *socket_owner_name;
	bool is_foreign;
	const char *state_folder;
	enum lock_state lock_state;
	struct process owner;			       // by the lock or the socket's peer
	const char *journal_error;		       // NULL: it was read
	struct last_record records[DIAGNOSIS_RECORDS]; // newest first
	size_t record_count;
	struct last_record daemon_record; // id 0: none found
	int64_t now_ns;
};

static void look_at_socket(struct diagnosis *d) {
	struct stat status;
	struct passwd *owner;
	if (lstat(d->socket, &status) < 0) {
		d->socket_state = errno == ENOENT || errno == ENOTDIR ? SOCKET_ABSENT
								      : SOCKET_UNREADABLE;
		return;
	}
	d->socket_state = S_ISSOCK(status.st_mode) ? SOCKET_THERE : SOCKET_OTHER;
	d->socket_owner = status.st_uid;
	owner = getpwuid(status.st_uid);
	d->socket_owner_name = owner ? arena_copy(d->arena, str_from(owner->pw_name))
				     : arena_printf(d->arena, "uid %u", (unsigned)status.st_uid);
	d->is_foreign = status.st_uid != 0 && status.st_uid != geteuid() &&
		!(owner && strcmp(owner->pw_name, "anna") == 0);
}

// A short file of /proc or the lock; false when it cannot be read.
static bool read_short(const char *path, char *out, size_t size) {
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;
	int error = errno;
	if (fd >= 0) {
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
	errno = error;
	return n >= 0;
}

static void look_at_process(struct diagnosis *d, int pid) {
	char text[512];
	char *path = arena_printf(d->arena, "/proc/%d/stat", pid);
	struct process *process = &d->owner;
	const char *name, *end;
	process->pid = pid;
	process->is_alive = kill(pid, 0) == 0 || errno == EPERM;
	if (!process->is_alive || !read_short(path, text, sizeof(text))) {
		return;
	}
	// "pid (comm) S …"; comm may hold anything, also ")".
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (name && end && end > name && end[1] == ' ') {
		snprintf(process->name, sizeof(process->name), "%.*s", (int)(end - name - 1),
			name + 1);
		process->state = end[2];
		process->is_annad = strcmp(process->name, "annad") == 0;
		process->is_alive = process->state != 'Z' && process->state != 'X';
	}
}

static void look_at_lock(struct diagnosis *d) {
	char text[64];
	int64_t pid;
	char *path = arena_printf(d->arena, "%s/lock", d->state_folder);
	if (!read_short(path, text, sizeof(text))) {
		d->lock_state = errno == ENOENT || errno == ENOTDIR ? LOCK_ABSENT : LOCK_UNREADABLE;
		return;
	}
	if (!str_to_int64(str_trim(str_from(text)), &pid) || pid <= 0 || pid > INT32_MAX) {
		d->lock_state = LOCK_RELEASED;
		return;
	}
	d->lock_state = LOCK_PID;
	look_at_process(d, (int)pid);
}

// As `annactl events` would tell it, already safe to show.
static const char *describe_event(struct arena *arena, const struct event *event) {
	struct member members[] = {
		{.key = STR("subject"), .value = value_of_string(event->subject)},
		{.key = STR("attributes"), .value = event->attributes}};
	struct value table = {.type = VALUE_TABLE, .table = {members, 2}};
	struct buf text = BUF_INIT;
	const char *detail;
	event_format_detail(&text, &table, NULL);
	detail = arena_copy(arena, buf_str(&text));
	buf_finish(&text);
	return detail;
}

static void keep_record(struct diagnosis *d, const struct record *record) {
	struct err ignored = ERR_INIT;
	struct event *event;
	struct last_record *kept = &d->records[d->record_count];
	struct last_record one = {.id = record->sequence, .time_ns = record->time_ns};
	if (record->type == RECORD_DAMAGE) {
		one.kind = "(damaged records)";
	} else if (record->type == RECORD_EVENT) {
		event = event_decode(record, &ignored);
		one.kind = event ? arena_copy(d->arena, event->kind) : "(not an event)";
		one.detail = event ? describe_event(d->arena, event) : "";
		event_unref(event);
	}
	if (!one.kind) {
		return; // state records are not for people
	}
	if (d->record_count < DIAGNOSIS_RECORDS) {
		*kept = one;
		d->record_count++;
	}
	if (d->daemon_record.id == 0 && strncmp(one.kind, "daemon.", 7) == 0) {
		d->daemon_record = one;
	}
}

static void look_at_journal(struct diagnosis *d) {
	struct reader_query query = {.backward = true};
	struct err err = ERR_INIT;
	char *folder = arena_printf(d->arena, "%s/journal", d->state_folder);
	struct reader *reader = NULL;
	struct record record;
	int got = 0;

	if (access(folder, R_OK | X_OK) < 0) {
		d->journal_error = arena_printf(d->arena, "%s: %s", folder, strerror(errno));
		return;
	}
	reader = reader_open(fs_system(), folder, &query, &err);
	for (int i = 0; reader && i < RECORDS_MAX; i++) {
		got = reader_next(reader, &record, &err);
		if (got <= 0) {
			break;
		}
		keep_record(d, &record);
		if (d->record_count == DIAGNOSIS_RECORDS && d->daemon_record.id) {
			break;
		}
	}
	if (!reader || got < 0) {
		d->journal_error = arena_copy(d->arena, str_from(err.message));
	}
	reader_close(reader);
}

// The state folder of the daemon that would listen on this socket.
const char *diagnosis_find_state(struct arena *arena, const char *socket, struct str asked) {
	const char *named = getenv("ANNA_STATE_DIR");
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	if (asked.len > 0) {
		return arena_copy(arena, asked);
	}
	if (named && named[0]) {
		return arena_copy(arena, str_from(named));
	}
	// A daemon started by hand often has both in one folder.
	const char *slash = strrchr(socket, '/');
	struct fs_stat beside;
	if (slash && slash > socket) {
		struct str folder = str_range(socket, (size_t)(slash - socket));
		const char *lock = arena_printf(arena, "%" STR_FMT "/lock", STR_ARG(folder));
		if (fs_system()->stat(fs_system(), lock, &beside) >= 0) {
			return arena_copy(arena, folder);
		}
	}
	if (strcmp(socket, SYSTEM_SOCKET) == 0 || geteuid() == 0) {
		return "/var/lib/anna";
	}
	if (state && state[0] == '/') {
		return arena_printf(arena, "%s/anna", state);
	}
	return home && home[0] == '/' ? arena_printf(arena, "%s/.local/state/anna", home)
				      : "/var/lib/anna";
}

struct diagnosis *diagnose(struct arena *arena, const char *socket, struct str state_folder,
	int peer_pid, struct clock *clock) {
	struct diagnosis *d = ARENA_NEW(arena, struct diagnosis);
	d->arena = arena;
	d->socket = socket;
	d->state_folder = diagnosis_find_state(arena, socket, state_folder);
	d->now_ns = clock_wall(clock);
	look_at_socket(d);
	look_at_lock(d);
	if (peer_pid > 0) { // who really answers the socket is better known than the lock's word
		d->owner = (struct process){0};
		look_at_process(d, peer_pid);
	}
	look_at_journal(d);
	return d;
}

static bool is_frozen(const struct process *process) {
	return process->is_alive && strchr("TtD", process->state) && process->state;
}

static const char *start_hint(const struct diagnosis *d) {
	return strcmp(d->socket, SYSTEM_SOCKET) == 0 ? "systemctl start annad"
						     : "start annad in a terminal";
}

void diagnosis_advise(const struct diagnosis *d, struct failure *failure) {
	const struct process *owner = &d->owner;
	if (d->socket_state == SOCKET_OTHER) {
		failure_set_next(failure, "name the daemon's socket with --socket or ANNA_SOCKET");
	} else if (owner->is_alive && owner->is_annad && is_frozen(owner)) {
		failure_set_next(failure,
			owner->state == 'D' ? "pid %d waits for a disk or a mount that does not "
					      "answer: dmesg, df"
					    : "pid %d is stopped; let it go on: kill -CONT %d",
			owner->pid, owner->pid);
	} else if (failure->err.code == ERR_TIMEOUT) {
		failure_set_next(failure,
			"annactl --timeout 30s …, or look at its log: "
			"journalctl -u annad -n 20");
	} else if (owner->is_alive && owner->is_annad) {
		failure_set_next(failure,
			"annad runs as pid %d but not on this socket: it is just "
			"starting or stopping, or --socket is wrong",
			owner->pid);
	} else if (failure->err.code == ERR_SOCKET || failure->err.code == ERR_REFUSED) {
		failure_set_next(failure, "%s", start_hint(d));
	}
}

static void describe_socket(const struct diagnosis *d, struct buf *out) {
	switch (d->socket_state) {
	case SOCKET_ABSENT:
		buf_append_text(out, "not there");
		break;
	case SOCKET_THERE:
		buf_appendf(out, "there, owned by %s%s", d->socket_owner_name,
			d->is_foreign ? ", who is neither you, root nor anna" : "");
		break;
	case SOCKET_OTHER:
		buf_appendf(out, "not a socket, but another kind of file, owned by %s",
			d->socket_owner_name);
		break;
	case SOCKET_UNREADABLE:
		buf_append_text(out, "its folder may not be read by your user");
		break;
	}
}

static void describe_owner(const struct diagnosis *d, struct buf *out) {
	const struct process *owner = &d->owner;
	if (!owner->is_alive) {
		buf_appendf(out, "pid %d is gone: it did not stop in an orderly way", owner->pid);
	} else if (!owner->is_annad) {
		buf_appendf(out, "pid %d is alive, but is %s and not annad", owner->pid,
			owner->name[0] ? owner->name : "unknown");
	} else if (owner->state == 'D') {
		buf_appendf(out, "annad, pid %d, is blocked in the kernel (state D)", owner->pid);
	} else if (is_frozen(owner)) {
		buf_appendf(out, "annad, pid %d, is stopped by a signal (state %c)", owner->pid,
			owner->state);
	} else {
		buf_appendf(out, "annad, pid %d, is alive", owner->pid);
	}
}

static void describe_lock(const struct diagnosis *d, struct buf *out) {
	if (d->owner.pid) {
		describe_owner(d, out);
	} else if (d->lock_state == LOCK_ABSENT) {
		buf_append_text(out, "no lock: no annad has run here");
	} else if (d->lock_state == LOCK_UNREADABLE) {
		buf_append_text(out, "the lock may not be read by your user");
	} else {
		buf_append_text(out, "the lock is free: the last annad stopped in an orderly way");
	}
}

static void print_line(struct output *output, const char *label, const struct buf *text) {
	output_printf(output, "  %-9s", label);
	output_wrapped(output, buf_str(text), 11, 11);
}

static void print_record(
	const struct diagnosis *d, const struct last_record *record, struct output *output) {
	struct buf line = BUF_INIT, cut = BUF_INIT;
	text_clock(&line, record->time_ns, d->now_ns);
	buf_appendf(&line, "  %6llu  ", (unsigned long long)record->id);
	text_sanitise(&line, str_from(record->kind));
	buf_append_text(&line, "  ");
	buf_append_text(&line, record->detail ? record->detail : "");
	text_fit(&cut, str_trim(buf_str(&line)), output->columns ? output->columns - 11 : SIZE_MAX,
		output->is_utf8);
	output_printf(output, "           %s\n", buf_text(&cut));
	buf_finish(&line);
	buf_finish(&cut);
}

void diagnosis_format(const struct diagnosis *d, struct output *output) {
	struct buf text = BUF_INIT;
	buf_appendf(&text, "%s: ", d->socket);
	describe_socket(d, &text);
	print_line(output, "socket", &text);
	buf_clear(&text);
	buf_appendf(&text, "%s: ", d->state_folder);
	describe_lock(d, &text);
	print_line(output, "state", &text);
	buf_clear(&text);
	if (d->journal_error) {
		buf_append_text(&text, d->journal_error);
	} else if (d->record_count == 0) {
		buf_append_text(&text, "empty");
	} else {
		buf_append_text(&text, "the last records:");
	}
	print_line(output, "journal", &text);
	for (size_t i = d->record_count; i-- > 0;) {
		print_record(d, &d->records[i], output);
	}
	if (d->record_count > 0 && d->daemon_record.id &&
		d->daemon_record.id < d->records[d->record_count - 1].id) {
		output_text(output, "           the daemon's own last:\n");
		print_record(d, &d->daemon_record, output);
	}
	buf_finish(&text);
}

static void format_record(struct json_writer *w, const struct last_record *record) {
	json_begin_object(w);
	json_member_uint(w, "id", record->id);
	json_member_time(w, "time", record->time_ns);
	json_member_text(w, "kind", record->kind);
	json_member_text(w, "detail", record->detail);
	json_end_object(w);
}

void diagnosis_format_json(const struct diagnosis *d, struct json_writer *w) {
	struct buf text = BUF_INIT;
	json_begin_object(w);
	json_member_text(w, "socket", d->socket);
	describe_socket(d, &text);
	json_member_str(w, "socket_state", buf_str(&text));
	json_member_text(w, "state_folder", d->state_folder);
	buf_clear(&text);
	describe_lock(d, &text);
	json_member_str(w, "lock", buf_str(&text));
	json_key(w, "pid");
	if (d->owner.pid) {
		json_int(w, d->owner.pid);
	} else {
		json_null(w);
	}
	json_member_bool(w, "pid_is_alive", d->owner.pid && d->owner.is_alive);
	json_member_text(w, "journal_error", d->journal_error);
	json_key(w, "last_events");
	json_begin_array(w);
	for (size_t i = d->record_count; i-- > 0;) {
		format_record(w, &d->records[i]);
	}
	json_end_array(w);
	if (d->daemon_record.id) {
		json_key(w, "last_daemon_event");
		format_record(w, &d->daemon_record);
	}
	json_end_object(w);
	buf_finish(&text);
}
