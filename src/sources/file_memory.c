// SPDX-License-Identifier: Apache-2.0
// What is remembered of watched files; see file_memory.h.
#include "sources/file_memory.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"

// File times move in steps of the kernel's tick (at most 10 ms): a write this soon after the last
// look may leave the same time behind.
#define SAME_TIME_NS (20 * NS_PER_MS)

struct entry {
	char *path; // the map's key
	uint64_t device, inode;
	int64_t size, mtime_ns, ctime_ns;
	uint32_t mode, uid, gid;
	uint64_t scan, look; // the last that saw it
	bool is_fresh;	     // was written just before it was looked at
	bool can_hide;	     // so it was at the end of the batch before: a write may not show
	bool is_told;	     // in this batch
	bool is_marked;	     // a writer has closed it since
};

void memory_init(struct memory *memory, size_t limit) {
	*memory = (struct memory){.limit = limit};
}

static void entry_free(struct memory *memory, struct entry *entry) {
	map_remove(&memory->entries, str_from(entry->path));
	free(entry->path);
	free(entry);
}

void memory_finish(struct memory *memory) {
	struct map_entry *at;
	for (size_t cursor = 0; (at = map_next(&memory->entries, &cursor));) {
		entry_free(memory, at->value);
	}
	map_finish(&memory->entries);
}

void file_changes_finish(struct file_changes *changes) {
	for (size_t i = 0; i < changes->n; i++) {
		free(changes->items[i].path);
		free(changes->items[i].from);
	}
	free(changes->items);
	*changes = (struct file_changes){0};
}

static struct file_change *add_change(
	struct file_changes *changes, enum file_change_kind kind, const char *path) {
	if (changes->n == changes->cap) {
		changes->cap = changes->cap ? changes->cap * 2 : 16;
		changes->items = xreallocarray(
			changes->items, changes->cap, sizeof(*changes->items));
	}
	struct file_change *change = &changes->items[changes->n++];
	*change = (struct file_change){.kind = kind, .path = xstrdup(path)};
	return change;
}

static void tell(struct file_changes *changes, enum file_change_kind kind, const char *path,
	const struct stat *stat) {
	if (changes) {
		struct file_change *change = add_change(changes, kind, path);
		change->is_folder = S_ISDIR(stat->st_mode);
		change->is_there = true;
		change->size = stat->st_size;
		change->uid = stat->st_uid;
	}
}

static int64_t ns_of(struct timespec time) {
	return time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

static void remember(struct entry *entry, const struct stat *stat) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	entry->device = stat->st_dev;
	entry->inode = stat->st_ino;
	entry->size = stat->st_size;
	entry->mtime_ns = ns_of(stat->st_mtim);
	entry->ctime_ns = ns_of(stat->st_ctim);
	entry->mode = stat->st_mode;
	entry->uid = stat->st_uid;
	entry->gid = stat->st_gid;
	entry->is_fresh = ns_of(now) - entry->mtime_ns < SAME_TIME_NS;
	entry->is_marked = false;
}

static bool has_other_content(const struct entry *entry, const struct stat *stat) {
	if (S_ISDIR(stat->st_mode) && S_ISDIR(entry->mode) && entry->inode == stat->st_ino) {
		return false; // a folder's content are its files
	}
	return entry->device != stat->st_dev || entry->inode != stat->st_ino ||
		entry->size != stat->st_size || entry->mtime_ns != ns_of(stat->st_mtim);
}

static void begin_look(struct entry *entry, uint64_t look) {
	if (entry->look != look) {
		entry->look = look;
		entry->can_hide = entry->is_fresh;
		entry->is_told = false;
	}
}

static enum file_change_kind kind_of_unknown(bool is_cut, uint32_t hint) {
	if (is_cut && (hint & IN_CLOSE_WRITE)) {
		return CHANGE_MODIFIED;
	}
	return is_cut && (hint & IN_ATTRIB) ? CHANGE_ATTRIBUTES : CHANGE_CREATED;
}

