// SPDX-License-Identifier: Apache-2.0
// Reading one file of /proc whole: pread from the start makes the kernel write it anew, and
// keeping it open saves the path walk every second.
#include "sources/host.h"

#include <errno.h>
#include <fcntl.h>

#include "base/alloc.h"

#define READ_AT_ONCE (16 * 1024)
#define FILE_MAX (4 * 1024 * 1024) // /proc/stat of 4,096 CPUs is about 1 MiB

void proc_file_init(struct proc_file *file, const char *sysroot, const char *path) {
	file->path = xasprintf("%s%s", sysroot, path);
	file->fd = -1;
	file->is_recorded = sysroot[0] != '\0';
}

static void close_file(struct proc_file *file) {
	if (file->fd >= 0) {
		close(file->fd);
		file->fd = -1;
	}
}

void proc_file_finish(struct proc_file *file) {
	if (file->path) {
		close_file(file);
		free(file->path);
		file->path = NULL;
	}
}

// seq_file hands out a page or so at a time: only 0 is the end.
static bool read_all(struct proc_file *file, struct buf *out) {
	while (out->len < FILE_MAX) {
		char *to = buf_reserve(out, READ_AT_ONCE);
		ssize_t n = pread(file->fd, to, READ_AT_ONCE, (off_t)out->len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n == 0;
		}
		out->len += (size_t)n;
	}
	return true;
}

bool proc_file_read(struct proc_file *file, struct buf *out, struct err *err) {
	buf_clear(out);
	if (file->fd < 0) {
		file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (file->fd < 0) {
			return err_errno(err, "cannot open %s", file->path);
		}
	}
	bool is_read = read_all(file, out);
	if (!is_read) {
		err_errno(err, "cannot read %s", file->path);
	}
	if (!is_read || file->is_recorded) {
		close_file(file);
	}
	return is_read;
}
