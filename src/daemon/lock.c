// SPDX-License-Identifier: Apache-2.0
// flock(2) on a file that is never removed.
#include "daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

int lock_take(const char *state_folder, struct err *err) {
	_cleanup_(freep) char *path = xasprintf("%s/lock", state_folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		err_errno(err, "cannot open the lock %s", path);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		char text[32] = "";
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		struct str pid = str_trim(str_range(text, n > 0 ? (size_t)n : 0));
		err_set(err, ERR_BUSY,
			"another annad (pid %.*s) has the state folder %s: stop it first, or give "
			"this one a --state-dir of its own",
			pid.len ? (int)pid.len : 7, pid.len ? pid.at : "unknown", state_folder);
		close(fd);
		return -1;
	}
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n) {
		// The lock itself holds; only the text for people could not be written (disk full).
		(void)!ftruncate(fd, 0);
	}
	return fd;
}

void lock_release(int fd) {
	if (fd >= 0) {
		(void)!ftruncate(fd, 0); // for people only; the lock goes with the descriptor
		close(fd);
	}
}
