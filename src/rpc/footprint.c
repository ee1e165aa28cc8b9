// SPDX-License-Identifier: Apache-2.0
// /proc/self (proc(5)) and control groups, version 2 and 1 (cgroups(7)). Each value stands alone: one
// that cannot be read leaves the others right.
#include "rpc/footprint.h"

#include <string.h>
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
		{STR_INIT("VmSwap:"), offsetof(struct footprint, swap_bytes), 1024},
		{STR_INIT("Pss:"), offsetof(struct footprint, pss_bytes), 1024},
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

// Of /proc/self/status, or of smaps_rollup, which has the same form.
static void read_status(struct fs *fs, const char *root, const char *path, struct footprint *out) {
	struct buf text = BUF_INIT;
	if (read_file(fs, root, path, &text)) {
		struct str rest = buf_str(&text), line;
		while (str_split(&rest, '\n', &line)) {
			read_status_line(line, out);
		}
	}
	buf_finish(&text);
}

static bool read_number(struct fs *fs, const char *root, const char *path, int64_t *out) {
	struct buf text = BUF_INIT;
	bool ok = read_file(fs, root, path, &text) && str_to_int64(str_trim(buf_str(&text)), out);
	buf_finish(&text);
	return ok;
}

// Where one version of control groups has what.
struct group_files {
	const char *mount;
	const char *limits[3]; // ended by NULL
	const char *usage;
	const char *droppable; // of memory.stat
};

static const struct group_files version_2 = {
	"/sys/fs/cgroup", {"memory.max", "memory.high"}, "memory.current", "inactive_file"};
static const struct group_files version_1 = {"/sys/fs/cgroup/memory", {"memory.limit_in_bytes"},
	"memory.usage_in_bytes", "total_inactive_file"};

// What counts against the limit of a group, less the file pages that go first when it gets tight.
static int64_t group_usage(
	struct fs *fs, const char *root, const struct group_files *files, struct str group) {
	_cleanup_(freep) char *usage_path = xasprintf(
		"%s%" STR_FMT "/%s", files->mount, STR_ARG(group), files->usage);
	_cleanup_(freep) char *stat_path = xasprintf(
		"%s%" STR_FMT "/memory.stat", files->mount, STR_ARG(group));
	struct buf text = BUF_INIT;
	int64_t usage, droppable = 0;
	if (!read_number(fs, root, usage_path, &usage)) {
		return -1;
	}
	if (read_file(fs, root, stat_path, &text)) {
		struct str rest = buf_str(&text), line, name, number;
		while (str_split(&rest, '\n', &line)) {
			if (str_word(&line, &name) && str_is(name, files->droppable) &&
				str_word(&line, &number) && !str_to_int64(number, &droppable)) {
				droppable = 0;
			}
		}
	}
	buf_finish(&text);
	return usage > droppable ? usage - droppable : 0;
}

// One group's own limits; is_ours: the group we are in, or the unit's when we divided it.
static void take_limits(struct fs *fs, const char *root, const struct group_files *files,
	struct str group, bool is_ours, struct footprint *out) {
	for (const char *const *name = files->limits; *name; name++) {
		_cleanup_(freep) char *path = xasprintf(
			"%s%" STR_FMT "/%s", files->mount, STR_ARG(group), *name);
		int64_t value;
		// "max" is no number; version 1 says "none" by a number near the largest.
		if (!read_number(fs, root, path, &value) || value <= 0 || value >= INT64_MAX / 2 ||
			(out->limit_bytes >= 0 && value >= out->limit_bytes)) {
			continue;
		}
		out->limit_bytes = value;
		out->counted_bytes = is_ours ? group_usage(fs, root, files, group) : -1;
		(void)snprintf(out->limit_of, sizeof(out->limit_of), "%s of %.*s", *name,
			(int)(group.len ? group.len : 1),
			group.len ? group.at : "/"); // cut is fine
	}
}

// A group's limit holds for all groups below it: looks at each up to the root. In a container our
// path may be that of the machine while its end is mounted here as the root, so the root is read too.
static void take_all_limits(struct fs *fs, const char *root, const struct group_files *files,
	struct str path, struct footprint *out) {
	int level = 0;
	path.len -= path.len && path.at[path.len - 1] == '/';
	for (;;) {
		take_limits(fs, root, files, path, level < 2, out);
		if (path.len == 0) {
			return;
		}
		while (path.len && path.at[path.len - 1] != '/') {
			path.len--;
		}
		path.len -= path.len > 0;
		level++;
	}
}

static bool has_memory(struct str controllers) {
	struct str one;
	while (str_split(&controllers, ',', &one)) {
		if (str_is(one, "memory")) {
			return true;
		}
	}
	return false;
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
				take_all_limits(fs, root, &version_2, line, out);
			} else if (has_memory(controllers)) {
				take_all_limits(fs, root, &version_1, line, out);
			}
		}
	}
	buf_finish(&text);
}

// Where no group limits us, the address space may be limited: allocation fails there.
static void read_own_limit(struct footprint *out) {
	struct rlimit limit;
	if (out->limit_bytes < 0 && getrlimit(RLIMIT_AS, &limit) == 0 &&
		limit.rlim_cur != RLIM_INFINITY) {
		out->limit_bytes = (int64_t)limit.rlim_cur;
		out->counted_bytes = out->virtual_bytes;
		(void)snprintf(out->limit_of, sizeof(out->limit_of), "RLIMIT_AS");
	}
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

void footprint_read(struct fs *fs, const char *root, bool with_pss, struct footprint *out) {
	struct rusage usage;
	memset(out, 0xff, sizeof(*out)); // -1 in every number
	out->limit_of[0] = '\0';
	read_status(fs, root, "/proc/self/status", out);
	if (with_pss) {
		read_status(fs, root, "/proc/self/smaps_rollup", out);
	}
	read_groups(fs, root, out);
	read_own_limit(out);
	read_descriptors(fs, root, out);
	if (getrusage(RUSAGE_SELF, &usage) == 0) {
		out->cpu_user_us = microseconds(usage.ru_utime);
		out->cpu_system_us = microseconds(usage.ru_stime);
		out->voluntary_switches = usage.ru_nvcsw;
		out->involuntary_switches = usage.ru_nivcsw;
		out->minor_faults = usage.ru_minflt;
		out->major_faults = usage.ru_majflt;
	}
}
