// SPDX-License-Identifier: Apache-2.0
// flock(2) on a file that is never removed.
#include "daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

// A folder somebody else owns or may write to could be swapped under our feet.
static bool folder_is_ours(const char *folder, struct err *err) {
	struct stat link, stat_;
	if (lstat(folder, &link) < 0 || stat(folder, &stat_) < 0) {
		return err_errno(err, "cannot look at the state folder %s", folder);
	}
	if ((link.st_uid != geteuid() && link.st_uid != 0) || stat_.st_uid != geteuid()) {
		return err_set(err, ERR_DENIED,
			"the state folder %s belongs to uid %u, not to us (uid %u): give it to us "
			"or "
			"name another with --state-dir",
			folder, link.st_uid != geteuid() ? link.st_uid : stat_.st_uid, geteuid());
	}
	if (stat_.st_mode & (S_IWGRP | S_IWOTH)) {
		return err_set(err, ERR_DENIED,
			"others may write to the state folder %s: chmod go-w it", folder);
	}
	return true;
}

int lock_take(const char *state_folder, struct err *err) {
	if (!folder_is_ours(state_folder, err)) {
		return -1;
	}
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
