// SPDX-License-Identifier: Apache-2.0
// The disk in memory; see sim_fs.h. Files are never freed before the end, so that a name that a
// power loss brings back still has its bytes.
#include "tests/fakes/sim_fs.h"

#include <errno.h>

#include "base/alloc.h"

#define SECTOR 512
#define HANDLES_MAX 256
#define FIRST_HANDLE 1000 // unlike any descriptor of the process

// A change to a file that is not durable yet: bytes, or (bytes NULL) a new size.
struct change {
	int64_t offset;
	size_t n;
	char *bytes;
};

struct node {
	bool is_directory;
	struct buf seen, durable;
	struct change *changes;
	size_t change_count, change_cap;
};

struct name {
	char *path;
	uint64_t hash;	   // of path: most are told apart by it
	struct node *node; // NULL: removed while going through them
};

struct names {
	struct name *at;
	size_t n, cap;
};

// A change of names in a directory: path now is node; for a rename, `from` is gone.
struct name_change {
	char *path;
	char *from;
	struct node *node;
};

struct sim_fs {
	struct fs fs; // first: callers see this
	struct random random;
	struct sim_fs_faults faults;
	int64_t capacity;
	bool skips_directory_syncs, skips_syncs;
	bool is_down; // between kill and boot
	struct node **nodes;
	size_t node_count, node_cap;
	struct names seen, durable;
	struct name_change *name_changes;
	size_t name_change_count, name_change_cap;
	struct node *handles[HANDLES_MAX];
	uint64_t drawn[SIM_FAULTS];
};

const char *const sim_fault_names[SIM_FAULTS] = {"short writes", "EIO on write", "EIO on fsync",
	"EIO on directory fsync", "ENOSPC", "disk full", "EIO on open", "EIO on names", "kills",
	"power losses", "lost writes", "torn writes", "reordered writes", "lost directory entries",
	"bit flips", "recycled segments"};

#define GROW(array, n, cap) \
	do { \
		if ((n) == (cap)) { \
			(cap) = (cap) ? (cap)*2 : 16; \
			(array) = xreallocarray((array), (cap), sizeof(*(array))); \
		} \
	} while (0)

static bool dice(struct sim_fs *sim, unsigned per_10000, enum sim_fault fault) {
	bool is_hit = per_10000 && !sim->is_down && random_below(&sim->random, 10000) < per_10000;
	sim->drawn[fault] += is_hit;
	return is_hit || sim->is_down;
}

static struct node **names_find(const struct names *names, const char *path) {
	uint64_t hash = str_hash(str_from(path));
	for (size_t i = 0; i < names->n; i++) {
		if (names->at[i].hash == hash && strcmp(names->at[i].path, path) == 0) {
			return &names->at[i].node;
		}
	}
	return NULL;
}

static struct node *lookup(struct sim_fs *sim, const char *path) {
	struct node **found = names_find(&sim->seen, path);
	return found ? *found : NULL;
}

static void names_set(struct names *names, const char *path, struct node *node) {
	struct node **found = names_find(names, path);
	if (found && node) {
		*found = node;
	}
	if (found && !node) { // those behind it close up: folders stay before what is in them
		size_t i = (size_t)((char *)found - (char *)names->at) / sizeof(*names->at);
		free(names->at[i].path);
		names->n--;
		memmove(&names->at[i], &names->at[i + 1], (names->n - i) * sizeof(*names->at));
	}
	if (found || !node) {
		return;
	}
	GROW(names->at, names->n, names->cap);
	names->at[names->n++] = (struct name){xstrdup(path), str_hash(str_from(path)), node};
}

static void names_free(struct names *names) {
	for (size_t i = 0; i < names->n; i++) {
		free(names->at[i].path);
	}
	free(names->at);
	*names = (struct names){NULL, 0, 0};
}

// "/a/b" is in "/a"; "/a" and "a" are in "".
static bool is_in(const char *path, const char *folder) {
	size_t n = strlen(folder);
	const char *slash = strrchr(path, '/');
	return slash ? (size_t)(slash - path) == n && strncmp(path, folder, n) == 0 : n == 0;
}

