// SPDX-License-Identifier: Apache-2.0
// The source `logins`: who logged in and out, and who failed to, from the growth of wtmp and btmp
// (utmp(5)). The kernel says when they are written; a job reads what is new, and follows
// a rotation to the new file. wtmp names no user at the end of a session, so open ones are kept
// by their tty.
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/map.h"
#include "flow/capability.h"
#include "io/worker.h"
#include "sources/folder_watch.h"
#include "sources/logins_read.h"
#include "sources/outbox.h"

#define SETTLE (100 * NS_PER_MS)
#define RECORDS_A_LOOK 64   // of each file; more in the next look, right after
#define SESSIONS_MAX 4096   // open sessions kept by tty; of more the end has no user
#define SESSIONS_READ 65536 // records of wtmp read at the start to know who is logged in: 24 MiB

enum log_file {
	LOG_SESSIONS,
	LOG_FAILURES,
	LOG_FILES
};
static const char *const file_names[LOG_FILES] = {"wtmp", "btmp"};

struct logins_config {
	bool is_enabled;
	int64_t failure_limit;
};

// Where the reading of one file is.
struct position {
	bool is_known; // false: what is there is old
	uint64_t device, inode;
	int64_t offset;
};

struct session {
	char tty[UT_LINESIZE + 1], user[UT_NAMESIZE + 1], host[UT_HOSTSIZE + 1];
};

// One look of a job at both files.
struct look {
	struct logins *owner; // NULL: nobody waits for it
	char *folder;
	struct position positions[LOG_FILES];
	int errors[LOG_FILES]; // errno, or 0
	bool is_first;
	bool has_more, was_cut[LOG_FILES]; // cut: the file got shorter in place
	struct login *records[LOG_FILES];
	size_t n[LOG_FILES];
	struct login *open; // of the first look: sessions that are open
	size_t open_count;
};

struct logins {
	const struct services *services;
	int64_t failure_limit;
	struct outbox outbox;
	struct folder_watch watch;
	char *folder;
	struct position positions[LOG_FILES];
	int errors[LOG_FILES];
	struct err complaint; // the folder cannot be watched
	bool is_blind, is_hinted, has_looked;
	struct timer timer;
	struct look *look; // running, or NULL
	struct meter meter;
	struct map sessions;
	int64_t minute_ns, failures, held; // failures told in this minute, and held back since
	int64_t looked_wall_ns;
};

static void look_free(struct look *look) {
	for (size_t i = 0; i < LOG_FILES; i++) {
		free(look->records[i]);
	}
	free(look->open);
	free(look->folder);
	free(look);
}

// --- on a thread of the pool ---

// Who is logged in, from the end of wtmp: a session is open when no end of its tty follows.
static void read_open_sessions(struct look *look, int fd, int64_t size) {
	int64_t first = size / (int64_t)sizeof(struct utmp) - SESSIONS_READ;
	struct map by_tty = MAP_INIT;
	look->open = xcalloc(SESSIONS_MAX, sizeof(*look->open));
	for (int64_t i = first > 0 ? first : 0; i < size / (int64_t)sizeof(struct utmp); i++) {
		struct utmp record;
		struct login login;
		if (pread(fd, &record, sizeof(record), (off_t)(i * (int64_t)sizeof(record))) !=
			(ssize_t)sizeof(record)) {
			break;
		}
		login_parse(&record, &login);
		struct login *known = map_get(&by_tty, str_from(login.tty));
		if (record.ut_type == BOOT_TIME) {
			map_finish(&by_tty); // nobody stays logged in over a boot
			by_tty = (struct map)MAP_INIT;
			look->open_count = 0;
		} else if (known && login.what != LOGIN_OTHER) {
			*known = login; // what is CLOSED here is not open
		} else if (login.what == LOGIN_OPENED && look->open_count < SESSIONS_MAX) {
			struct login *place = &look->open[look->open_count++];
			*place = login;
			map_put(&by_tty, str_from(place->tty), place);
		}
	}
	map_finish(&by_tty);
}

