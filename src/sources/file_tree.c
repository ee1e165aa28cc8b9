// SPDX-License-Identifier: Apache-2.0
// A watched file or folder; see file_tree.h. The path itself is file_route.c's part, what is
// remembered file_memory.c's. Invariant: a folder is watched before it is read, so that nothing
// falls between; what is then seen twice is recognised by what is remembered.
#include "sources/file_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "sources/file_memory.h"
#include "sources/file_route.h"

struct folder {
	uint64_t wd; // the map's key
	char *path;
	uint64_t scan; // the last one that saw it
};

struct file_tree {
	char *path;
	bool is_recursive;
	struct str *ignored;
	size_t ignored_count;
	size_t max_files;
	int fd;
	struct memory memory;
	struct map folders; // wd -> struct folder, those whose content is watched
	struct route route;
	bool is_scanned;
	uint64_t scan;	 // number of the scan
	int watch_error; // errno of a watch that could not be added, or 0
	int read_error;	 // errno of a folder that could not be read, or 0
	char *error_path;
	char *moved_from; // a half move at the end of the last hints, or NULL
	uint32_t moved_cookie;
};

// --- life ---

struct file_tree *file_tree_create(const struct file_tree_spec *spec, struct err *err) {
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0) {
		err_errno(err, "cannot watch %" STR_FMT "%s", STR_ARG(spec->path),
			errno == EMFILE ? ": raise fs.inotify.max_user_instances" : "");
		return NULL;
	}
	struct file_tree *tree = xcalloc(1, sizeof(*tree));
	size_t len = spec->path.len;
	while (len > 1 && spec->path.at[len - 1] == '/') {
		len--;
	}
	tree->fd = fd;
	tree->path = xstrndup(spec->path.at, len);
	tree->is_recursive = spec->is_recursive;
	tree->max_files = spec->max_files;
	tree->ignored = xcalloc(spec->ignored_count + 1, sizeof(*tree->ignored));
	tree->ignored_count = spec->ignored_count;
	for (size_t i = 0; i < spec->ignored_count; i++) {
		struct str glob = spec->ignored[i];
		tree->ignored[i] = str_range(xstrndup(glob.at, glob.len), glob.len);
	}
	memory_init(&tree->memory, spec->max_files);
	return tree;
}

static void folder_free(struct file_tree *tree, struct folder *folder) {
	map_remove(&tree->folders, map_key_u64(&folder->wd));
	free(folder->path);
	free(folder);
}

void file_tree_destroy(struct file_tree *tree) {
	if (!tree) {
		return;
	}
	struct map_entry *at;
	for (size_t cursor = 0; (at = map_next(&tree->folders, &cursor));) {
		folder_free(tree, at->value);
	}
	map_finish(&tree->folders);
	for (size_t i = 0; i < tree->ignored_count; i++) {
		free((char *)(uintptr_t)tree->ignored[i].at);
	}
	free(tree->ignored);
	memory_finish(&tree->memory);
	route_finish(&tree->route);
	close(tree->fd);
	free(tree->path);
	free(tree->error_path);
	free(tree->moved_from);
	free(tree);
}

int file_tree_fd(const struct file_tree *tree) {
	return tree->fd;
}

// --- looking ---

