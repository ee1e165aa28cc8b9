// SPDX-License-Identifier: Apache-2.0
// /proc/self (proc(5)) and control groups, version 2 and 1 (cgroups(7)). Each value stands alone: one
// that cannot be read leaves the others right.
#include "rpc/footprint.h"

#include <sys/resource.h>

#include "base/alloc.h"

#define FILE_MAX 65536

static bool read_file(struct fs *fs, const char *root, const char *path, struct buf *out) {
	_cleanup_(freep) char *full = xasprintf("%s%s", root, path);
	buf_clear(out);
	return fs_read_file(fs, full, FILE_MAX, out, NULL);
}

// "VmRSS:     1234 kB"
static void read_status_line(struct str line, struct footprint *out) {
	static const struct {
		struct str name;
		size_t offset;
		int64_t unit;
	} fields[] = {{STR_INIT("VmRSS:"), offsetof(struct footprint, rss_bytes), 1024},
		{STR_INIT("VmHWM:"), offsetof(struct footprint, peak_bytes), 1024},
		{STR_INIT("VmSize:"), offsetof(struct footprint, virtual_bytes), 1024},
		{STR_INIT("Threads:"), offsetof(struct footprint, threads), 1}};
	struct str name, number;
	int64_t value;
	if (!str_word(&line, &name) || !str_word(&line, &number) || !str_to_int64(number, &value)) {
		return;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (str_equal(name, fields[i].name) && value <= INT64_MAX / fields[i].unit) {
			*(int64_t *)(void *)((char *)out + fields[i].offset) = value *
				fields[i].unit;
		}
	}
}

static void read_status(struct fs *fs, const char *root, struct footprint *out) {
	struct buf text = BUF_INIT;
	if (read_file(fs, root, "/proc/self/status", &text)) {
		struct str rest = buf_str(&text), line;
		while (str_split(&rest, '\n', &line)) {
			read_status_line(line, out);
		}
	}
	buf_finish(&text);
}

static void take_limit(struct fs *fs, const char *root, const char *file, struct footprint *out) {
	struct buf text = BUF_INIT;
	int64_t value;
	// "max" is no number; version 1 says "none" by a number near the largest.
	if (read_file(fs, root, file, &text) && str_to_int64(str_trim(buf_str(&text)), &value) &&
		value < INT64_MAX / 2 && (out->limit_bytes < 0 || value < out->limit_bytes)) {
		out->limit_bytes = value;
	}
	buf_finish(&text);
}

// A group's limit holds for all groups below it: looks at each up to the root.
static void take_limits(struct fs *fs, const char *root, const char *mount, struct str path,
	const char *name, struct footprint *out) {
	while (path.len > 1) {
		_cleanup_(freep) char *file = xasprintf(
			"%s%" STR_FMT "/%s", mount, STR_ARG(path), name);
		take_limit(fs, root, file, out);
		while (path.len && path.at[path.len - 1] != '/') {
			path.len--;
		}
		path.len -= path.len > 0;
	}
}

// "0::/system.slice/annad.service", or "5:memory:/…" of version 1
static void read_groups(struct fs *fs, const char *root, struct footprint *out) {
	struct buf text = BUF_INIT;
	struct str line, number, controllers;
	if (read_file(fs, root, "/proc/self/cgroup", &text)) {
		struct str rest = buf_str(&text);
		while (str_split(&rest, '\n', &line)) {
			if (!str_split(&line, ':', &number) ||
				!str_split(&line, ':', &controllers) || !line.at) {
				continue;
			}
			if (str_is(number, "0") && controllers.len == 0) {
				take_limits(fs, root, "/sys/fs/cgroup", line, "memory.max", out);
			} else if (str_is(controllers, "memory")) {
				take_limits(fs, root, "/sys/fs/cgroup/memory", line,
					"memory.limit_in_bytes", out);
			}
		}
	}
	buf_finish(&text);
}

static void count(void *arg, const char *name) {
	(void)name;
	(*(int64_t *)arg)++;
}

static void read_descriptors(struct fs *fs, const char *root, struct footprint *out) {
	_cleanup_(freep) char *folder = xasprintf("%s/proc/self/fd", root);
	int64_t n = 0;
	struct rlimit limit;
	if (fs->list(fs, folder, count, &n) >= 0) {
		out->fds = n > 0 ? n - 1 : 0; // less the one that lists
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		out->fd_limit = (int64_t)limit.rlim_cur;
	}
}

static int64_t microseconds(struct timeval time) {
	return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

void footprint_read(struct fs *fs, const char *root, struct footprint *out) {
	struct rusage usage;
	*out = (struct footprint){-1, -1, -1, -1, -1, -1, -1, -1, -1};
	read_status(fs, root, out);
	read_groups(fs, root, out);
	read_descriptors(fs, root, out);
	if (getrusage(RUSAGE_SELF, &usage) == 0) {
		out->cpu_user_us = microseconds(usage.ru_utime);
		out->cpu_system_us = microseconds(usage.ru_stime);
	}
}