static char *parent_of(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
}

static bool has_parent(struct sim_fs *sim, const char *path) {
	_cleanup_(freep) char *parent = parent_of(path);
	struct node *node = lookup(sim, parent);
	return !*parent || (node && node->is_directory);
}

static void change_name(struct sim_fs *sim, const char *path, const char *from, struct node *node) {
	names_set(&sim->seen, path, node);
	if (from) {
		names_set(&sim->seen, from, NULL);
	}
	GROW(sim->name_changes, sim->name_change_count, sim->name_change_cap);
	sim->name_changes[sim->name_change_count++] = (struct name_change){
		xstrdup(path), from ? xstrdup(from) : NULL, node};
}

static void name_change_apply(struct names *names, const struct name_change *change) {
	names_set(names, change->path, change->node);
	if (change->from) {
		names_set(names, change->from, NULL);
	}
}

static struct node *add_node(struct sim_fs *sim, bool is_directory) {
	GROW(sim->nodes, sim->node_count, sim->node_cap);
	struct node *node = xcalloc(1, sizeof(*node));
	node->is_directory = is_directory;
	sim->nodes[sim->node_count++] = node;
	return node;
}

static void resize(struct buf *bytes, size_t n) {
	if (n > bytes->len) {
		size_t more = n - bytes->len;
		memset(buf_reserve(bytes, more), 0, more);
	}
	bytes->len = n;
}

static void patch(struct buf *bytes, int64_t offset, const void *from, size_t n) {
	if (bytes->len < (size_t)offset + n) {
		resize(bytes, (size_t)offset + n);
	}
	memcpy(bytes->at + offset, from, n);
}

// What became of a change.
enum {
	SECTOR_KEPT = 1,
	SECTOR_LOST = 2
};

// Whole sectors of one change, those up to their share of the history.
static int apply_change(struct node *node, const struct change *change, size_t index, uint64_t salt,
	int mode, size_t prefix) {
	int outcome = 0;
	if (!change->bytes) {
		if (mode == 0 || index < prefix) {
			resize(&node->durable, change->n);
		}
		return outcome;
	}
	for (size_t at = 0; at < change->n;) {
		int64_t offset = change->offset + (int64_t)at;
		size_t part = SECTOR - (size_t)offset % SECTOR;
		part = part < change->n - at ? part : change->n - at;
		uint64_t mixed = (salt ^ (uint64_t)(offset / SECTOR)) * 0x9e3779b97f4a7c15u;
		mixed ^= mixed >> 29;
		size_t mine = (size_t)((mixed * 0xbf58476d1ce4e5b9u >> 32) %
			(node->change_count + 1));
		if (mode == 0 || index < (mode == 3 ? mine : prefix)) {
			patch(&node->durable, offset, change->bytes + at, part);
			outcome |= SECTOR_KEPT;
		} else {
			outcome |= SECTOR_LOST;
		}
		at += part;
	}
	return outcome;
}

static void forget_changes(struct node *node) {
	for (size_t i = 0; i < node->change_count; i++) {
		free(node->changes[i].bytes);
	}
	node->change_count = 0;
}

// Sizes are the file system's own: it gets them to the disk later, or stops altogether.
static void forget_written(struct node *node) {
	size_t kept = 0;
	for (size_t i = 0; i < node->change_count; i++) {
		if (node->changes[i].bytes) {
			free(node->changes[i].bytes);
		} else {
			node->changes[kept++] = node->changes[i];
		}
	}
	node->change_count = kept;
}

