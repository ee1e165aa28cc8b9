// SPDX-License-Identifier: Apache-2.0
// Segment files of one stream; see shelf.h. Links are never followed.
#include "store/shelf.h"

#include <errno.h>

#include "base/alloc.h"

void shelf_finish(struct shelf *shelf) {
	free(shelf->entries);
	*shelf = (struct shelf){NULL, 0, 0};
}

void shelf_add(struct shelf *shelf, uint64_t id, int64_t size) {
	if (shelf->n == shelf->cap) {
		shelf->cap = shelf->cap ? shelf->cap * 2 : 16;
		shelf->entries = xreallocarray(shelf->entries, shelf->cap, sizeof(*shelf->entries));
	}
	shelf->entries[shelf->n++] = (struct shelf_entry){.id = id, .size = size};
}

void shelf_remove(struct shelf *shelf, size_t i) {
	shelf->n--;
	memmove(&shelf->entries[i], &shelf->entries[i + 1],
		(shelf->n - i) * sizeof(*shelf->entries));
}

uint64_t shelf_last_id(const struct shelf *shelf) {
	return shelf->n ? shelf->entries[shelf->n - 1].id : 0;
}

static int compare_ids(const void *a, const void *b) {
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

static int compare_entries(const void *a, const void *b) {
	const struct shelf_entry *left = a, *right = b;
	return compare_ids(&left->id, &right->id);
}

struct listing {
	struct shelf *segments;
	struct shelf indexes;
};

static void on_name(void *arg, const char *name) {
	struct listing *listing = arg;
	uint64_t id;
	if (segment_parse_name(name, "segment", &id)) {
		shelf_add(listing->segments, id, 0);
	} else if (segment_parse_name(name, "index", &id)) {
		shelf_add(&listing->indexes, id, 0);
	}
}

static void sort(struct shelf *shelf) {
	if (shelf->n) {
		qsort(shelf->entries, shelf->n, sizeof(*shelf->entries), compare_entries);
	}
}

bool shelf_load(struct shelf *shelf, struct fs *fs, const char *folder, const char *stream,
	struct err *err) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	struct listing listing = {shelf, {NULL, 0, 0}};
	shelf->n = 0;
	buf_appendf(&path, "%s/%s", folder, stream);
	int result = fs->list(fs, buf_text(&path), on_name, &listing);
	if (result < 0 && result != -ENOENT) {
		shelf_finish(&listing.indexes);
		errno = -result;
		return err_errno(err, "cannot list %s", buf_text(&path));
	}
	sort(shelf);
	sort(&listing.indexes);
	for (size_t i = 0, j = 0; i < shelf->n; i++) {
		struct shelf_entry *entry = &shelf->entries[i];
		while (j < listing.indexes.n && listing.indexes.entries[j].id < entry->id) {
			j++;
		}
		entry->has_index = j < listing.indexes.n &&
			listing.indexes.entries[j].id == entry->id;
		struct fs_stat found;
		segment_path(&path, folder, stream, entry->id, "segment");
		if (fs->stat(fs, buf_text(&path), &found) == 0) {
			entry->size = found.size;
		}
		segment_path(&path, folder, stream, entry->id, "index");
		if (entry->has_index && fs->stat(fs, buf_text(&path), &found) == 0) {
			entry->size += found.size;
		}
	}
	shelf_finish(&listing.indexes);
	return true;
}

int segment_open(struct fs *fs, const char *folder, const char *stream, uint64_t id, int flags,
	struct segment_file *out, struct err *err) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	struct fs_stat found = {0};
	segment_path(&path, folder, stream, id, "segment");
	// O_NONBLOCK: a FIFO put in the segment's place must not hold us.
	int fd = fs->open(fs, buf_text(&path), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -ENOENT) {
		return 0;
	}
	int result = fd < 0 ? fd : fs->stat(fs, buf_text(&path), &found);
	if (result == -ENOENT) {
		(void)fs->close(fs, fd); // removed this very moment
		return 0;
	}
	if (result < 0 || found.is_directory) {
		if (fd >= 0) {
			(void)fs->close(fs, fd); // the first error is the one to tell
		}
		errno = result < 0 ? -result : EISDIR;
		(void)err_errno(err, "cannot open %s", buf_text(&path));
		return -1;
	}
	struct segment_file file = {.fd = fd, .size = found.size};
	file.condition = segment_check(fs, fd, stream, id, &file.seed, err);
	if (file.condition == SEGMENT_NEWER || file.condition == SEGMENT_UNREADABLE) {
		(void)fs->close(fs, fd); // nothing was written
		return -1;
	}
	*out = file;
	return 1;
}

void segment_close(struct fs *fs, struct segment_file *file) {
	if (file->fd >= 0) {
		(void)fs->close(fs, file->fd); // what mattered was synced
		file->fd = -1;
	}
}

bool segment_read_open(struct fs *fs, const char *folder, const char *stream, uint64_t id,
	struct segment_end *out, uint64_t *out_first_sequence) {
	struct segment_file file;
	if (segment_open(fs, folder, stream, id, O_RDONLY, &file, NULL) <= 0) {
		return false;
	}
	unsigned char bytes[FRAME_OPEN_SIZE];
	struct frame frame;
	bool is_open = file.condition == SEGMENT_OK &&
		fs_read_all(fs, file.fd, bytes, sizeof(bytes), SEGMENT_DATA_START) ==
			sizeof(bytes) &&
		frame_parse_header(bytes, file.seed, SEGMENT_DATA_START, &frame) &&
		frame.kind == FRAME_OPEN;
	if (is_open) {
		frame.bytes = bytes;
		is_open = frame_body_is_whole(&frame, file.seed);
	}
	if (is_open) {
		frame_parse_open(&frame, out);
		*out_first_sequence = frame.sequence;
	}
	segment_close(fs, &file);
	return is_open;
}

int shelf_open_scan(const struct shelf *shelf, size_t i, struct fs *fs, const char *folder,
	const char *stream, struct segment_file *out_file, struct scan *out_scan, struct err *err) {
	struct segment_end end = {0};
	uint64_t id = shelf->entries[i].id, next_sequence = 0;
	bool is_sealed = false;
	// Segments prepared and never begun may lie between.
	for (size_t next = i + 1; next < shelf->n && !is_sealed; next++) {
		is_sealed = segment_read_open(
			fs, folder, stream, shelf->entries[next].id, &end, &next_sequence);
	}
	if (is_sealed && end.id < id) {
		return 0; // begun and taken back
	}
	int found = segment_open(fs, folder, stream, id, O_RDONLY, out_file, err);
	if (found <= 0) {
		return found;
	}
	if (out_file->condition == SEGMENT_RECYCLED) {
		segment_close(fs, out_file); // dropped
		return 0;
	}
	scan_init(out_scan, fs, out_file->fd, out_file->seed, out_file->size);
	out_scan->has_seed = out_file->condition == SEGMENT_OK;
	if (is_sealed && end.id == id) {
		out_scan->is_sealed = true;
		out_scan->limit = end.end;
		out_scan->limit_sequence = end.sequence + 1;
	} else if (is_sealed) {
		out_scan->void_from = end.sequence + 1;
	}
	return 1;
}