static void read_new_records(struct look *look, enum log_file file, int fd, int64_t size) {
	struct position *position = &look->positions[file];
	while (look->n[file] < RECORDS_A_LOOK) {
		struct utmp record;
		ssize_t n = pread(fd, &record, sizeof(record), (off_t)position->offset);
		if (n != (ssize_t)sizeof(record)) {
			return; // half a record waits for its other half
		}
		position->offset += n;
		login_parse(&record, &look->records[file][look->n[file]++]);
	}
	look->has_more = look->has_more || position->offset < size;
}

// What was written to the file before it was rotated away and not read yet. False: there is more.
static bool read_rotated(struct look *look, enum log_file file) {
	const struct position *position = &look->positions[file];
	_cleanup_(freep) char *path = xasprintf("%s/%s.1", look->folder, file_names[file]);
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0) {
		return true;
	}
	if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_dev == position->device &&
		stat.st_ino == position->inode) {
		read_new_records(look, file, fd, stat.st_size);
	}
	close(fd);
	return look->n[file] < RECORDS_A_LOOK;
}

static void look_at(struct look *look, enum log_file file) {
	struct position *position = &look->positions[file];
	_cleanup_(freep) char *path = xasprintf("%s/%s", look->folder, file_names[file]);
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode)) {
		look->errors[file] = fd < 0 ? errno : EINVAL;
		if (fd >= 0) {
			close(fd);
		} else if (errno == ENOENT) {
			*position = (struct position){.is_known = true}; // all in it will be new
		}
		return;
	}
	bool is_same = position->is_known && position->device == stat.st_dev &&
		position->inode == stat.st_ino;
	if (position->is_known && position->inode && !is_same && !read_rotated(look, file)) {
		look->has_more = true;
		close(fd);
		return;
	}
	look->was_cut[file] = is_same && stat.st_size < position->offset;
	if (!is_same || look->was_cut[file]) {
		// At the start what is there is old; later it is another file, all of it new.
		int64_t whole = stat.st_size - stat.st_size % (int64_t)sizeof(struct utmp);
		position->offset = position->is_known ? 0 : whole;
	}
	position->device = stat.st_dev;
	position->inode = stat.st_ino;
	position->is_known = true;
	if (look->is_first && file == LOG_SESSIONS) {
		read_open_sessions(look, fd, stat.st_size);
	}
	read_new_records(look, file, fd, stat.st_size);
	close(fd);
}

static void look_run(void *arg) {
	struct look *look = arg;
	look_at(look, LOG_SESSIONS);
	look_at(look, LOG_FAILURES);
}

// --- on the loop ---

static void session_close(struct logins *logins, const char *tty) {
	free(map_remove(&logins->sessions, str_from(tty)));
}

static void session_open(struct logins *logins, const struct login *login) {
	session_close(logins, login->tty);
	if (map_count(&logins->sessions) < SESSIONS_MAX && login->tty[0]) {
		struct session *session = xcalloc(1, sizeof(*session));
		memcpy(session->tty, login->tty, sizeof(session->tty));
		memcpy(session->user, login->user, sizeof(session->user));
		memcpy(session->host, login->host, sizeof(session->host));
		map_put(&logins->sessions, str_from(session->tty), session);
	}
}

static struct event *new_event(
	const char *kind, const struct login *login, const char *user, const char *host) {
	struct event *event = event_create(kind, "logins", STR(""));
	outbox_set_clean(event, "user", str_from(user));
	outbox_set_clean(event, "tty", str_from(login->tty));
	outbox_set_clean(event, "host", str_from(host));
	if (login->pid > 0) {
		event_set_int(event, "pid", login->pid);
	}
	const struct value *subject = event_attribute(event, STR("user"));
	event->subject = subject ? subject->string : STR("");
	return event;
}

static void tell_session(struct logins *logins, const struct login *login) {
	if (login->what == LOGIN_OPENED) {
		session_open(logins, login);
		outbox_send(&logins->outbox,
			new_event("login.opened", login, login->user, login->host));
	} else if (login->what == LOGIN_CLOSED) {
		const struct session *session = map_get(&logins->sessions, str_from(login->tty));
		outbox_send(&logins->outbox,
			new_event("login.closed", login, session ? session->user : login->user,
				session ? session->host : login->host));
		session_close(logins, login->tty);
	}
}

