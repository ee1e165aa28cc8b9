// SPDX-License-Identifier: Apache-2.0
// The documented wire protocols of sd_notify(3) and sd_listen_fds(3).
#include "daemon/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

void notify_send(const char *format, ...) {
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	if (len < 2 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@')) {
		return;
	}
	memcpy(to.sun_path, path, len);
	if (path[0] == '@') {
		to.sun_path[0] = '\0'; // the abstract namespace
	}
	char message[512];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	size_t size = n < 0 ? 0 : (size_t)n < sizeof(message) ? (size_t)n : sizeof(message) - 1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		// A manager that does not listen must not stop us; the watchdog will tell it.
		(void)sendto(fd, message, size, MSG_NOSIGNAL, (const struct sockaddr *)&to,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
		close(fd);
	}
}

static bool is_for_us(const char *variable) {
	uint64_t pid;
	const char *text = getenv(variable);
	return !text || (str_to_uint64(str_from(text), &pid) && pid == (uint64_t)getpid());
}

int64_t notify_watchdog_ns(void) {
	uint64_t us;
	const char *text = getenv("WATCHDOG_USEC");
	if (!text || !is_for_us("WATCHDOG_PID") || !str_to_uint64(str_from(text), &us) ||
		us > INT64_MAX / NS_PER_US) {
		return 0;
	}
	return (int64_t)us * NS_PER_US;
}

static bool is_listening_unix_socket(int fd) {
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int type = 0, listens = 0;
	socklen_t size = sizeof(int);
	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
		address.ss_family == AF_UNIX &&
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

int notify_take_socket(void) {
	uint64_t n = 0;
	int found = -1;
	const char *text = getenv("LISTEN_FDS");
	if (text && getenv("LISTEN_PID") && is_for_us("LISTEN_PID") &&
		str_to_uint64(str_from(text), &n) && n < 64) {
		for (int fd = 3; fd < 3 + (int)n && found < 0; fd++) {
			found = is_listening_unix_socket(fd) ? fd : -1;
		}
	}
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	if (found >= 0) {
		(void)fcntl(found, F_SETFD, FD_CLOEXEC); // cannot fail on an open descriptor
	}
	return found;
}

bool notify_stderr_is_journal(void) {
	const char *text = getenv("JOURNAL_STREAM"); // "device:inode" (systemd.exec(5))
	struct stat stat;
	char mine[64];
	if (!text || fstat(STDERR_FILENO, &stat) < 0) {
		return false;
	}
	(void)snprintf(mine, sizeof(mine), "%llu:%llu", (unsigned long long)stat.st_dev,
		(unsigned long long)stat.st_ino);
	return strcmp(text, mine) == 0;
}
