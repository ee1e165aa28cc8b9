// SPDX-License-Identifier: Apache-2.0
// Segments of one stream as files: made, recycled, dropped. A segment's header and its name are
// durable before it is handed out; a number is never used twice by one process.
#include <errno.h>

#include "base/alloc.h"
#include "store/tail_inside.h"

#define FIRST_SEGMENT_SIZE (256 * 1024) // small, so that a new journal is ready at once
#define GROWTH 4

bool tail_fail(struct tail *tail, ssize_t result, const char *what, uint64_t id, struct err *err) {
	errno = (int)-result;
	err_errno(err, "%s segment %016llx of journal stream %s", what, (unsigned long long)id,
		tail->name);
	if (err && err->code != ERR_DENIED) {
		err->code = ERR_STORAGE;
	}
	return false;
}

int tail_sync_names(struct tail *tail) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	buf_appendf(&path, "%s/%s", tail->folder, tail->name);
	int result = tail->fs->sync_directory(tail->fs, buf_text(&path));
	tail->has_stale_names = tail->has_stale_names && result < 0;
	return result;
}

int tail_remove_files(struct tail *tail, uint64_t id) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	segment_path(&path, tail->folder, tail->name, id, "index");
	(void)tail->fs->unlink(tail->fs, buf_text(&path)); // derived; usually not there
	segment_path(&path, tail->folder, tail->name, id, "segment");
	return tail->fs->unlink(tail->fs, buf_text(&path));
}

void tail_close_active(struct tail *tail, struct active *active) {
	if (active->fd >= 0) {
		(void)tail->fs->close(tail->fs, active->fd); // synced where it matters
	}
	*active = (struct active){.fd = -1};
}

// Zeroes are written, not left as a hole: syncing an overwrite of written blocks is half the price
// of syncing an allocation, and a full disk shows now.
static ssize_t fill(struct tail *tail, int fd, int64_t from, int64_t to) {
	static const unsigned char zeroes[64 * 1024];
	while (from < to) {
		size_t n = to - from < (int64_t)sizeof(zeroes) ? (size_t)(to - from)
							       : sizeof(zeroes);
		ssize_t result = fs_write_all(tail->fs, fd, zeroes, n, from);
		if (result < 0) {
			return result;
		}
		from += (int64_t)n;
	}
	return 0;
}

// What a segment not begun yet starts with: its header, and a MARK that saves readers the search
// for what might be behind it. The seed of the new life.
static uint32_t format_start(struct tail *tail, uint64_t id, struct buf *out) {
	int64_t created_ns = clock_wall(tail->clock);
	uint32_t seed = segment_seed(tail->name, id, created_ns);
	segment_format_header(
		(unsigned char *)buf_reserve(out, SEGMENT_DATA_START), tail->name, id, created_ns);
	out->len += SEGMENT_DATA_START;
	frame_append_mark(out, seed, tail->last_sequence + 1, SEGMENT_DATA_START, 0);
	return seed;
}

bool tail_remove_void(struct tail *tail, struct err *err) {
	uint64_t newest = tail->now.id > tail->kept.id ? tail->now.id : tail->kept.id;
	for (size_t i = tail->shelf.n; i-- > 0 && tail->shelf.entries[i].id > newest;) {
		uint64_t id = tail->shelf.entries[i].id;
		if (id == tail->next.id) {
			continue;
		}
		int result = tail_remove_files(tail, id);
		if (result < 0 && result != -ENOENT) {
			return tail_fail(tail, result, "cannot take back", id, err);
		}
		shelf_remove(&tail->shelf, i);
		tail->has_stale_names = true;
	}
	int result = tail->has_stale_names ? tail_sync_names(tail) : 0;
	return result < 0
		? tail_fail(tail, result, "cannot sync the folder after", tail->kept.id, err)
		: true;
}

// Makes `id` of `size` bytes, durable by name and header.
static bool create(
	struct tail *tail, uint64_t id, int64_t size, struct active *out, struct err *err) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	buf_appendf(&path, "%s/%s", tail->folder, tail->name);
	if (!tail->shelf.n && !fs_make_directories(tail->fs, buf_text(&path), err)) {
		return false;
	}
	segment_path(&path, tail->folder, tail->name, id, "segment");
	struct fs *fs = tail->fs;
	int fd = fs->open(fs, buf_text(&path), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return tail_fail(tail, fd, "cannot create", id, err);
	}
	shelf_add(&tail->shelf, id, size);
	tail->last_id = id; // never tried again under the same name
	_cleanup_(buf_finish) struct buf start = BUF_INIT;
	uint32_t seed = format_start(tail, id, &start);
	ssize_t result = fs_write_all(fs, fd, start.at, start.len, 0);
	result = result < 0 ? result : fill(tail, fd, (int64_t)start.len, size);
	result = result < 0 ? result : fs->sync(fs, fd);
	result = result < 0 ? result : tail_sync_names(tail);
	if (result < 0) {
		struct err ignored;
		(void)fs->close(fs, fd);		// it goes away
		(void)tail_remove_void(tail, &ignored); // or before the next is made
		return tail_fail(tail, result, "cannot prepare", id, err);
	}
	*out = (struct active){fd, id, seed, size};
	return true;
}