// Guessing passwords is a flood: so many a minute are told, the rest is counted.
static void tell_failure(struct logins *logins, const struct login *login) {
	int64_t now = loop_now(logins->services->loop);
	if (!logins->minute_ns || now - logins->minute_ns >= 60 * NS_PER_SECOND) {
		logins->minute_ns = now;
		logins->failures = 0;
	}
	if (logins->failures >= logins->failure_limit) {
		logins->held++;
		return;
	}
	struct event *event = new_event("login.failed", login, login->user, login->host);
	if (logins->held) {
		event_set_int(event, "held_back", logins->held);
	}
	logins->failures++;
	logins->held = 0;
	outbox_send(&logins->outbox, event);
}

static void plan(struct logins *logins, int64_t delay_ns);

static void look_done(void *arg) {
	struct look *look = arg;
	struct logins *logins = look->owner;
	if (!logins) {
		look_free(look);
		return;
	}
	logins->look = NULL;
	logins->has_looked = true;
	memcpy(logins->positions, look->positions, sizeof(logins->positions));
	memcpy(logins->errors, look->errors, sizeof(logins->errors));
	for (size_t i = 0; i < look->open_count; i++) {
		if (look->open[i].what == LOGIN_OPENED) {
			session_open(logins, &look->open[i]);
		}
	}
	for (size_t i = 0; i < LOG_FILES; i++) {
		if (look->was_cut[i]) {
			outbox_gap(
				&logins->outbox, "a log was cut short", logins->looked_wall_ns, 0);
		}
	}
	for (size_t i = 0; i < look->n[LOG_SESSIONS]; i++) {
		tell_session(logins, &look->records[LOG_SESSIONS][i]);
	}
	for (size_t i = 0; i < look->n[LOG_FAILURES]; i++) {
		tell_failure(logins, &look->records[LOG_FAILURES][i]);
	}
	logins->looked_wall_ns = clock_wall(loop_clock(logins->services->loop));
	if (look->has_more || logins->is_hinted) {
		plan(logins, look->has_more ? 0 : SETTLE);
	}
	look_free(look);
}

static void on_timer(void *arg) {
	struct logins *logins = arg;
	if (logins->look) {
		return; // look_done plans
	}
	if (logins->outbox.n) { // the bus is full: the files keep what is new
		plan(logins, 2 * SETTLE);
		return;
	}
	struct look *look = xcalloc(1, sizeof(*look));
	look->owner = logins;
	look->folder = xstrdup(logins->folder);
	look->is_first = !logins->has_looked;
	for (size_t i = 0; i < LOG_FILES; i++) {
		look->records[i] = xcalloc(RECORDS_A_LOOK, sizeof(struct login));
	}
	memcpy(look->positions, logins->positions, sizeof(look->positions));
	if (jobs_run(logins->services->jobs, look_run, look_done, look)) {
		logins->look = look;
		logins->is_hinted = false;
	} else {
		look_free(look);
		plan(logins, 2 * SETTLE);
	}
}

static void plan(struct logins *logins, int64_t delay_ns) {
	timer_start(&logins->timer, logins->services->loop, delay_ns, on_timer, logins);
}

static void on_hint(void *arg, size_t folder, const char *name) {
	struct logins *logins = arg;
	(void)folder;
	if (!name || strcmp(name, file_names[LOG_SESSIONS]) == 0 ||
		strcmp(name, file_names[LOG_FAILURES]) == 0) {
		if (!logins->is_hinted && !logins->look) {
			plan(logins, SETTLE);
		}
		logins->is_hinted = true;
	}
}

