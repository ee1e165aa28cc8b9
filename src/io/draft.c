// SPDX-License-Identifier: Apache-2.0
#include "io/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/thread.h"

struct draft {
	struct fs *fs;
	char *path;
	char *tmp;
	int fd;		   // of tmp
	int folder_synced; // 0, or -errno
};

static void destroy(struct draft *draft) {
	free(draft->path);
	free(draft->tmp);
	free(draft);
}

// A new file each time: never through a link that somebody left under that name.
static bool open_tmp(struct draft *draft, struct err *err) {
	struct fs *fs = draft->fs;
	int result = fs->unlink(fs, draft->tmp);
	if (result < 0 && result != -ENOENT) {
		return fs_fail(err, result, "cannot remove the stale", draft->tmp);
	}
	draft->fd = fs->open(fs, draft->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	return draft->fd >= 0 || fs_fail(err, draft->fd, "cannot create", draft->tmp);
}

static struct draft *create(
	struct fs *fs, const char *path, struct str head, struct str body, struct err *err) {
	struct draft *draft = xcalloc(1, sizeof(*draft));
	draft->fs = fs;
	draft->path = xstrdup(path);
	draft->tmp = xasprintf("%s.tmp", path);
	if (!open_tmp(draft, err)) {
		destroy(draft);
		return NULL;
	}
	ssize_t written = fs_write_all(fs, draft->fd, head.at, head.len, 0);
	if (written >= 0) {
		written = fs_write_all(fs, draft->fd, body.at, body.len, (int64_t)head.len);
	}
	if (written < 0) {
		(void)fs_fail(err, (int)written, "cannot write", draft->tmp);
		draft_drop(draft);
		return NULL;
	}
	return draft;
}

struct draft *draft_begin(
	struct fs *fs, const char *path, struct str head, struct str body, struct err *err) {
	struct draft *draft = create(fs, path, head, body, err);
	if (draft && fs->begin_sync) {
		fs->begin_sync(fs, draft->fd);
	}
	return draft;
}

// Closed whatever comes: 0, or what went wrong with either.
static int sync_and_close(struct draft *draft) {
	int synced = draft->fs->sync(draft->fs, draft->fd);
	int closed = draft->fs->close(draft->fs, draft->fd);
	return synced < 0 ? synced : closed;
}

static void *sync_folder(void *arg) {
	struct draft *draft = arg;
	draft->folder_synced = fs_sync_parent(draft->fs, draft->path);
	return NULL;
}

// The file and its name at the same time: what a journaling file system then writes once, and flushes
// once, it would flush twice for one after the other.
static int sync_both(struct draft *draft) {
	pthread_t thread;
	bool is_aside = draft->fs->is_threaded &&
		thread_start(&thread, "anna-sync", sync_folder, draft) == 0;
	int synced = sync_and_close(draft);
	if (is_aside) {
		pthread_join(thread, NULL);
	} else {
		(void)sync_folder(draft);
	}
	return synced;
}

static bool end(
	struct draft *draft, int result, const char *what, const char *path, struct err *err) {
	bool ok = result >= 0 || fs_fail(err, result, what, path);
	destroy(draft);
	return ok;
}

bool draft_commit(struct draft *draft, struct err *err) {
	struct fs *fs = draft->fs;
	int result = fs->rename(fs, draft->tmp, draft->path);
	if (result < 0) {
		(void)fs_fail(err, result, "cannot rename", draft->tmp);
		draft_drop(draft);
		return false;
	}
	result = sync_both(draft);
	if (result < 0) {
		return end(draft, result, "cannot sync", draft->path, err);
	}
	return end(draft, draft->folder_synced, "cannot sync the folder of", draft->path, err);
}

void draft_drop(struct draft *draft) {
	if (draft) {
		(void)draft->fs->close(draft->fs, draft->fd); // it goes
		// Best effort: the next one removes it too.
		(void)draft->fs->unlink(draft->fs, draft->tmp);
		destroy(draft);
	}
}

bool draft_replace(struct fs *fs, const char *path, struct str content, struct err *err) {
	struct draft *draft = create(fs, path, content, STR(""), err);
	if (!draft) {
		return false;
	}
	const char *what = "cannot sync";
	int result = sync_and_close(draft);
	if (result >= 0) {
		what = "cannot rename";
		result = fs->rename(fs, draft->tmp, path);
	}
	if (result < 0) {
		(void)fs->unlink(fs, draft->tmp); // best effort: the next call removes it too
		bool ok = fs_fail(err, result, what, draft->tmp);
		destroy(draft);
		return ok;
	}
	result = fs_sync_parent(fs, path);
	return end(draft, result, "cannot sync the folder of", path, err);
}