// Gives the oldest segment a new life as `id`: no blocks to allocate or fill. Its header goes
// first, so that a reader who still has it open can tell.
static bool recycle(struct tail *tail, uint64_t id, struct active *out, struct err *err) {
	struct fs *fs = tail->fs;
	uint64_t old = tail->shelf.entries[0].id;
	_cleanup_(buf_finish) struct buf from = BUF_INIT;
	_cleanup_(buf_finish) struct buf to = BUF_INIT;
	struct segment_file file;
	int found = segment_open(fs, tail->folder, tail->name, old, O_RDWR, &file, err);
	if (found <= 0) {
		return found < 0 ? false : tail_fail(tail, -ENOENT, "cannot recycle", old, err);
	}
	segment_path(&from, tail->folder, tail->name, old, "index");
	(void)fs->unlink(fs, buf_text(&from)); // would not match the new life anyway
	segment_path(&from, tail->folder, tail->name, old, "segment");
	segment_path(&to, tail->folder, tail->name, id, "segment");
	_cleanup_(buf_finish) struct buf start = BUF_INIT;
	uint32_t seed = format_start(tail, id, &start);
	// The header is durable before the first old frame goes: between the two there is no state in which
	// that frame is missing from a segment that still counts.
	size_t rest = start.len - SEGMENT_DATA_START;
	ssize_t result = fs_write_all(fs, file.fd, start.at, SEGMENT_DATA_START, 0);
	result = result < 0 ? result : fs->sync_data(fs, file.fd);
	result = result < 0 ? result
			    : fs_write_all(fs, file.fd, start.at + SEGMENT_DATA_START, rest,
				      SEGMENT_DATA_START);
	result = result < 0 ? result : fs->rename(fs, buf_text(&from), buf_text(&to));
	result = result < 0 ? result : fs->sync(fs, file.fd);
	result = result < 0 ? result : tail_sync_names(tail);
	tail->last_id = id;
	tail->dropped++;
	if (result < 0) {
		struct err ignored;
		struct fs_stat there;
		segment_close(fs, &file);
		if (fs->stat(fs, buf_text(&to), &there) == 0) { // the rename was done
			shelf_remove(&tail->shelf, 0);
			shelf_add(&tail->shelf, id, file.size);
			(void)tail_remove_void(tail, &ignored); // or before the next is made
		}
		return tail_fail(tail, result, "cannot recycle", old, err);
	}
	shelf_remove(&tail->shelf, 0);
	tail->checked_indexes -= tail->checked_indexes > 0;
	shelf_add(&tail->shelf, id, file.size);
	*out = (struct active){file.fd, id, seed, file.size};
	return true;
}

void tail_find_oldest(struct tail *tail) {
	tail->oldest_sequence = 0;
	for (size_t i = 0; i < tail->shelf.n && !tail->oldest_sequence; i++) {
		struct segment_end before;
		uint64_t first;
		if (segment_read_open(tail->fs, tail->folder, tail->name, tail->shelf.entries[i].id,
			    &before, &first)) {
			tail->oldest_sequence = first;
		}
	}
}

bool tail_can_drop(const struct tail *tail) {
	uint64_t id = tail->shelf.n ? tail->shelf.entries[0].id : 0;
	return id && id < tail->kept.id && id != tail->next.id;
}

bool tail_drop_oldest(struct tail *tail, struct err *err) {
	uint64_t id = tail->shelf.entries[0].id;
	int result = tail_remove_files(tail, id);
	if (result < 0 && result != -ENOENT) {
		return tail_fail(tail, result, "cannot drop", id, err);
	}
	shelf_remove(&tail->shelf, 0);
	tail->checked_indexes -= tail->checked_indexes > 0;
	tail->dropped++;
	tail_find_oldest(tail);
	// Or a power loss might bring back this one and not a younger one dropped after it.
	result = tail_sync_names(tail);
	return result >= 0 ||
		tail_fail(tail, result, "cannot sync the folder after dropping", id, err);
}

int64_t tail_choose_size(const struct tail *tail, int64_t last, int64_t room) {
	int64_t size = last ? last * GROWTH : FIRST_SEGMENT_SIZE;
	size = size < tail->segment_bytes ? size : tail->segment_bytes;
	room += SEGMENT_DATA_START + FRAME_OPEN_SIZE + FRAME_HEADER_SIZE;
	return size > room ? size : (room + 4095) & ~INT64_C(4095);
}

bool tail_prepare(struct tail *tail, int64_t size, struct active *out, struct err *err) {
	if (!tail_remove_void(tail, err)) {
		return false;
	}
	uint64_t id = tail->last_id + 1;
	while (tail_size(tail) + size > tail->budget_bytes && tail_can_drop(tail)) {
		int64_t frees = tail->shelf.entries[0].size;
		bool is_last = tail_size(tail) - frees + size <= tail->budget_bytes;
		struct fs_stat found;
		_cleanup_(buf_finish) struct buf path = BUF_INIT;
		segment_path(&path, tail->folder, tail->name, tail->shelf.entries[0].id, "segment");
		if (is_last && tail->fs->stat(tail->fs, buf_text(&path), &found) == 0 &&
			found.size == size) {
			bool is_recycled = recycle(tail, id, out, err);
			tail_find_oldest(tail);
			return is_recycled;
		}
		if (!tail_drop_oldest(tail, err)) {
			return false;
		}
	}
	return create(tail, id, size, out, err);
}