// Modes: 0 all, 1 none, 2 a prefix in order, 3 per sector a prefix of its own.
static void settle_node(struct sim_fs *sim, struct node *node, int mode) {
	uint64_t salt = random_next(&sim->random);
	size_t prefix = mode == 1 ? 0 : (size_t)random_below(&sim->random, node->change_count + 1);
	bool has_lost = false;
	for (size_t i = 0; i < node->change_count; i++) {
		int outcome = apply_change(node, &node->changes[i], i, salt, mode, prefix);
		sim->drawn[SIM_LOST_WRITE] += outcome == SECTOR_LOST;
		sim->drawn[SIM_TORN_WRITE] += outcome == (SECTOR_KEPT | SECTOR_LOST);
		sim->drawn[SIM_REORDERED_WRITE] += has_lost && (outcome & SECTOR_KEPT);
		has_lost = has_lost || (outcome & SECTOR_LOST);
	}
}

static int64_t used_bytes(struct sim_fs *sim) {
	int64_t used = 0;
	for (size_t i = 0; i < sim->seen.n; i++) {
		struct node *node = sim->seen.at[i].node;
		used += node ? (int64_t)node->seen.len : 0;
	}
	return used;
}

static struct node *handle(struct sim_fs *sim, int fd) {
	int i = fd - FIRST_HANDLE;
	return i >= 0 && i < HANDLES_MAX && !sim->is_down ? sim->handles[i] : NULL;
}

static int sim_open(struct fs *fs, const char *path, int flags, int mode) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	struct node *node = lookup(sim, path);
	(void)mode;
	if (dice(sim, sim->faults.open_error, SIM_OPEN_ERROR)) {
		return -EIO;
	}
	if (node && node->is_directory && (flags & O_ACCMODE) != O_RDONLY) {
		return -EISDIR;
	}
	if (node && (flags & O_CREAT) && (flags & O_EXCL)) {
		return -EEXIST;
	}
	int slot = 0;
	while (slot < HANDLES_MAX && sim->handles[slot]) {
		slot++;
	}
	if (slot == HANDLES_MAX) {
		return -EMFILE;
	}
	if (!node) {
		if (!(flags & O_CREAT) || !has_parent(sim, path)) {
			return -ENOENT;
		}
		node = add_node(sim, false);
		change_name(sim, path, NULL, node);
	}
	sim->handles[slot] = node;
	if (flags & O_TRUNC) {
		(void)fs->truncate(fs, slot + FIRST_HANDLE, 0);
	}
	return slot + FIRST_HANDLE;
}

static int sim_close(struct fs *fs, int fd) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	if (!handle(sim, fd)) {
		return -EBADF;
	}
	sim->handles[fd - FIRST_HANDLE] = NULL;
	return 0;
}

static ssize_t sim_pread(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset) {
	struct node *node = handle((struct sim_fs *)fs, fd);
	if (!node || offset < 0) {
		return -EBADF;
	}
	if ((size_t)offset >= node->seen.len) {
		return 0;
	}
	size_t left = node->seen.len - (size_t)offset;
	n = n < left ? n : left;
	memcpy(bytes, node->seen.at + offset, n);
	return (ssize_t)n;
}

static void add_change(struct node *node, int64_t offset, size_t n, const void *bytes) {
	GROW(node->changes, node->change_count, node->change_cap);
	struct change change = {offset, n, NULL};
	if (bytes) {
		change.bytes = xmalloc(n);
		memcpy(change.bytes, bytes, n);
	}
	node->changes[node->change_count++] = change;
}

static ssize_t sim_pwrite(struct fs *fs, int fd, const void *bytes, size_t n, int64_t offset) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	struct node *node = handle(sim, fd);
	if (!node || node->is_directory || offset < 0) {
		return -EBADF;
	}
	if (dice(sim, sim->faults.write_error, SIM_WRITE_ERROR)) {
		return -EIO;
	}
	if (dice(sim, sim->faults.no_space, SIM_NO_SPACE)) {
		return -ENOSPC;
	}
	int64_t growth = offset + (int64_t)n - (int64_t)node->seen.len;
	if (growth > 0 && sim->capacity >= 0) {
		int64_t room = sim->capacity - used_bytes(sim);
		if (growth > room) {
			int64_t fits = (int64_t)n - (growth - (room > 0 ? room : 0));
			sim->drawn[SIM_DISK_FULL]++;
			if (fits <= 0) {
				return -ENOSPC;
			}
			n = (size_t)fits;
		}
	}
	if (n > 1 && dice(sim, sim->faults.short_write, SIM_SHORT_WRITE)) {
		n = 1 + (size_t)random_below(&sim->random, n - 1);
	}
	if (n == 0) {
		return 0;
	}
	patch(&node->seen, offset, bytes, n);
	add_change(node, offset, n, bytes);
	return (ssize_t)n;
}