bool memory_see(struct memory *memory, const char *path, const struct stat *stat, uint32_t hint,
	uint64_t scan, struct file_changes *changes) {
	struct entry *entry = map_get(&memory->entries, str_from(path));
	if (!entry) {
		bool was_cut = memory->is_cut;
		memory->is_cut = was_cut || map_count(&memory->entries) >= memory->limit;
		// A scan cannot know whether what it has no place for is new.
		if (hint || !memory->is_cut) {
			tell(changes, kind_of_unknown(was_cut, hint), path, stat);
		}
		if (memory->is_cut) {
			return true;
		}
		entry = xcalloc(1, sizeof(*entry));
		entry->path = xstrdup(path);
		map_put(&memory->entries, str_from(entry->path), entry);
		entry->look = memory->look;
		entry->is_told = true;
		remember(entry, stat);
		entry->scan = scan;
		return true;
	}
	begin_look(entry, memory->look);
	bool is_written = (hint & IN_CLOSE_WRITE) || entry->is_marked;
	if (has_other_content(entry, stat) || (is_written && entry->can_hide && !entry->is_told)) {
		tell(changes, CHANGE_MODIFIED, path, stat);
		entry->is_told = true;
	} else if (entry->mode != stat->st_mode || entry->uid != stat->st_uid ||
		entry->gid != stat->st_gid) {
		tell(changes, CHANGE_ATTRIBUTES, path, stat);
	}
	remember(entry, stat);
	entry->scan = scan;
	return false;
}

void memory_mark(struct memory *memory, const char *path, uint32_t hint) {
	struct entry *entry = map_get(&memory->entries, str_from(path));
	if (entry && (hint & IN_CLOSE_WRITE)) {
		entry->is_marked = true;
	}
}

bool is_path_below(const char *path, const char *folder) {
	size_t len = strlen(folder);
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static void lose_entry(struct memory *memory, struct entry *entry, struct file_changes *changes) {
	if (changes) {
		add_change(changes, CHANGE_REMOVED, entry->path)->is_folder = S_ISDIR(entry->mode);
	}
	entry_free(memory, entry);
}

void memory_lose(struct memory *memory, const char *path, struct file_changes *changes) {
	struct entry *entry = map_get(&memory->entries, str_from(path));
	if (!entry) {
		if (memory->is_cut && changes) {
			add_change(changes, CHANGE_REMOVED, path);
		}
		return;
	}
	if (S_ISDIR(entry->mode)) {
		struct map_entry *at;
		for (size_t cursor = 0; (at = map_next(&memory->entries, &cursor));) {
			struct entry *below = at->value;
			if (below != entry && is_path_below(below->path, path)) {
				lose_entry(memory, below, changes);
			}
		}
	}
	lose_entry(memory, entry, changes);
}

// The entries below a path, out of the map: renaming must not meet the renamed again.
static struct entry **take_below(struct memory *memory, const char *path, size_t *out_n) {
	struct entry **taken = xcalloc(map_count(&memory->entries) + 1, sizeof(struct entry *));
	struct map_entry *at;
	size_t n = 0;
	for (size_t cursor = 0; (at = map_next(&memory->entries, &cursor));) {
		struct entry *entry = at->value;
		if (is_path_below(entry->path, path)) {
			taken[n++] = entry;
			map_remove(&memory->entries, str_from(entry->path));
		}
	}
	*out_n = n;
	return taken;
}

bool memory_move(
	struct memory *memory, const char *from, const char *to, struct file_changes *changes) {
	const struct entry *moved = map_get(&memory->entries, str_from(from));
	if (!moved) {
		return false;
	}
	bool is_folder = S_ISDIR(moved->mode);
	int64_t size = moved->size;
	uint32_t uid = moved->uid;
	memory_lose(memory, to, NULL); // overwritten
	size_t n;
	struct entry **taken = take_below(memory, from, &n);
	for (size_t i = 0; i < n; i++) {
		char *path = xasprintf("%s%s", to, taken[i]->path + strlen(from));
		free(taken[i]->path);
		taken[i]->path = path;
		map_put(&memory->entries, str_from(path), taken[i]);
	}
	free(taken);
	if (changes) {
		struct file_change *change = add_change(changes, CHANGE_MOVED, to);
		change->from = xstrdup(from);
		change->is_folder = is_folder;
		change->is_there = true;
		change->size = size;
		change->uid = uid;
	}
	return true;
}

void memory_forget_unseen(struct memory *memory, uint64_t scan, struct file_changes *changes) {
	struct map_entry *at;
	for (size_t cursor = 0; (at = map_next(&memory->entries, &cursor));) {
		struct entry *entry = at->value;
		if (entry->scan != scan) {
			lose_entry(memory, entry, changes);
		}
	}
}
