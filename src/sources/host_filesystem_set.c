// SPDX-License-Identifier: Apache-2.0
// The set of mounted file systems, kept over changes of the mount table, and its metrics.
#include "sources/host_filesystem.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "formats/exposition.h"
#include "sources/host_collector.h"
#include "sources/text.h"

// Their statfs answers from memory. All others may ask a network or a process of somebody's.
static const char *const local_types[] = {"bcachefs", "btrfs", "cgroup", "cgroup2", "devpts",
	"devtmpfs", "efivarfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hugetlbfs",
	"iso9660", "jfs", "mqueue", "msdos", "nilfs2", "ntfs3", "overlay", "proc", "ramfs",
	"reiserfs", "rootfs", "squashfs", "sysfs", "tmpfs", "udf", "vfat", "xfs", "zfs"};

static bool is_local(struct str type) {
	for (size_t i = 0; i < sizeof(local_types) / sizeof(local_types[0]); i++) {
		if (str_is(type, local_types[i])) {
			return true;
		}
	}
	return false;
}

void filesystems_init(struct filesystems *set) {
	*set = (struct filesystems){.by_point = MAP_INIT};
	list_init(&set->list);
}

static void remove_filesystem(struct filesystems *set, struct filesystem *filesystem) {
	map_remove(&set->by_point, str_from(filesystem->point));
	list_remove(&filesystem->node);
	buf_finish(&filesystem->answer);
	free(filesystem->point);
	free(filesystem->device);
	free(filesystem->type);
	free(filesystem->labels.point);
	free(filesystem->labels.device);
	free(filesystem->labels.type);
	free(filesystem);
}

struct update {
	struct filesystems *set;
	const struct mount_filter *filter;
	struct arena *arena;
	struct buf blocking; // mount points that may block, a NUL behind each
	struct map last;     // point -> number of its last line, which hides the others
	size_t line;
	bool is_changed;
	filesystem_fn *on_gone;
	void *arg;
};

static bool matches(const struct str *globs, size_t n, struct str text) {
	for (size_t i = 0; i < n; i++) {
		if (str_glob(globs[i], text)) {
			return true;
		}
	}
	return false;
}

// The way to a path leads through the mounts above it, so they can hang its lookup.
static bool is_below_blocking(const struct update *update, struct str point) {
	struct str rest = buf_str(&update->blocking), above;
	while (str_split(&rest, '\0', &above)) {
		if (above.len && str_starts(point, above) &&
			(point.len == above.len || point.at[above.len] == '/')) {
			return true;
		}
	}
	return false;
}

static void on_first_pass(void *arg, const struct mount_line *line) {
	struct update *update = arg;
	size_t *number = ARENA_NEW(update->arena, size_t);
	*number = ++update->line;
	map_put(&update->last, arena_copy_str(update->arena, line->point), number);
	// The root cannot be avoided; an autofs on the way to a point may mount something.
	if (!is_local(line->type) && line->point.len > 1) {
		buf_append_str(&update->blocking, line->point);
		buf_append_char(&update->blocking, '\0');
	}
}

static bool is_same(const struct filesystem *filesystem, const struct mount_line *line) {
	return str_is(line->device, filesystem->device) && str_is(line->type, filesystem->type) &&
		line->number == filesystem->number;
}

static char *copy_clean(struct str bytes) {
	struct buf text = BUF_INIT;
	clean_text(&text, bytes);
	return buf_take(&text);
}

static void add_filesystem(struct filesystems *set, const struct mount_line *line, bool may_block) {
	struct filesystem *filesystem = xcalloc(1, sizeof(*filesystem));
	filesystem->point = xstrndup(line->point.at, line->point.len);
	filesystem->device = xstrndup(line->device.at, line->device.len);
	filesystem->type = xstrndup(line->type.at, line->type.len);
	filesystem->labels.point = copy_clean(line->point);
	filesystem->labels.device = copy_clean(line->device);
	filesystem->labels.type = copy_clean(line->type);
	filesystem->number = line->number;
	filesystem->is_readonly = line->is_readonly;
	filesystem->was_writable = !line->is_readonly;
	filesystem->may_block = may_block;
	filesystem->is_listed = true;
	map_put(&set->by_point, str_from(filesystem->point), filesystem);
	list_add_last(&set->list, &filesystem->node);
}

static void on_second_pass(void *arg, const struct mount_line *line) {
	struct update *update = arg;
	struct filesystems *set = update->set;
	const struct mount_filter *filter = update->filter;
	const size_t *last = map_get(&update->last, line->point);
	if (!last || ++update->line != *last ||
		matches(filter->types, filter->type_count, line->type) ||
		matches(filter->points, filter->point_count, line->point)) {
		return;
	}
	bool may_block = !is_local(line->type) || is_below_blocking(update, line->point);
	struct filesystem *known = map_get(&set->by_point, line->point);
	if (known && is_same(known, line) && known->may_block == may_block) {
		known->is_listed = true;
		known->is_readonly = line->is_readonly;
		known->was_writable = known->was_writable || !line->is_readonly;
		return;
	}
	update->is_changed = true;
	if (known) {
		update->on_gone(update->arg, known);
		remove_filesystem(set, known);
	}
	if (map_count(&set->by_point) < FILESYSTEMS_MAX) {
		add_filesystem(set, line, may_block);
	} else {
		set->is_cut = true;
	}
}