static void collect(void *arg, struct exposition *out) {
	const struct logins *logins = arg;
	if (logins->has_looked) {
		exposition_family(
			out, "anna_logins_sessions", "gauge", "Sessions that are open, by wtmp.");
		exposition_sample(out, (double)map_count(&logins->sessions), NULL);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // what cannot be watched degrades
	struct logins *logins = xcalloc(1, sizeof(*logins));
	logins->services = services;
	logins->failure_limit = ((const struct logins_config *)config->config)->failure_limit;
	logins->folder = xasprintf("%s/var/log", services->sysroot ? services->sysroot : "");
	logins->looked_wall_ns = clock_wall(loop_clock(services->loop));
	outbox_init(&logins->outbox, services, "logins");
	logins->is_blind = !folder_watch_open(
		&logins->watch, services->loop, on_hint, logins, &logins->complaint);
	if (!logins->is_blind) {
		logins->is_blind = !folder_watch_add(&logins->watch, logins->folder,
			IN_MODIFY | IN_CREATE | IN_MOVED_TO, &logins->complaint);
	}
	meters_add(services->meters, &logins->meter, collect, logins);
	on_timer(logins);
	return logins;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	struct logins *logins = self;
	logins->failure_limit = ((const struct logins_config *)config->config)->failure_limit;
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct logins *logins = self;
	size_t cursor = 0;
	struct map_entry *entry;
	timer_stop(&logins->timer);
	meters_remove(&logins->meter);
	folder_watch_close(&logins->watch);
	if (logins->look) {
		logins->look->owner = NULL; // it frees itself when it returns
	}
	while ((entry = map_next(&logins->sessions, &cursor))) {
		free(entry->value);
	}
	map_finish(&logins->sessions);
	outbox_finish(&logins->outbox);
	free(logins->folder);
	free(logins);
}

static bool is_enabled(const struct capability_config *config) {
	return ((const struct logins_config *)config->config)->is_enabled;
}

// A file that is not there is no fault: many systems keep no wtmp any more.
static void health(void *self, struct capability_health *out) {
	const struct logins *logins = self;
	out->state = CAPABILITY_ACTIVE;
	out->reason[0] = '\0';
	if (logins->is_blind) {
		out->state = CAPABILITY_DEGRADED;
		snprintf(out->reason, sizeof(out->reason), "%.255s", logins->complaint.message);
		return;
	}
	for (size_t i = 0; i < LOG_FILES; i++) {
		if (logins->errors[i] && logins->errors[i] != ENOENT) {
			// Not allowed to: nothing is broken, and the other file is read.
			bool is_kept_away = logins->errors[i] == EACCES;
			out->state = is_kept_away ? out->state : CAPABILITY_DEGRADED;
			snprintf(out->reason, sizeof(out->reason), "cannot read %.100s/%s: %s%s",
				logins->folder, file_names[i], strerror(logins->errors[i]),
				is_kept_away ? "; the group utmp may (drop-in failed-logins.conf)"
					     : "");
		}
	}
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct logins_config, is_enabled), "true",
		.help = "Tell of logins, their ends and failed attempts."},
	{"failure_limit", OPTION_INT, offsetof(struct logins_config, failure_limit), "20", .min = 1,
		.max = 6000, .unit = "events per minute",
		.help = "Failed attempts told; more are counted, and told with the next."},
	{NULL},
};

static const struct kind_attribute attributes[] = {
	{"user", "string", NULL, "who; absent at the end of a session that Anna did not see begin"},
	{"tty", "string", NULL, "the terminal, pts/0, or the service: ssh:notty"},
	{"host", "string", NULL, "from where; absent: from here"},
	{"pid", "integer", NULL, "the process of the session"},
	{"held_back", "integer", NULL, "failed attempts that the limit held back before"},
	{NULL},
};

static const struct kind kinds[] = {
	{"login.opened", STREAM_NORMAL, "Someone logged in.", attributes},
	{"login.closed", STREAM_NORMAL, "A session ended.", attributes},
	{"login.failed", STREAM_NORMAL, "Someone failed to log in.", attributes},
	{NULL},
};

DEFINE_SOURCE(logins) = {
	.name = "logins",
	.summary = "Who logs in, out, and fails to.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "logins",
			.summary = "Events of wtmp and btmp.",
			.rows = rows,
			.size = sizeof(struct logins_config),
			.example = "[logins]\nfailure_limit = 5\n",
		},
	.kinds = kinds,
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
