// SPDX-License-Identifier: Apache-2.0
// The file system as an argument: everything that must survive (journal, state file, config
// generations) goes through a struct fs, so the simulator can be a disk that tears, reorders,
// fills up and fails. Results are >= 0, or -errno. Calls block; use them on workers and jobs.
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct fs_stat {
	bool is_directory;
	int64_t size;
	int64_t mtime_ns;
};

struct fs {
	// flags and mode as open(2); O_CLOEXEC is added. Returns a handle for the calls below.
	int (*open)(struct fs *fs, const char *path, int flags, int mode);
	int (*close)(struct fs *fs, int fd);
	ssize_t (*pread)(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset);
	ssize_t (*pwrite)(struct fs *fs, int fd, const void *bytes, size_t n, int64_t offset);
	int (*truncate)(struct fs *fs, int fd, int64_t size);
	int (*sync)(struct fs *fs, int fd);	 // fsync(2)
	int (*sync_data)(struct fs *fs, int fd); // fdatasync(2)
	int (*sync_directory)(struct fs *fs, const char *path);
	int (*stat)(struct fs *fs, const char *path, struct fs_stat *out);
	int (*rename)(struct fs *fs, const char *from, const char *to);
	int (*unlink)(struct fs *fs, const char *path);
	int (*mkdir)(struct fs *fs, const char *path, int mode);
	// Calls on_name for every entry but . and .., in no particular order.
	int (*list)(struct fs *fs, const char *path, void (*on_name)(void *arg, const char *name),
		void *arg);
	// Bytes free for us on the file system of path, or -errno.
	int64_t (*free_bytes)(struct fs *fs, const char *path);
	// Lets the disk begin with what was written to fd; waits for nothing and promises nothing.
	// NULL: there is no such thing.
	void (*begin_sync)(struct fs *fs, int fd);
	bool is_threaded; // several threads may call it at the same time
};

// The kernel's file system; one static instance, thread-safe.
struct fs *fs_system(void);

// Reads a whole file of at most `limit` bytes (more is ERR_LIMIT) and appends it to *out.
_must_use_ bool fs_read_file(
	struct fs *fs, const char *path, size_t limit, struct buf *out, struct err *err);
// A result (-errno) of one of these as an error "what path: reason"; false.
bool fs_fail(struct err *err, int result, const char *what, const char *path);
// Syncs the folder that holds path, which makes its name durable.
int fs_sync_parent(struct fs *fs, const char *path);
// Creates the directory (mode 0700) and its parents where missing, and syncs the parents.
_must_use_ bool fs_make_directories(struct fs *fs, const char *path, struct err *err);
// pread/pwrite until all n bytes are done (pread: or end of file); total, or -errno.
ssize_t fs_read_all(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset);
ssize_t fs_write_all(struct fs *fs, int fd, const void *bytes, size_t n, int64_t offset);
