// SPDX-License-Identifier: Apache-2.0
// Old configurations for why; see why_config.h. The list of generations is opened through a file
// system that refuses every change, since opening it would tidy up behind the daemon's back.
#include "memory/why_config.h"

#include <errno.h>

struct reading_fs {
	struct fs fs; // first
	struct fs *inner;
};

static struct fs *inner_of(struct fs *fs) {
	return ((struct reading_fs *)(void *)fs)->inner;
}

static int reading_open(struct fs *fs, const char *path, int flags, int mode) {
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC))) {
		return -EROFS;
	}
	return inner_of(fs)->open(inner_of(fs), path, flags, mode);
}

static int reading_close(struct fs *fs, int fd) {
	return inner_of(fs)->close(inner_of(fs), fd);
}

static ssize_t reading_pread(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset) {
	return inner_of(fs)->pread(inner_of(fs), fd, bytes, n, offset);
}

static int reading_stat(struct fs *fs, const char *path, struct fs_stat *out) {
	return inner_of(fs)->stat(inner_of(fs), path, out);
}

static int reading_list(
	struct fs *fs, const char *path, void (*on_name)(void *arg, const char *name), void *arg) {
	return inner_of(fs)->list(inner_of(fs), path, on_name, arg);
}

static int64_t reading_free_bytes(struct fs *fs, const char *path) {
	return inner_of(fs)->free_bytes(inner_of(fs), path);
}

static ssize_t refuse_pwrite(struct fs *fs, int fd, const void *bytes, size_t n, int64_t offset) {
	(void)fs;
	(void)fd;
	(void)bytes;
	(void)n;
	(void)offset;
	return -EROFS;
}

static int refuse_truncate(struct fs *fs, int fd, int64_t size) {
	(void)fs;
	(void)fd;
	(void)size;
	return -EROFS;
}

// Nothing was written, so there is nothing to sync.
static int pretend_sync(struct fs *fs, int fd) {
	(void)fs;
	(void)fd;
	return 0;
}

static int pretend_sync_directory(struct fs *fs, const char *path) {
	(void)fs;
	(void)path;
	return 0;
}

static int refuse_rename(struct fs *fs, const char *from, const char *to) {
	(void)fs;
	(void)from;
	(void)to;
	return -EROFS;
}

static int refuse_unlink(struct fs *fs, const char *path) {
	(void)fs;
	(void)path;
	return -EROFS;
}

// What is there already is there; what is missing stays missing.
static int refuse_mkdir(struct fs *fs, const char *path, int mode) {
	struct fs_stat stat_now;
	(void)mode;
	return reading_stat(fs, path, &stat_now) == 0 ? -EEXIST : -EROFS;
}

static void reading_fs_init(struct reading_fs *reading, struct fs *inner) {
	*reading = (struct reading_fs){.fs = {.open = reading_open,
					       .close = reading_close,
					       .pread = reading_pread,
					       .pwrite = refuse_pwrite,
					       .truncate = refuse_truncate,
					       .sync = pretend_sync,
					       .sync_data = pretend_sync,
					       .sync_directory = pretend_sync_directory,
					       .stat = reading_stat,
					       .rename = refuse_rename,
					       .unlink = refuse_unlink,
					       .mkdir = refuse_mkdir,
					       .list = reading_list,
					       .free_bytes = reading_free_bytes},
		.inner = inner};
}

static struct snapshot *make_snapshot(const struct why_sources *sources,
	const struct config_files *files, char *problem, size_t n) {
	struct problems problems = PROBLEMS_INIT;
	struct snapshot *snapshot = snapshot_create(sources->schema, files, &problems);
	if (!snapshot) {
		(void)snprintf(problem, n, "this version of Anna does not accept it: %.200s",
			problems.n ? problems.items[0].message : "");
	}
	problems_finish(&problems);
	return snapshot;
}

static void read_generation(const struct why_sources *sources, struct generations *generations,
	uint64_t number, struct why_config *out) {
	struct err err = ERR_INIT;
	struct config_files files = {0};
	const struct generation *generation = number
		? generations_find(generations, number)
		: generations_active(generations, INT64_MIN); // a pending one counts
	if (!generation) {
		(void)snprintf(out->problem, sizeof(out->problem), "%s",
			number ? "it is no longer kept" : "no configuration was ever in force");
		return;
	}
	out->generation = generation->number;
	if (!generations_read(generations, generation->number, &files, &err)) {
		(void)snprintf(out->problem, sizeof(out->problem), "%.250s", err.message);
		return;
	}
	out->snapshot = make_snapshot(sources, &files, out->problem, sizeof(out->problem));
	config_files_finish(&files);
}

void why_config_read(const struct why_sources *sources, uint64_t number, struct why_config *out) {
	struct reading_fs reading;
	struct err err = ERR_INIT;
	if (out->generation && out->generation == number) {
		return;
	}
	why_config_finish(out);
	reading_fs_init(&reading, sources->fs);
	struct generations *generations = generations_open(
		&reading.fs, sources->state_folder, NULL, &err);
	if (!generations) {
		(void)snprintf(out->problem, sizeof(out->problem), "%.250s", err.message);
		return;
	}
	read_generation(sources, generations, number, out);
	generations_close(generations);
}

void why_config_finish(struct why_config *config) {
	snapshot_unref(config->snapshot);
	*config = (struct why_config){0};
}

struct item_list why_config_mappings(
	const struct why_sources *sources, const struct why_config *config) {
	if (!config->snapshot) {
		return (struct item_list){NULL, 0};
	}
	return snapshot_list(config->snapshot, sources->mappings);
}