static void mark_first(struct filesystems *set) {
	struct map seen = MAP_INIT;
	list_for_each (node, &set->list) {
		struct filesystem *filesystem = list_item(node, struct filesystem, node);
		filesystem->is_first = !map_get(&seen, map_key_u64(&filesystem->number));
		if (filesystem->is_first) {
			map_put(&seen, map_key_u64(&filesystem->number), filesystem);
		}
	}
	map_finish(&seen);
}

static void remove_unlisted(struct update *update) {
	list_for_each (node, &update->set->list) {
		struct filesystem *filesystem = list_item(node, struct filesystem, node);
		if (!filesystem->is_listed) {
			update->on_gone(update->arg, filesystem);
			remove_filesystem(update->set, filesystem);
			update->is_changed = true;
		}
	}
}

void filesystems_update(struct filesystems *set, struct str mountinfo,
	const struct mount_filter *filter, filesystem_fn *on_gone, void *arg) {
	struct update update = {.set = set,
		.filter = filter,
		.on_gone = on_gone,
		.arg = arg,
		.arena = arena_create(),
		.blocking = BUF_INIT,
		.last = MAP_INIT};
	list_for_each (node, &set->list) {
		list_item(node, struct filesystem, node)->is_listed = false;
	}
	set->is_cut = false;
	mountinfo_parse(mountinfo, on_first_pass, &update);
	update.line = 0;
	mountinfo_parse(mountinfo, on_second_pass, &update);
	remove_unlisted(&update);
	mark_first(set);
	set->version += update.is_changed;
	map_finish(&update.last);
	buf_finish(&update.blocking);
	arena_destroy(update.arena);
}

enum column {
	AVAIL,
	DEVICE_ERROR,
	FILES,
	FILES_FREE,
	FREE,
	READONLY,
	SIZE,
	COLUMNS
};

static double column_of(const struct filesystem *filesystem, enum column column) {
	const struct space *space = &filesystem->space;
	switch (column) {
	case AVAIL:
		return (double)space->avail_bytes;
	case DEVICE_ERROR:
		return filesystem->verdict != SPACE_KNOWN;
	case FILES:
		return (double)space->files;
	case FILES_FREE:
		return (double)space->files_free;
	case FREE:
		return (double)space->free_bytes;
	case READONLY: // of the mount table: statfs tells of our sandbox's mounts
		return filesystem->is_readonly;
	case SIZE:
		return (double)space->size_bytes;
	case COLUMNS:
		break;
	}
	return 0;
}

void filesystems_collect(const struct filesystems *set, struct exposition *out) {
	static const char *const families[COLUMNS][2] = {
		[AVAIL] = {"node_filesystem_avail_bytes",
			"Filesystem space available to non-root users in bytes."},
		[DEVICE_ERROR] = {"node_filesystem_device_error",
			"Whether an error occurred while getting statistics for the given device."},
		[FILES] = {"node_filesystem_files", "Filesystem total file nodes."},
		[FILES_FREE] = {"node_filesystem_files_free", "Filesystem total free file nodes."},
		[FREE] = {"node_filesystem_free_bytes", "Filesystem free space in bytes."},
		[READONLY] = {"node_filesystem_readonly", "Filesystem read-only status."},
		[SIZE] = {"node_filesystem_size_bytes", "Filesystem size in bytes."},
	};
	for (enum column column = 0; column < COLUMNS && !list_is_empty(&set->list); column++) {
		exposition_family(out, families[column][0], "gauge", families[column][1]);
		list_for_each (node, &set->list) {
			const struct filesystem *filesystem = list_item(
				node, const struct filesystem, node);
			// One that did not answer has no numbers, only the error.
			if (filesystem->verdict == SPACE_UNKNOWN ||
				(filesystem->verdict != SPACE_KNOWN && column != DEVICE_ERROR)) {
				continue;
			}
			exposition_sample(out, column_of(filesystem, column), "device",
				filesystem->labels.device, "fstype", filesystem->labels.type,
				"mountpoint", filesystem->labels.point, NULL);
		}
	}
}

void filesystems_figures(const struct filesystems *set, figure_fn *on_figure, void *arg) {
	list_for_each (node, &set->list) {
		const struct filesystem *filesystem = list_item(
			node, const struct filesystem, node);
		const struct space *space = &filesystem->space;
		const char *label = filesystem->labels.point;
		if (filesystem->verdict != SPACE_KNOWN || !filesystem->is_first) {
			continue; // bind mounts and subvolumes say the same again
		}
		double used = space_used_percent(space);
		tell_figure(on_figure, arg, "filesystem.used_percent", label, "percent",
			used < 0 ? NAN : used);
		tell_figure(on_figure, arg, "filesystem.inodes_used_percent", label, "percent",
			space_inodes_used_percent(space));
		tell_figure(on_figure, arg, "filesystem.readonly", label, "boolean",
			filesystem->is_readonly && filesystem->was_writable);
	}
}

void filesystems_finish(struct filesystems *set) {
	list_for_each (node, &set->list) {
		remove_filesystem(set, list_item(node, struct filesystem, node));
	}
	map_finish(&set->by_point);
}
