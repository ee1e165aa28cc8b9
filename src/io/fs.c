// SPDX-License-Identifier: Apache-2.0
// The kernel's file system behind struct fs, and whole-file operations over any struct fs.
#include "io/fs.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static int system_open(struct fs *fs, const char *path, int flags, int mode) {
	(void)fs;
	int fd;
	do {
		fd = open(path, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

static int system_close(struct fs *fs, int fd) {
	(void)fs;
	return close(fd) < 0 ? -errno : 0; // after EINTR the descriptor is gone all the same
}

static ssize_t system_pread(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset) {
	(void)fs;
	ssize_t done;
	do {
		done = pread(fd, bytes, n, offset);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

static ssize_t system_pwrite(struct fs *fs, int fd, const void *bytes, size_t n, int64_t offset) {
	(void)fs;
	ssize_t done;
	do {
		done = pwrite(fd, bytes, n, offset);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

static int system_truncate(struct fs *fs, int fd, int64_t size) {
	(void)fs;
	return ftruncate(fd, size) < 0 ? -errno : 0;
}

static int system_sync(struct fs *fs, int fd) {
	(void)fs;
	return fsync(fd) < 0 ? -errno : 0;
}

static int system_sync_data(struct fs *fs, int fd) {
	(void)fs;
	return fdatasync(fd) < 0 ? -errno : 0;
}

static int system_sync_directory(struct fs *fs, const char *path) {
	int fd = system_open(fs, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0) {
		return fd;
	}
	int result = system_sync(fs, fd);
	(void)close(fd); // only read
	return result;
}

static int system_stat(struct fs *fs, const char *path, struct fs_stat *out) {
	(void)fs;
	struct stat found;
	if (stat(path, &found) < 0) {
		return -errno;
	}
	*out = (struct fs_stat){
		.is_directory = S_ISDIR(found.st_mode),
		.size = found.st_size,
		.mtime_ns = found.st_mtim.tv_sec * INT64_C(1000000000) + found.st_mtim.tv_nsec,
	};
	return 0;
}

static int system_rename(struct fs *fs, const char *from, const char *to) {
	(void)fs;
	return rename(from, to) < 0 ? -errno : 0;
}

static int system_unlink(struct fs *fs, const char *path) {
	(void)fs;
	return unlink(path) < 0 ? -errno : 0;
}

static int system_mkdir(struct fs *fs, const char *path, int mode) {
	(void)fs;
	return mkdir(path, (mode_t)mode) < 0 ? -errno : 0;
}

static int system_list(
	struct fs *fs, const char *path, void (*on_name)(void *arg, const char *name), void *arg) {
	(void)fs;
	DIR *directory = opendir(path);
	if (!directory) {
		return -errno;
	}
	int result = 0;
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(directory);
		if (!entry) {
			result = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			on_name(arg, entry->d_name);
		}
	}
	(void)closedir(directory);
	return result;
}

static int64_t system_free_bytes(struct fs *fs, const char *path) {
	(void)fs;
	struct statvfs found;
	if (statvfs(path, &found) < 0) {
		return -errno;
	}
	return (int64_t)found.f_bavail * (int64_t)found.f_frsize;
}

static void system_begin_sync(struct fs *fs, int fd) {
	(void)fs;
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); // what it does not do, sync does
}

struct fs *fs_system(void) {
	static struct fs kernel = {system_open, system_close, system_pread, system_pwrite,
		system_truncate, system_sync, system_sync_data, system_sync_directory, system_stat,
		system_rename, system_unlink, system_mkdir, system_list, system_free_bytes,
		system_begin_sync, true};
	return &kernel;
}

ssize_t fs_read_all(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset) {
	size_t done = 0;
	while (done < n) {
		ssize_t part = fs->pread(
			fs, fd, (char *)bytes + done, n - done, offset + (int64_t)done);
		if (part < 0) {
			return part;
		}
		if (part == 0) {
			break;
		}
		done += (size_t)part;
	}
	return (ssize_t)done;
}

ssize_t fs_write_all(struct fs *fs, int fd, const void *bytes, size_t n, int64_t offset) {
	size_t done = 0;
	while (done < n) {
		ssize_t part = fs->pwrite(
			fs, fd, (const char *)bytes + done, n - done, offset + (int64_t)done);
		if (part <= 0) {
			return part < 0 ? part : -EIO; // no progress would be for ever
		}
		done += (size_t)part;
	}
	return (ssize_t)done;
}

bool fs_fail(struct err *err, int result, const char *what, const char *path) {
	errno = -result;
	return err_errno(err, "%s %s", what, path);
}

bool fs_read_file(struct fs *fs, const char *path, size_t limit, struct buf *out, struct err *err) {
	int fd = fs->open(fs, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0) {
		return fs_fail(err, fd, "cannot open", path);
	}
	size_t before = out->len;
	ssize_t part = 1;
	while (part > 0 && out->len - before <= limit) {
		size_t room = limit + 1 - (out->len - before);
		room = room < 65536 ? room : 65536;
		char *to = buf_reserve(out, room);
		part = fs->pread(fs, fd, to, room, (int64_t)(out->len - before));
		out->len += part > 0 ? (size_t)part : 0;
	}
	(void)fs->close(fs, fd); // only read
	bool is_too_big = out->len - before > limit;
	if (part < 0 || is_too_big) {
		out->len = before;
	}
	(void)buf_reserve(out, 0);
	out->at[out->len] = '\0';
	if (is_too_big) {
		return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, limit);
	}
	return part < 0 ? fs_fail(err, (int)part, "cannot read", path) : true;
}

// The folder of a path, for syncing it: "a/b" gives "a", "b" gives ".", "/b" gives "/".
static void append_parent(struct buf *out, const char *path) {
	const char *slash = strrchr(path, '/');
	if (!slash) {
		buf_append_text(out, ".");
	} else {
		buf_append(out, path, slash == path ? 1 : (size_t)(slash - path));
	}
}

int fs_sync_parent(struct fs *fs, const char *path) {
	_cleanup_(buf_finish) struct buf parent = BUF_INIT;
	append_parent(&parent, path);
	return fs->sync_directory(fs, buf_text(&parent));
}

// Makes one folder, or finds it there. Its name is synced in both cases: it may be there because
// somebody was killed, or failed, between the two.
static int make_directory(struct fs *fs, const char *path) {
	struct fs_stat found;
	int made = fs->mkdir(fs, path, 0700);
	if (made < 0 && (fs->stat(fs, path, &found) < 0 || !found.is_directory)) {
		return made == -EEXIST ? -ENOTDIR : made;
	}
	int synced = fs_sync_parent(fs, path);
	bool is_foreign = synced == -EACCES || synced == -EPERM || synced == -EROFS ||
		synced == -EINVAL;
	return made < 0 && is_foreign ? 0 : synced; // not ours to sync: it was there before us
}

bool fs_make_directories(struct fs *fs, const char *path, struct err *err) {
	_cleanup_(buf_finish) struct buf prefix = BUF_INIT;
	for (const char *at = path; *at;) {
		size_t n = strspn(at, "/");
		n += strcspn(at + n, "/");
		buf_append(&prefix, at, n);
		at += n;
		bool is_root = strspn(buf_text(&prefix), "/") == prefix.len;
		int result = is_root ? 0 : make_directory(fs, buf_text(&prefix));
		if (result < 0) {
			return fs_fail(err, result, "cannot make the folder", buf_text(&prefix));
		}
	}
	return true;
}
