// SPDX-License-Identifier: Apache-2.0
// The log; see log.h. One mutex around the fold state and the write: log lines are rare.
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

#define LINE_MOST 4096 // PIPE_BUF: longer writes could block or be torn

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const int priorities[] = {7, 6, 4, 3}; // syslog(3)

static _Atomic int current_level = LOG_INFO;
static _Atomic uint64_t dropped;
static void (*_Atomic observer)(enum log_level level, const char *folder, const char *message);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
// All below: under the lock.
static enum log_format current_format = LOG_TEXT;
static int out_fd = STDERR_FILENO;
static int journald_fd = -1;
static struct clock *log_clock;
static struct {
	char message[1024];
	const char *folder;
	enum log_level level;
	uint64_t times;
	int64_t first_ns;
} last;

void log_set_level(enum log_level level) {
	atomic_store(&current_level, level);
}

enum log_level log_get_level(void) {
	return (enum log_level)atomic_load_explicit(&current_level, memory_order_relaxed);
}

void log_set_format(enum log_format format) {
	pthread_mutex_lock(&lock);
	current_format = format;
	pthread_mutex_unlock(&lock);
}

void log_set_fd(int fd) {
	pthread_mutex_lock(&lock);
	out_fd = fd;
	pthread_mutex_unlock(&lock);
}

void log_set_clock(struct clock *clock) {
	pthread_mutex_lock(&lock);
	log_clock = clock;
	pthread_mutex_unlock(&lock);
}

void log_set_observer(
	void (*on_log)(enum log_level level, const char *folder, const char *message)) {
	atomic_store(&observer, on_log);
}

uint64_t log_dropped(void) {
	return atomic_load(&dropped);
}

const char *log_level_name(enum log_level level) {
	return level_names[level];
}

bool log_level_parse(struct str text, enum log_level *out) {
	for (int i = 0; i < 4; i++) {
		if (str_is(text, level_names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static struct clock *clock_now_source(void) {
	return log_clock ? log_clock : clock_system();
}

// Length of the printable UTF-8 sequence at the front; 0 for a stray byte and for U+0080 to
// U+009F, which terminals take as control characters.
static size_t printable_len(const char *at) {
	unsigned char c = (unsigned char)at[0];
	size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	bool is_control = c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)at[1] < 0xa0);
	return !is_control && strnlen(at, len) == len && str_is_utf8(str_range(at, len)) ? len : 0;
}

// Escapes control characters and bytes that are not UTF-8 (and, for JSON, quotes and
// backslashes), and stops where the line would be cut anyway, so that JSON can be closed.
static void append_escaped(struct buf *line, const char *text, bool json) {
	while (*text && line->len < LINE_MOST - 64) {
		size_t len = printable_len(text);
		if (!len) {
			buf_appendf(line, json ? "\\u%04x" : "\\x%02x", (unsigned char)*text++);
			continue;
		}
		if (json && (*text == '"' || *text == '\\')) {
			buf_append_char(line, '\\');
		}
		buf_append(line, text, len);
		text += len;
	}
}

// The native journald protocol: a datagram of FIELD=value lines (systemd.journal-fields(7)).
static bool send_journald(enum log_level level, const char *folder, const char *message) {
	if (journald_fd < 0) {
		journald_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
	struct buf fields = BUF_INIT;
	buf_appendf(&fields,
		"PRIORITY=%d\nSYSLOG_IDENTIFIER=annad\nANNA_FOLDER=%s\nMESSAGE=", priorities[level],
		folder);
	append_escaped(&fields, message, false);
	buf_append_char(&fields, '\n');
	ssize_t sent = sendto(journald_fd, fields.at, fields.len, MSG_NOSIGNAL,
		(const struct sockaddr *)&to, sizeof(to));
	buf_finish(&fields);
	return sent >= 0;
}

static void write_line(enum log_level level, const char *folder, const char *message) {
	if (current_format == LOG_JOURNALD && send_journald(level, folder, message)) {
		return;
	}
	struct buf line = BUF_INIT;
	if (current_format == LOG_JSON) {
		buf_append_text(&line, "{\"time\":\"");
		time_format(&line, clock_wall(clock_now_source()));
		buf_appendf(&line, "\",\"level\":\"%s\",\"folder\":\"%s\",\"message\":\"",
			level_names[level], folder);
		append_escaped(&line, message, true);
		buf_append_text(&line, "\"}\n");
	} else {
		if (current_format == LOG_JOURNALD) { // sd-daemon(3) prefix on stderr
			buf_appendf(&line, "<%d>", priorities[level]);
		} else {
			time_format(&line, clock_wall(clock_now_source()));
			buf_appendf(&line, " %-5s ", level_names[level]);
		}
		buf_appendf(&line, "%s: ", folder);
		append_escaped(&line, message, false);
		buf_append_char(&line, '\n');
	}
	// Never wait for whoever reads stderr: at most PIPE_BUF bytes after POLLOUT cannot block.
	struct pollfd ready = {.fd = out_fd, .events = POLLOUT};
	if (line.len > LINE_MOST) {
		line.len = LINE_MOST;
		line.at[LINE_MOST - 1] = '\n';
	}
	// A closed pipe is seen here rather than as SIGPIPE.
	if (poll(&ready, 1, 0) != 1 || (ready.revents & (POLLERR | POLLNVAL)) ||
		write(out_fd, line.at, line.len) < 0) {
		atomic_fetch_add(&dropped, 1);
	}
	buf_finish(&line);
}

static void flush_fold(void) {
	if (last.times > 1) {
		char text[1100];
		(void)snprintf(text, sizeof(text), "%s (repeated %llu times)", last.message,
			(unsigned long long)(last.times - 1));
		write_line(last.level, last.folder, text);
	}
	last.times = 0;
}

void log_flush(void) {
	pthread_mutex_lock(&lock);
	int64_t now = clock_monotonic(clock_now_source());
	if (last.times && now - last.first_ns >= 10 * NS_PER_SECOND) {
		flush_fold();
	}
	pthread_mutex_unlock(&lock);
}

void log_message(enum log_level level, const char *folder, const char *format, ...) {
	if ((int)level < atomic_load_explicit(&current_level, memory_order_relaxed)) {
		return;
	}
	char message[1024];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args); // cut is fine
	va_end(args);
	int saved = errno;
	void (*on_log)(enum log_level, const char *, const char *) = atomic_load(&observer);
	if (on_log) {
		on_log(level, folder, message);
	}
	pthread_mutex_lock(&lock);
	if (last.times && last.level == level && strcmp(last.folder, folder) == 0 &&
		strcmp(last.message, message) == 0) {
		last.times++;
	} else {
		flush_fold();
		memcpy(last.message, message, sizeof(message));
		last.folder = folder;
		last.level = level;
		last.times = 1;
		last.first_ns = clock_monotonic(clock_now_source());
		write_line(level, folder, message);
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
}
