// SPDX-License-Identifier: Apache-2.0
// Reading files of /proc and /sys: pread from the start makes the kernel write one of /proc anew,
// and keeping it open saves the path walk every second.
#include "sources/host_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/alloc.h"

#define READ_AT_ONCE (16 * 1024)
#define FILE_MAX (4 * 1024 * 1024) // /proc/stat of 4,096 CPUs is about 1 MiB
#define SMALL_MAX 4096		   // an attribute of sysfs is one page at most
#define NAMES_MAX 4096

void proc_file_finish(struct proc_file *file) {
	if (file->is_open) {
		close(file->fd);
		file->is_open = false;
	}
}

// seq_file hands out a page or so at a time: only 0 is the end.
static bool read_all(int fd, struct buf *out) {
	while (out->len < FILE_MAX) {
		char *to = buf_reserve(out, READ_AT_ONCE);
		ssize_t n = pread(fd, to, READ_AT_ONCE, (off_t)out->len);
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

static int open_file(const char *path) {
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

// Not there, or a kernel that has it switched off (PSI says EOPNOTSUPP, a namespace ENOTDIR).
static bool is_missing(int error) {
	return error == ENOENT || error == ENOTDIR || error == EOPNOTSUPP;
}

static bool complain(struct host_turn *turn, const char *path, bool may_miss) {
	bool is_told = turn->complaint.code != ERR_NONE || (may_miss && is_missing(errno));
	buf_clear(&turn->text); // what cannot be read is absent
	return is_told ? false
		       : err_errno(&turn->complaint, "cannot read %s%s", turn->sysroot, path);
}

static bool read_file(
	struct host_turn *turn, struct proc_file *file, const char *path, bool may_miss) {
	char full[PATH_MAX];
	buf_clear(&turn->text);
	if (!file->is_open) {
		if ((size_t)snprintf(full, sizeof(full), "%s%s", turn->sysroot, path) >=
			sizeof(full)) {
			errno = ENAMETOOLONG;
			return complain(turn, path, may_miss);
		}
		file->fd = open_file(full);
		if (file->fd < 0) {
			return complain(turn, path, may_miss);
		}
		file->is_open = true;
	}
	bool is_read = read_all(file->fd, &turn->text);
	int error = errno;
	if (!is_read || turn->sysroot[0]) {
		proc_file_finish(file);
	}
	errno = error;
	return is_read || complain(turn, path, may_miss);
}

bool turn_read(struct host_turn *turn, struct proc_file *file, const char *path) {
	return read_file(turn, file, path, false);
}

bool turn_try(struct host_turn *turn, struct proc_file *file, const char *path) {
	return read_file(turn, file, path, true);
}

_printf_(2, 0) static char *format_path(struct host_turn *turn, const char *format, va_list args) {
	struct buf path = BUF_INIT;
	buf_append_text(&path, turn->sysroot);
	buf_vappendf(&path, format, args);
	char *copy = arena_copy(turn->memory, buf_str(&path));
	buf_finish(&path);
	return copy;
}

static bool is_avoided(const struct host_turn *turn, const char *path) {
	size_t n = strlen(turn->avoided);
	return n && strncmp(path, turn->avoided, n) == 0 && (path[n] == '/' || !path[n]);
}

static bool peek(struct host_turn *turn, const char *path, struct str *out) {
	char bytes[SMALL_MAX];
	if (is_avoided(turn, path)) {
		return false;
	}
	atomic_store_explicit(&turn->at, path, memory_order_release);
	int fd = open_file(path);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	if (fd >= 0) {
		close(fd);
	}
	if (n < 0) {
		return false;
	}
	*out = arena_copy_str(turn->memory, str_trim(str_range(bytes, (size_t)n)));
	return true;
}

bool turn_peek(struct host_turn *turn, struct str *out, const char *format, ...) {
	va_list args;
	va_start(args, format);
	char *path = format_path(turn, format, args);
	va_end(args);
	return peek(turn, path, out);
}

bool turn_peek_uint64(struct host_turn *turn, uint64_t *out, const char *format, ...) {
	va_list args;
	struct str text;
	va_start(args, format);
	char *path = format_path(turn, format, args);
	va_end(args);
	return peek(turn, path, &text) && str_to_uint64(text, out);
}

static int compare_names(const void *a, const void *b) {
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

struct names turn_list(struct host_turn *turn, const char *format, ...) {
	struct names names = {NULL, 0};
	size_t cap = 0;
	va_list args;
	va_start(args, format);
	char *path = format_path(turn, format, args);
	va_end(args);
	if (is_avoided(turn, path)) {
		return names;
	}
	atomic_store_explicit(&turn->at, path, memory_order_release);
	DIR *folder = opendir(path);
	struct dirent *entry;
	while (folder && names.n < NAMES_MAX && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		if (names.n == cap) {
			const char **old = names.items;
			cap = cap ? cap * 2 : 16;
			names.items = arena_array(turn->memory, cap, sizeof(*names.items));
			memcpy(names.items, old ? old : names.items, names.n * sizeof(*old));
		}
		names.items[names.n++] = arena_copy(turn->memory, str_from(entry->d_name));
	}
	if (folder) {
		closedir(folder);
	}
	if (names.n) {
		qsort(names.items, names.n, sizeof(*names.items), compare_names);
	}
	return names;
}

const char *turn_resolve(struct host_turn *turn, const char *format, ...) {
	va_list args;
	va_start(args, format);
	char *path = format_path(turn, format, args);
	va_end(args);
	char resolved[PATH_MAX];
	return realpath(path, resolved) ? arena_copy(turn->memory, str_from(resolved)) : NULL;
}