static int sim_truncate(struct fs *fs, int fd, int64_t size) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	struct node *node = handle(sim, fd);
	if (!node || node->is_directory) {
		return -EBADF;
	}
	if (dice(sim, sim->faults.write_error, SIM_WRITE_ERROR)) {
		return -EIO;
	}
	resize(&node->seen, (size_t)size);
	add_change(node, 0, (size_t)size, NULL);
	return 0;
}

static int sim_sync(struct fs *fs, int fd) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	struct node *node = handle(sim, fd);
	if (!node) {
		return -EBADF;
	}
	if (dice(sim, sim->faults.sync_error, SIM_SYNC_ERROR)) {
		// Some of it got there, the rest never will; programs go on seeing the new bytes,
		// or (other file systems) the old ones again.
		settle_node(sim, node, 1 + (int)random_below(&sim->random, 3));
		forget_written(node);
		if (random_below(&sim->random, 2)) {
			forget_changes(node);
			buf_clear(&node->seen);
			buf_append_str(&node->seen, buf_str(&node->durable));
		}
		return -EIO;
	}
	if (!sim->skips_syncs) {
		settle_node(sim, node, 0);
		forget_changes(node);
	}
	return 0;
}

static void drop_name_change(struct sim_fs *sim, size_t i) {
	free(sim->name_changes[i].path);
	free(sim->name_changes[i].from);
	sim->name_change_count--;
	memmove(&sim->name_changes[i], &sim->name_changes[i + 1],
		(sim->name_change_count - i) * sizeof(*sim->name_changes));
}

static int sim_sync_directory(struct fs *fs, const char *path) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	if (dice(sim, sim->faults.sync_error, SIM_NAME_SYNC_ERROR)) {
		return -EIO; // the changes stay pending
	}
	path = strcmp(path, "/") == 0 || strcmp(path, ".") == 0 ? "" : path;
	struct node *node = lookup(sim, path);
	if (*path && (!node || !node->is_directory)) {
		return -ENOENT;
	}
	for (size_t i = 0; i < sim->name_change_count && !sim->skips_directory_syncs;) {
		if (is_in(sim->name_changes[i].path, path)) {
			name_change_apply(&sim->durable, &sim->name_changes[i]);
			drop_name_change(sim, i);
		} else {
			i++;
		}
	}
	return 0;
}

static int sim_stat(struct fs *fs, const char *path, struct fs_stat *out) {
	struct node *node = lookup((struct sim_fs *)fs, path);
	if (!node) {
		return -ENOENT;
	}
	*out = (struct fs_stat){node->is_directory, (int64_t)node->seen.len, 0};
	return 0;
}

static int sim_rename(struct fs *fs, const char *from, const char *to) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	struct node *node = lookup(sim, from);
	if (dice(sim, sim->faults.name_error, SIM_NAME_ERROR)) {
		return -EIO;
	}
	if (!node || !has_parent(sim, to)) {
		return -ENOENT;
	}
	change_name(sim, to, from, node);
	sim->drawn[SIM_RENAME]++;
	return 0;
}

static int sim_unlink(struct fs *fs, const char *path) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	struct node *node = lookup(sim, path);
	if (!node) {
		return -ENOENT;
	}
	if (node->is_directory) {
		return -EISDIR;
	}
	if (dice(sim, sim->faults.name_error, SIM_NAME_ERROR)) {
		return -EIO;
	}
	change_name(sim, path, NULL, NULL);
	return 0;
}