static const char *name_of(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_ignored(const struct file_tree *tree, const char *path) {
	struct str name = str_from(name_of(path));
	struct str relative = str_skip(str_from(path), strlen(tree->path) + 1);
	for (size_t i = 0; i < tree->ignored_count; i++) {
		if (str_glob(tree->ignored[i], name) || str_glob(tree->ignored[i], relative)) {
			return true;
		}
	}
	return false;
}

static void note_error(struct file_tree *tree, int *which, int error, const char *path) {
	if (!tree->watch_error && !tree->read_error) {
		free(tree->error_path);
		tree->error_path = xstrdup(path);
	}
	*which = *which ? *which : error;
}

static bool watch_folder(struct file_tree *tree, const char *path) {
	bool is_root = strcmp(path, tree->path) == 0;
	int wd = inotify_add_watch(
		tree->fd, path, ROUTE_FILES | IN_ONLYDIR | (is_root ? 0 : IN_DONT_FOLLOW));
	if (wd < 0) {
		if (errno != ENOENT && errno != ENOTDIR) {
			note_error(tree, &tree->watch_error, errno, path);
		}
		return false;
	}
	uint64_t key = (uint64_t)wd;
	struct folder *folder = map_get(&tree->folders, map_key_u64(&key));
	if (!folder) {
		folder = xcalloc(1, sizeof(*folder));
		folder->wd = key;
		map_put(&tree->folders, map_key_u64(&folder->wd), folder);
	}
	if (!folder->path || strcmp(folder->path, path) != 0) {
		free(folder->path);
		folder->path = xstrdup(path);
	}
	folder->scan = tree->scan;
	return true;
}

static char *join(const char *folder, const char *name) {
	bool is_top = strcmp(folder, "/") == 0;
	return xasprintf("%s/%s", is_top ? "" : folder, name);
}

// Folders that wait to be read: a stack, because a tree may be deeper than ours.
struct pending {
	char **paths;
	size_t n, cap;
};

static void pending_add(struct pending *pending, const char *path) {
	if (pending->n == pending->cap) {
		pending->cap = pending->cap ? pending->cap * 2 : 8;
		pending->paths = xreallocarray(
			pending->paths, pending->cap, sizeof(*pending->paths));
	}
	pending->paths[pending->n++] = xstrdup(path);
}

static void see(struct file_tree *tree, const char *path, const struct stat *stat, uint32_t hint,
	struct file_changes *changes, struct pending *pending) {
	bool is_new = memory_see(
		&tree->memory, path, stat, hint, tree->scan, tree->is_scanned ? changes : NULL);
	bool is_due = is_new || tree->memory.is_cut || hint == 0;
	if (tree->is_recursive && S_ISDIR(stat->st_mode) && is_due) {
		pending_add(pending, path);
	}
}

static void read_folder(struct file_tree *tree, const char *path, struct file_changes *changes,
	struct pending *pending) {
	bool is_root = strcmp(path, tree->path) == 0;
	if (map_count(&tree->folders) > tree->max_files || !watch_folder(tree, path)) {
		return;
	}
	int fd = open(
		path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | (is_root ? 0 : O_NOFOLLOW));
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (!folder) {
		if (errno != ENOENT && errno != ENOTDIR) {
			note_error(tree, &tree->read_error, errno, path);
		}
		if (fd >= 0) {
			close(fd);
		}
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		struct stat stat;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		char *child = join(path, entry->d_name);
		if (strlen(child) < PATH_MAX && !is_ignored(tree, child) &&
			fstatat(fd, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
			see(tree, child, &stat, 0, changes, pending);
		}
		free(child);
	}
	closedir(folder);
}

static void read_pending(
	struct file_tree *tree, struct pending *pending, struct file_changes *changes) {
	while (pending->n) {
		char *path = pending->paths[--pending->n];
		read_folder(tree, path, changes, pending);
		free(path);
	}
	free(pending->paths);
	*pending = (struct pending){0};
}

static void unwatch(struct file_tree *tree, struct folder *folder) {
	if (!route_has(&tree->route, (int)folder->wd)) {
		(void)inotify_rm_watch(tree->fd, (int)folder->wd); // it may be gone already
	}
	folder_free(tree, folder);
}

static void forget_unseen_folders(struct file_tree *tree) {
	struct map_entry *at;
	for (size_t cursor = 0; (at = map_next(&tree->folders, &cursor));) {
		struct folder *folder = at->value;
		if (folder->scan != tree->scan) {
			unwatch(tree, folder);
		}
	}
}

static void scan(struct file_tree *tree, struct file_changes *changes) {
	struct pending pending = {0};
	struct stat stat;
	tree->scan++;
	tree->watch_error = tree->read_error = 0;
	tree->memory.is_cut = false;
	free(tree->moved_from);
	tree->moved_from = NULL;
	int error = route_find(&tree->route, tree->fd, tree->path);
	if (error) {
		note_error(tree, &tree->watch_error, error, tree->path);
	}
	if (tree->route.error) {
		note_error(tree, &tree->read_error, tree->route.error, tree->path);
	}
	if (tree->route.form == ROUTE_FOLDER) {
		pending_add(&pending, tree->path);
		read_pending(tree, &pending, changes);
	} else if (tree->route.form == ROUTE_FILE && lstat(tree->route.target, &stat) == 0) {
		see(tree, tree->path, &stat, 0, changes, &pending);
	}
	forget_unseen_folders(tree);
	memory_forget_unseen(&tree->memory, tree->scan, tree->is_scanned ? changes : NULL);
	tree->is_scanned = true;
}

// --- following hints ---

static void unwatch_below(struct file_tree *tree, const char *path) {
	struct map_entry *at;
	for (size_t cursor = 0; (at = map_next(&tree->folders, &cursor));) {
		struct folder *folder = at->value;
		if (is_path_below(folder->path, path)) {
			unwatch(tree, folder);
		}
	}
}

static void repath_below(struct file_tree *tree, const char *from, const char *to) {
	struct map_entry *at;
	for (size_t cursor = 0; (at = map_next(&tree->folders, &cursor));) {
		struct folder *folder = at->value;
		if (is_path_below(folder->path, from)) {
			char *path = xasprintf("%s%s", to, folder->path + strlen(from));
			free(folder->path);
			folder->path = path;
		}
	}
}

static void touch(
	struct file_tree *tree, const char *path, uint32_t mask, struct file_changes *changes) {
	struct pending pending = {0};
	struct stat stat;
	if (is_ignored(tree, path) || lstat(path, &stat) != 0) {
		return; // gone again: its own hint follows
	}
	see(tree, path, &stat, mask, changes, &pending);
	read_pending(tree, &pending, changes);
}

static void lose(struct file_tree *tree, const char *path, struct file_changes *changes) {
	if (!is_ignored(tree, path)) {
		unwatch_below(tree, path);
		memory_lose(&tree->memory, path, changes);
	}
}

static void lose_half_move(struct file_tree *tree, struct file_changes *changes) {
	if (tree->moved_from) {
		lose(tree, tree->moved_from, changes);
		free(tree->moved_from);
		tree->moved_from = NULL;
	}
}

static void arrive(struct file_tree *tree, const char *path, const struct inotify_event *event,
	struct file_changes *changes) {
	bool is_move = tree->moved_from && tree->moved_cookie == event->cookie;
	if (is_move && !is_ignored(tree, tree->moved_from) && !is_ignored(tree, path)) {
		unwatch_below(tree, path); // what was there is overwritten
		if (memory_move(&tree->memory, tree->moved_from, path, changes)) {
			repath_below(tree, tree->moved_from, path);
			free(tree->moved_from);
			tree->moved_from = NULL;
		}
	}
	lose_half_move(tree, changes);
	touch(tree, path, event->mask, changes);
}

static void follow(struct file_tree *tree, const struct folder *folder,
	const struct inotify_event *event, struct file_changes *changes) {
	char *path = join(folder->path, event->name);
	if (strlen(path) >= PATH_MAX) {
		free(path);
		return;
	}
	if (!(event->mask & IN_MOVED_TO)) {
		lose_half_move(tree, changes);
	}
	if (event->mask & IN_MOVED_FROM) {
		tree->moved_from = xstrdup(path);
		tree->moved_cookie = event->cookie;
	} else if (event->mask & IN_MOVED_TO) {
		arrive(tree, path, event, changes);
	} else if (event->mask & IN_DELETE) {
		lose(tree, path, changes);
	} else {
		touch(tree, path, event->mask, changes);
	}
	free(path);
}

// Once everything is to be looked at, of the other hints only these count.
static void take_hint_before_scan(struct file_tree *tree, const struct inotify_event *event,
	struct file_tree_result *result) {
	if (event->mask & IN_Q_OVERFLOW) {
		result->has_overflowed = true;
	} else if (event->len && route_is_hint(&tree->route, event->wd, event->name)) {
		memory_mark(&tree->memory, tree->path, event->mask);
	}
}

// One hint; true when everything must be looked at instead.
static bool take_hint(struct file_tree *tree, const struct inotify_event *event,
	struct file_changes *changes, struct file_tree_result *result) {
	uint64_t key = (uint64_t)event->wd;
	struct folder *folder = map_get(&tree->folders, map_key_u64(&key));
	bool is_on_route = route_has(&tree->route, event->wd);
	bool is_top = is_on_route || (folder && strcmp(folder->path, tree->path) == 0);
	if (event->mask & IN_Q_OVERFLOW) {
		take_hint_before_scan(tree, event, result);
		return true;
	}
	if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) {
		if (folder && !is_top && (event->mask & IN_IGNORED)) {
			folder_free(tree, folder);
		}
		return is_top;
	}
	if (event->len && route_is_hint(&tree->route, event->wd, event->name)) {
		take_hint_before_scan(tree, event, result);
		return true;
	}
	if (folder && event->len) {
		follow(tree, folder, event, changes);
	}
	return false;
}

union hint {
	struct inotify_event event;
	char bytes[sizeof(struct inotify_event) + NAME_MAX + 1];
};

// Cuts the hint at the front off; false at the end. The kernel writes whole hints only.
static bool next_hint(struct str *hints, union hint *out) {
	if (hints->len < sizeof(out->event)) {
		return false;
	}
	memcpy(&out->event, hints->at, sizeof(out->event));
	size_t len = sizeof(out->event) + (size_t)out->event.len;
	if (len > hints->len || len > sizeof(*out)) {
		return false;
	}
	memcpy(out->bytes, hints->at, len);
	out->bytes[sizeof(*out) - 1] = '\0';
	*hints = str_skip(*hints, len);
	return true;
}

void file_tree_work(struct file_tree *tree, enum file_tree_work work, struct str hints,
	struct file_changes *changes, struct file_tree_result *out) {
	union hint hint;
	bool is_scan_due = work == WORK_SCAN || !tree->is_scanned;
	char *half = tree->moved_from; // waited for once, not longer
	*out = (struct file_tree_result){0};
	tree->memory.look++;
	while (next_hint(&hints, &hint)) {
		if (is_scan_due) {
			take_hint_before_scan(tree, &hint.event, out);
		} else {
			is_scan_due = take_hint(tree, &hint.event, changes, out);
		}
	}
	if (tree->moved_from && tree->moved_from == half) {
		lose_half_move(tree, changes);
	}
	if (work == WORK_VERIFY && !is_scan_due) {
		is_scan_due = tree->watch_error || tree->read_error ||
			!route_stands(&tree->route, tree->path);
	}
	if (is_scan_due) {
		scan(tree, changes);
	}
	out->wants_more = tree->moved_from != NULL;
}

// --- state ---

static const char *advice(int error) {
	switch (error) {
	case ENOSPC:
		return "the limit of inotify watches is reached: raise fs.inotify.max_user_watches";
	case EACCES:
	case EPERM:
		return "Anna's user may not read it";
	default:
		return strerror(error);
	}
}

bool file_tree_is_well(const struct file_tree *tree, struct buf *out) {
	int error = tree->watch_error ? tree->watch_error : tree->read_error;
	if (error) {
		buf_appendf(out, "%.120s: %s", tree->error_path, advice(error));
	} else if (tree->route.form == ROUTE_MISSING) {
		buf_appendf(out, "%.160s does not exist yet", tree->path);
	} else if (tree->memory.is_cut || map_count(&tree->folders) > tree->max_files) {
		buf_appendf(out,
			"more than %zu files below %.120s: changes lost in a flood cannot be "
			"found; raise max_files",
			tree->max_files, tree->path);
	} else {
		return true;
	}
	return false;
}