static int sim_mkdir(struct fs *fs, const char *path, int mode) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	(void)mode;
	if (lookup(sim, path)) {
		return -EEXIST;
	}
	if (!has_parent(sim, path)) {
		return -ENOENT;
	}
	if (dice(sim, sim->faults.name_error, SIM_NAME_ERROR)) {
		return -EIO;
	}
	change_name(sim, path, NULL, add_node(sim, true));
	return 0;
}

static int sim_list(
	struct fs *fs, const char *path, void (*on_name)(void *arg, const char *name), void *arg) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	struct node *node = lookup(sim, path);
	if (!node) {
		return -ENOENT;
	}
	if (!node->is_directory) {
		return -ENOTDIR;
	}
	for (size_t i = 0; i < sim->seen.n; i++) {
		if (sim->seen.at[i].node && is_in(sim->seen.at[i].path, path)) {
			on_name(arg, sim->seen.at[i].path + strlen(path) + 1);
		}
	}
	return 0;
}

static int64_t sim_free_bytes(struct fs *fs, const char *path) {
	struct sim_fs *sim = (struct sim_fs *)fs;
	(void)path;
	int64_t room = sim->capacity < 0 ? INT64_MAX / 2 : sim->capacity - used_bytes(sim);
	return room > 0 ? room : 0;
}

struct sim_fs *sim_fs_create(uint64_t seed) {
	struct sim_fs *sim = xcalloc(1, sizeof(*sim));
	sim->fs = (struct fs){sim_open, sim_close, sim_pread, sim_pwrite, sim_truncate, sim_sync,
		sim_sync, sim_sync_directory, sim_stat, sim_rename, sim_unlink, sim_mkdir, sim_list,
		sim_free_bytes};
	random_init(&sim->random, seed);
	sim->capacity = -1;
	return sim;
}

void sim_fs_destroy(struct sim_fs *sim) {
	if (!sim) {
		return;
	}
	while (sim->name_change_count) {
		drop_name_change(sim, sim->name_change_count - 1);
	}
	for (size_t i = 0; i < sim->node_count; i++) {
		forget_changes(sim->nodes[i]);
		free(sim->nodes[i]->changes);
		buf_finish(&sim->nodes[i]->seen);
		buf_finish(&sim->nodes[i]->durable);
		free(sim->nodes[i]);
	}
	names_free(&sim->seen);
	names_free(&sim->durable);
	free(sim->name_changes);
	free(sim->nodes);
	free(sim);
}

struct fs *sim_fs(struct sim_fs *sim) {
	return &sim->fs;
}

void sim_fs_set_faults(struct sim_fs *sim, const struct sim_fs_faults *faults) {
	sim->faults = *faults;
}

void sim_fs_set_capacity(struct sim_fs *sim, int64_t bytes) {
	sim->capacity = bytes;
}

void sim_fs_skip_directory_syncs(struct sim_fs *sim, bool skips) {
	sim->skips_directory_syncs = skips;
}

void sim_fs_skip_syncs(struct sim_fs *sim, bool skips) {
	sim->skips_syncs = skips;
}

static void go_down(struct sim_fs *sim) {
	memset(sim->handles, 0, sizeof(sim->handles));
	sim->is_down = true;
}

void sim_fs_kill(struct sim_fs *sim) {
	sim->drawn[SIM_KILL]++;
	go_down(sim);
}

void sim_fs_boot(struct sim_fs *sim) {
	sim->is_down = false;
}

uint64_t sim_fs_drawn(const struct sim_fs *sim, enum sim_fault fault) {
	return sim->drawn[fault];
}

size_t sim_fs_open_files(const struct sim_fs *sim) {
	size_t n = 0;
	for (size_t i = 0; i < HANDLES_MAX; i++) {
		n += sim->handles[i] != NULL;
	}
	return n;
}

// Programs see what is durable, no more.
static void reboot(struct sim_fs *sim) {
	go_down(sim);
	while (sim->name_change_count) {
		drop_name_change(sim, sim->name_change_count - 1);
	}
	names_free(&sim->seen);
	for (size_t i = 0; i < sim->durable.n; i++) {
		names_set(&sim->seen, sim->durable.at[i].path, sim->durable.at[i].node);
	}
	// What is in a lost folder is lost; folders come before what is in them.
	for (size_t i = 0; i < sim->seen.n; i++) {
		if (!has_parent(sim, sim->seen.at[i].path)) {
			sim->seen.at[i].node = NULL;
			names_set(&sim->durable, sim->seen.at[i].path, NULL);
		}
	}
	for (size_t i = 0; i < sim->node_count; i++) {
		struct node *node = sim->nodes[i];
		buf_clear(&node->seen);
		buf_append_str(&node->seen, buf_str(&node->durable));
	}
}

void sim_fs_crash(struct sim_fs *sim) {
	int mode = (int)random_below(&sim->random, 4);
	for (size_t i = 0; i < sim->node_count; i++) {
		settle_node(sim, sim->nodes[i], mode);
		forget_changes(sim->nodes[i]);
	}
	mode = (int)random_below(&sim->random, 4);
	size_t prefix = (size_t)random_below(&sim->random, sim->name_change_count + 1);
	for (size_t i = 0; i < sim->name_change_count; i++) {
		bool is_kept = mode == 0 || (mode == 2 && i < prefix) ||
			(mode == 3 && random_below(&sim->random, 2));
		if (is_kept) {
			name_change_apply(&sim->durable, &sim->name_changes[i]);
		}
		sim->drawn[SIM_LOST_NAME] += !is_kept;
	}
	sim->drawn[SIM_POWER_LOSS]++;
	reboot(sim);
}

void sim_fs_settle(struct sim_fs *sim) {
	for (size_t i = 0; i < sim->node_count; i++) {
		settle_node(sim, sim->nodes[i], 0);
		forget_changes(sim->nodes[i]);
	}
	for (size_t i = 0; i < sim->name_change_count; i++) {
		name_change_apply(&sim->durable, &sim->name_changes[i]);
	}
	while (sim->name_change_count) {
		drop_name_change(sim, sim->name_change_count - 1);
	}
}

bool sim_fs_flip(struct sim_fs *sim, const char *path, int64_t offset, int bit) {
	struct node *node = lookup(sim, path);
	if (!node || (size_t)offset >= node->seen.len) {
		return false;
	}
	node->seen.at[offset] ^= (char)(1 << bit);
	sim->drawn[SIM_BIT_FLIP]++;
	if ((size_t)offset < node->durable.len) {
		node->durable.at[offset] ^= (char)(1 << bit);
	}
	return true;
}

void sim_fs_put(struct sim_fs *sim, const char *path, const void *bytes, size_t n) {
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_(freep) char *folder = xstrndup(path, (size_t)(slash - path));
		if (*folder && !lookup(sim, folder)) {
			struct node *node = add_node(sim, true);
			names_set(&sim->seen, folder, node);
			names_set(&sim->durable, folder, node);
		}
	}
	struct node *node = lookup(sim, path);
	if (!node) {
		node = add_node(sim, false);
		names_set(&sim->seen, path, node);
		names_set(&sim->durable, path, node);
	}
	forget_changes(node);
	buf_clear(&node->seen);
	buf_append(&node->seen, bytes, n);
	buf_clear(&node->durable);
	buf_append(&node->durable, bytes, n);
}

uint64_t sim_fs_digest(struct sim_fs *sim) {
	uint64_t digest = 0;
	for (size_t i = 0; i < sim->seen.n; i++) {
		const struct name *name = &sim->seen.at[i];
		if (name->node) {
			// A sum: the order of names does not matter.
			digest += str_hash(str_from(name->path)) * 31 +
				str_hash(buf_str(&name->node->seen)) * 7 + name->node->is_directory;
		}
	}
	return digest;
}
