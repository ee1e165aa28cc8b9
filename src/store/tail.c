// SPDX-License-Identifier: Apache-2.0
// The writing end of one stream; see tail.h. The order that makes it safe: a segment's header and
// directory entry are durable before its first frame; a full segment is synced before the next is
// begun; the first frame of the next says where the one before ends. A file whose sync failed is
// never written again.
#include "store/tail.h"

#include <errno.h>

#include "base/alloc.h"
#include "store/shelf.h"

#define FIRST_SEGMENT_SIZE (256 * 1024) // small, so that a new journal is ready at once
#define LEAST_SEGMENT_SIZE 4096
#define GROWTH 4
#define PENDING_MAX (1024 * 1024) // written (not synced) before memory grows beyond it
#define RESERVE_BYTES (1024 * 1024) // left free on the disk when preparing ahead

struct active {
	int fd; // -1: none
	uint64_t id;
	uint32_t seed;
	int64_t capacity;
};

struct tail {
	struct fs *fs;
	struct clock *clock;
	char *folder; // of the journal
	char *name;
	int64_t budget_bytes, max_age_ns, segment_bytes;
	struct shelf shelf; // all segments there are
	struct active now, next;
	struct buf pending;    // frames not yet written; they go to `end`
	int64_t end;           // of what was written
	int64_t synced;        // of what is durable
	int64_t marked;        // where a MARK says so
	uint64_t last_sequence; // appended
	bool is_broken;        // something could not be written: all since tail_keep is lost
	bool is_clean;         // a CLEAN mark is at the end
	bool has_stale_names;  // removed files whose names may come back: sync before going on
	struct segment_end kept; // the last tail_keep
	uint64_t last_id;        // highest ever used
	uint64_t oldest_sequence;
	uint64_t dropped;
	uint64_t aged_id;  // the oldest segment when its age was last read
	int64_t aged_ns;   // and its latest time
	size_t checked_indexes; // of the shelf, from the oldest
};

const char *tail_name(const struct tail *tail) {
	return tail->name;
}

uint64_t tail_last_sequence(const struct tail *tail) {
	return tail->last_sequence;
}

uint64_t tail_oldest_sequence(const struct tail *tail) {
	return tail->oldest_sequence;
}

uint64_t tail_dropped(const struct tail *tail) {
	return tail->dropped;
}

int64_t tail_size(const struct tail *tail) {
	int64_t size = 0;
	for (size_t i = 0; i < tail->shelf.n; i++) {
		size += tail->shelf.entries[i].size;
	}
	return size;
}

bool tail_is_dirty(const struct tail *tail) {
	return tail->last_sequence != tail->kept.sequence || tail->is_broken;
}

static bool fail(struct tail *tail, ssize_t result, const char *what, uint64_t id, struct err *err) {
	errno = (int)-result;
	err_errno(err, "%s segment %016llx of journal stream %s", what, (unsigned long long)id,
		tail->name);
	if (err && err->code != ERR_DENIED) {
		err->code = ERR_STORAGE;
	}
	return false;
}

static int sync_names(struct tail *tail) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	buf_appendf(&path, "%s/%s", tail->folder, tail->name);
	int result = tail->fs->sync_directory(tail->fs, buf_text(&path));
	tail->has_stale_names = tail->has_stale_names && result < 0;
	return result;
}

static int remove_files(struct tail *tail, uint64_t id) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	segment_path(&path, tail->folder, tail->name, id, "index");
	(void)tail->fs->unlink(tail->fs, buf_text(&path)); // derived; usually not there
	segment_path(&path, tail->folder, tail->name, id, "segment");
	return tail->fs->unlink(tail->fs, buf_text(&path));
}

static void close_active(struct tail *tail, struct active *active) {
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

// Makes `id` of `size` bytes, durable by name and header.
static bool create(struct tail *tail, uint64_t id, int64_t size, struct active *out,
	struct err *err) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	buf_appendf(&path, "%s/%s", tail->folder, tail->name);
	if (!fs_make_directories(tail->fs, buf_text(&path), err)) {
		return false;
	}
	segment_path(&path, tail->folder, tail->name, id, "segment");
	struct fs *fs = tail->fs;
	int fd = fs->open(fs, buf_text(&path), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return fail(tail, fd, "cannot create", id, err);
	}
	unsigned char header[SEGMENT_DATA_START];
	int64_t created_ns = clock_wall(tail->clock);
	segment_format_header(header, tail->name, id, created_ns);
	ssize_t result = fs_write_all(fs, fd, header, sizeof(header), 0);
	result = result < 0 ? result : fill(tail, fd, sizeof(header), size);
	result = result < 0 ? result : fs->sync(fs, fd);
	result = result < 0 ? result : sync_names(tail);
	if (result < 0) {
		(void)fs->close(fs, fd);            // it goes away
		(void)fs->unlink(fs, buf_text(&path)); // a blank one is harmless if it stays
		return fail(tail, result, "cannot prepare", id, err);
	}
	shelf_add(&tail->shelf, id, size);
	tail->last_id = id;
	*out = (struct active){fd, id, segment_seed(tail->name, id, created_ns), size};
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
		return found < 0 ? false
				 : fail(tail, -ENOENT, "cannot recycle", old, err);
	}
	segment_path(&from, tail->folder, tail->name, old, "index");
	(void)fs->unlink(fs, buf_text(&from)); // would not match the new life anyway
	segment_path(&from, tail->folder, tail->name, old, "segment");
	segment_path(&to, tail->folder, tail->name, id, "segment");
	unsigned char header[SEGMENT_DATA_START];
	int64_t created_ns = clock_wall(tail->clock);
	segment_format_header(header, tail->name, id, created_ns);
	ssize_t result = fs_write_all(fs, file.fd, header, sizeof(header), 0);
	result = result < 0 ? result : fs->rename(fs, buf_text(&from), buf_text(&to));
	result = result < 0 ? result : fs->sync(fs, file.fd);
	result = result < 0 ? result : sync_names(tail);
	shelf_remove(&tail->shelf, 0);
	tail->checked_indexes -= tail->checked_indexes > 0;
	tail->dropped++;
	if (result < 0) {
		segment_close(fs, &file);
		(void)fs->unlink(fs, buf_text(&from)); // under whichever name it is
		(void)fs->unlink(fs, buf_text(&to));
		tail->has_stale_names = true;
		return fail(tail, result, "cannot recycle", old, err);
	}
	shelf_add(&tail->shelf, id, file.size);
	tail->last_id = id;
	*out = (struct active){
		file.fd, id, segment_seed(tail->name, id, created_ns), file.size};
	return true;
}

static void find_oldest(struct tail *tail) {
	tail->oldest_sequence = 0;
	for (size_t i = 0; i < tail->shelf.n && !tail->oldest_sequence; i++) {
		struct segment_end before;
		uint64_t first;
		if (segment_read_open(tail->fs, tail->folder, tail->name,
			    tail->shelf.entries[i].id, &before, &first)) {
			tail->oldest_sequence = first;
		}
	}
}

// The oldest may go: it is neither being written nor prepared.
static bool can_drop(const struct tail *tail) {
	uint64_t id = tail->shelf.n ? tail->shelf.entries[0].id : 0;
	return id && id != tail->now.id && id != tail->next.id && id != tail->kept.id;
}

static bool drop_oldest(struct tail *tail, struct err *err) {
	uint64_t id = tail->shelf.entries[0].id;
	int result = remove_files(tail, id);
	if (result < 0 && result != -ENOENT) {
		return fail(tail, result, "cannot drop", id, err);
	}
	shelf_remove(&tail->shelf, 0);
	tail->checked_indexes -= tail->checked_indexes > 0;
	tail->dropped++;
	find_oldest(tail);
	return true;
}

// How large the segment after one of `last` bytes should be; frames of `room` bytes must fit.
static int64_t choose_size(const struct tail *tail, int64_t last, int64_t room) {
	int64_t size = last ? last * GROWTH : FIRST_SEGMENT_SIZE;
	size = size < tail->segment_bytes ? size : tail->segment_bytes;
	room += SEGMENT_DATA_START + FRAME_OPEN_SIZE + FRAME_HEADER_SIZE;
	return size > room ? size : (room + 4095) & ~INT64_C(4095);
}

// Within the budget, recycling what must go anyway.
static bool prepare(struct tail *tail, int64_t size, struct active *out, struct err *err) {
	uint64_t id = tail->last_id + 1;
	while (tail_size(tail) + size > tail->budget_bytes && can_drop(tail)) {
		int64_t frees = tail->shelf.entries[0].size;
		bool is_last = tail_size(tail) - frees + size <= tail->budget_bytes;
		struct fs_stat found;
		_cleanup_(buf_finish) struct buf path = BUF_INIT;
		segment_path(&path, tail->folder, tail->name, tail->shelf.entries[0].id, "segment");
		if (is_last && tail->fs->stat(tail->fs, buf_text(&path), &found) == 0 &&
			found.size == size) {
			bool is_recycled = recycle(tail, id, out, err);
			find_oldest(tail);
			return is_recycled;
		}
		if (!drop_oldest(tail, err)) {
			return false;
		}
	}
	return create(tail, id, size, out, err);
}

// Removes the segments begun since the last tail_keep. Before the next is begun they must be gone,
// or their records would be read back.
static bool remove_void(struct tail *tail, struct err *err) {
	for (size_t i = tail->shelf.n; i-- > 0 && tail->shelf.entries[i].id > tail->kept.id;) {
		uint64_t id = tail->shelf.entries[i].id;
		if (id == tail->next.id) {
			continue;
		}
		int result = remove_files(tail, id);
		if (result < 0 && result != -ENOENT) {
			return fail(tail, result, "cannot take back", id, err);
		}
		shelf_remove(&tail->shelf, i);
		tail->has_stale_names = true;
	}
	int result = tail->has_stale_names ? sync_names(tail) : 0;
	return result < 0 ? fail(tail, result, "cannot sync the folder after", tail->kept.id, err)
			  : true;
}

// Puts a segment in use that can take a frame of `room` bytes.
static bool begin_segment(struct tail *tail, int64_t room, uint64_t sequence, struct err *err) {
	if (tail->now.fd < 0 && !remove_void(tail, err)) {
		return false;
	}
	struct active fresh = {.fd = -1};
	int64_t least = choose_size(tail, LEAST_SEGMENT_SIZE / GROWTH, room);
	if (tail->next.fd >= 0 && tail->next.capacity >= least) {
		fresh = tail->next;
		tail->next = (struct active){.fd = -1};
	} else {
		if (tail->next.fd >= 0) { // too small for this one
			uint64_t id = tail->next.id;
			close_active(tail, &tail->next);
			(void)remove_files(tail, id); // a blank one is harmless if it stays
			shelf_remove(&tail->shelf, tail->shelf.n - 1);
		}
		int64_t size = choose_size(tail, tail->now.capacity, room);
		if (!prepare(tail, size, &fresh, err) &&
			(size == least || !prepare(tail, least, &fresh, err))) {
			return false; // also a small one did not fit
		}
	}
	struct segment_end before = {tail->now.id, tail->end, tail->last_sequence};
	if (tail->now.fd < 0) {
		before = tail->kept;
	}
	close_active(tail, &tail->now);
	tail->now = fresh;
	tail->end = tail->synced = tail->marked = SEGMENT_DATA_START;
	tail->is_clean = false;
	buf_clear(&tail->pending);
	frame_append_open(&tail->pending, fresh.seed, sequence, SEGMENT_DATA_START, &before);
	if (!tail->oldest_sequence) {
		tail->oldest_sequence = sequence;
	}
	return true;
}

static bool flush(struct tail *tail, struct err *err) {
	if (tail->pending.len) {
		ssize_t result = fs_write_all(tail->fs, tail->now.fd, tail->pending.at,
			tail->pending.len, tail->end);
		if (result < 0) {
			tail->is_broken = true;
			return fail(tail, result, "cannot write", tail->now.id, err);
		}
		tail->end += (int64_t)tail->pending.len;
		buf_clear(&tail->pending);
		tail->is_clean = false;
	}
	return true;
}

bool tail_sync(struct tail *tail, struct err *err) {
	if (tail->is_broken) {
		return err_set(err, ERR_STORAGE, "journal stream %s lost an earlier write",
			tail->name);
	}
	if (tail->now.fd < 0 || !flush(tail, err)) {
		return tail->now.fd < 0;
	}
	if (tail->synced != tail->end) {
		int result = tail->fs->sync_data(tail->fs, tail->now.fd);
		if (result < 0) {
			tail->is_broken = true;
			return fail(tail, result, "cannot sync", tail->now.id, err);
		}
		tail->synced = tail->end;
	}
	return true;
}

void tail_keep(struct tail *tail) {
	if (tail->now.fd >= 0) {
		tail->kept = (struct segment_end){tail->now.id, tail->synced, tail->last_sequence};
	}
}

void tail_abandon(struct tail *tail) {
	struct segment_file file;
	struct err ignored;
	close_active(tail, &tail->now);
	buf_clear(&tail->pending);
	tail->last_sequence = tail->kept.sequence;
	tail->is_broken = false;
	tail->is_clean = false;
	(void)remove_void(tail, &ignored); // again before the next segment is begun
	// Cutting the file is for readers and for the room; what counts is the OPEN frame of the
	// segment that follows. So a failure does not matter, and nothing is synced.
	if (tail->kept.id && segment_open(tail->fs, tail->folder, tail->name, tail->kept.id, O_RDWR,
				     &file, &ignored) > 0) {
		bool is_cut = tail->fs->truncate(tail->fs, file.fd, tail->kept.end) == 0;
		for (size_t i = 0; is_cut && i < tail->shelf.n; i++) {
			if (tail->shelf.entries[i].id == tail->kept.id) {
				tail->shelf.entries[i].size = tail->kept.end;
			}
		}
		segment_close(tail->fs, &file);
	}
}

bool tail_append(
	struct tail *tail, const struct record *records, size_t n, struct err *err) {
	uint64_t size = frame_size(records, n);
	if (size > FRAME_SIZE_MAX) {
		return err_set(err, ERR_LIMIT, "%zu records of %llu bytes are too large for one frame",
			n, (unsigned long long)size);
	}
	if (records[0].sequence <= tail->last_sequence) {
		return err_set(err, ERR_INVALID, "sequence %llu of stream %s is not above %llu",
			(unsigned long long)records[0].sequence, tail->name,
			(unsigned long long)tail->last_sequence);
	}
	if (tail->is_broken) {
		return err_set(err, ERR_STORAGE, "journal stream %s lost an earlier write",
			tail->name);
	}
	int64_t full = tail->end + (int64_t)(tail->pending.len + size) + FRAME_HEADER_SIZE;
	if (tail->now.fd < 0 || full > tail->now.capacity) {
		if (!tail_sync(tail, err) ||
			!begin_segment(tail, (int64_t)size, records[0].sequence, err)) {
			return false;
		}
	}
	if (tail->pending.len > PENDING_MAX && !flush(tail, err)) {
		return false;
	}
	frame_append(&tail->pending, tail->now.seed, records, n, (uint32_t)tail->synced);
	tail->last_sequence = records[n - 1].sequence;
	return true;
}

bool tail_mark(struct tail *tail, bool is_clean, struct err *err) {
	bool is_there = tail->marked == tail->synced && (!is_clean || tail->is_clean);
	if (tail->now.fd < 0 || is_there || tail->synced != tail->end || tail->pending.len) {
		return true;
	}
	_cleanup_(buf_finish) struct buf mark = BUF_INIT;
	frame_append_mark(&mark, tail->now.seed, tail->last_sequence + 1, (uint32_t)tail->synced,
		is_clean ? FRAME_CLEAN : 0);
	ssize_t result = fs_write_all(tail->fs, tail->now.fd, mark.at, mark.len, tail->end);
	if (result >= 0 && is_clean) {
		result = tail->fs->sync_data(tail->fs, tail->now.fd);
	}
	if (result < 0) {
		return fail(tail, result, "cannot mark the end of", tail->now.id, err);
	}
	tail->marked = tail->synced;
	tail->is_clean = is_clean;
	return true;
}

// Makes sure of the index of one sealed segment: the oldest not looked at yet.
static bool index_one(struct tail *tail, struct err *err) {
	size_t i = tail->checked_indexes;
	struct shelf_entry *entry = i < tail->shelf.n ? &tail->shelf.entries[i] : NULL;
	if (!entry || entry->id >= tail->kept.id) {
		return true; // not sealed for good
	}
	tail->checked_indexes++;
	struct segment_file file;
	struct scan scan;
	int found = shelf_open_scan(&tail->shelf, i, tail->fs, tail->folder, tail->name, &file,
		&scan, err);
	if (found <= 0) {
		return found == 0;
	}
	struct index index;
	bool is_there = !scan.is_sealed || !scan.has_seed;
	if (!is_there && entry->has_index) {
		is_there = index_load(tail->fs, tail->folder, tail->name, entry->id, file.seed,
			&index);
		if (is_there) {
			index_finish(&index);
		}
	}
	bool is_done = is_there;
	if (!is_there && index_build(&scan, entry->id, &index, err)) {
		is_done = index_save(tail->fs, tail->folder, tail->name, entry->id, &index, err);
		entry->has_index = is_done;
		entry->size = file.size + (is_done ? (int64_t)index.file.len : 0);
		index_finish(&index);
	}
	scan_finish(&scan);
	segment_close(tail->fs, &file);
	return is_done;
}

// True when all of the oldest segment is older than allowed.
static bool is_oldest_too_old(struct tail *tail, int64_t now_ns) {
	struct segment_file file;
	struct index index;
	uint64_t id = tail->shelf.entries[0].id;
	if (tail->aged_id != id) {
		tail->aged_id = id;
		tail->aged_ns = INT64_MAX; // unknown: the budget will see to it
		if (segment_open(tail->fs, tail->folder, tail->name, id, O_RDONLY, &file, NULL) <=
			0) {
			return false;
		}
		segment_close(tail->fs, &file);
		if (index_load(tail->fs, tail->folder, tail->name, id, file.seed, &index)) {
			tail->aged_ns = index.latest_ns;
			index_finish(&index);
		}
	}
	return tail->aged_ns < now_ns - tail->max_age_ns;
}

static bool retain(struct tail *tail, struct err *err) {
	while (tail_size(tail) > tail->budget_bytes && can_drop(tail)) {
		if (!drop_oldest(tail, err)) {
			return false;
		}
	}
	int64_t now_ns = clock_wall(tail->clock);
	while (tail->max_age_ns && tail->checked_indexes > 0 && can_drop(tail) &&
		is_oldest_too_old(tail, now_ns)) {
		if (!drop_oldest(tail, err)) {
			return false;
		}
	}
	return true;
}

static bool prepare_next(struct tail *tail, struct err *err) {
	if (tail->now.fd < 0 || tail->next.fd >= 0 || tail->end < tail->now.capacity / 4) {
		return true;
	}
	int64_t size = choose_size(tail, tail->now.capacity, 0);
	int64_t spare = tail->fs->free_bytes(tail->fs, tail->folder);
	bool is_recycling = tail_size(tail) + size > tail->budget_bytes && can_drop(tail);
	// Asked first, so that a full disk costs one call a round and not a file half filled.
	if (!is_recycling && spare >= 0 && spare < size + RESERVE_BYTES) {
		return err_set(err, ERR_STORAGE,
			"only %lld KiB are free for the next segment of journal stream %s, which "
			"takes %lld KiB; %lld KiB still fit into the current one; free space",
			(long long)spare / 1024, tail->name, (long long)size / 1024,
			(long long)(tail->now.capacity - tail->end) / 1024);
	}
	return prepare(tail, size, &tail->next, err);
}

bool tail_maintain(struct tail *tail, struct err *err) {
	struct err ignored;
	(void)tail_mark(tail, false, &ignored); // it will do so next time; nothing depends on it
	bool is_indexed = index_one(tail, err);
	bool is_kept = retain(tail, err);
	bool is_ready = prepare_next(tail, err);
	return is_indexed && is_kept && is_ready;
}

// Overwrites the headers of frames behind `end`, so that what was cut stays cut. Only a MARK may
// stand at `end` itself: it says that nothing was lost.
static bool erase_behind(struct scan *scan, int64_t end, uint64_t *cut_bytes) {
	static const unsigned char zeroes[FRAME_HEADER_SIZE];
	int64_t at = end;
	scan->limit = scan->limit > scan->offset ? scan->limit : scan->offset;
	for (;;) {
		struct frame frame;
		struct err ignored;
		int found = scan_search(scan, at, scan->limit, &frame, &ignored);
		if (found <= 0) {
			return found == 0;
		}
		at = frame.offset + 8;
		if (frame.kind == FRAME_MARK && frame.offset == end) {
			continue;
		}
		if (fs_write_all(scan->fs, scan->fd, zeroes, sizeof(zeroes), frame.offset) < 0) {
			return false;
		}
		*cut_bytes += frame.length;
	}
}

static void note_damage(struct journal_recovery *recovery, const char *stream, uint64_t from,
	uint64_t to) {
	size_t n = sizeof(recovery->damage) / sizeof(*recovery->damage);
	if (recovery->damage_count < n) {
		recovery->damage[recovery->damage_count].stream = stream;
		recovery->damage[recovery->damage_count].from = from;
		recovery->damage[recovery->damage_count].to = to;
	}
	recovery->damage_count++;
}

// Walks the segment. 1 when it was ever begun, 0 when not, -1 when it cannot be read.
static int walk(struct tail *tail, struct scan *scan, const char *stream,
	struct journal_recovery *recovery, struct err *err) {
	bool is_begun = false;
	struct frame frame;
	for (;;) {
		enum scan_result result = scan_next(scan, &frame, err);
		if (result == SCAN_ERROR) {
			return -1;
		}
		if (result == SCAN_END) {
			return is_begun;
		}
		is_begun = true;
		if (result == SCAN_DAMAGE) {
			note_damage(recovery, stream, scan->damage_from, scan->damage_to);
			tail->last_sequence = scan->damage_to;
		}
		if (scan->last_sequence > tail->last_sequence) {
			tail->last_sequence = scan->last_sequence;
		}
	}
}

// Continues in a segment that was begun, or keeps it to be the next when it was not.
static void adopt(struct tail *tail, struct segment_file *file, struct scan *scan, uint64_t id,
	bool is_begun, uint64_t *cut_bytes) {
	int64_t end = scan->offset;
	int64_t size = file->size < SEGMENT_SIZE_MAX ? file->size : SEGMENT_SIZE_MAX;
	scan->limit = size;
	bool is_usable = scan->is_clean ||
		(erase_behind(scan, end, cut_bytes) &&
			tail->fs->sync_data(tail->fs, file->fd) >= 0);
	struct active active = {file->fd, id, file->seed, size};
	if (!is_begun) {
		tail->next = active;
		return;
	}
	tail->kept = (struct segment_end){id, end, tail->last_sequence};
	tail->is_clean = scan->is_clean;
	if (is_usable) {
		tail->now = active;
		tail->end = tail->synced = end;
		tail->marked = scan->is_clean ? end : -1;
	} else { // the next segment will say where this one ends
		segment_close(tail->fs, file);
	}
}

// Both headers are damaged: none of its frames can be believed. How far its sequences went is
// guessed, so that none is used twice.
static void give_up(struct tail *tail, const struct segment_file *file, uint64_t id,
	struct journal_recovery *recovery) {
	uint64_t to = tail->last_sequence + (uint64_t)file->size / FRAME_HEADER_SIZE;
	note_damage(recovery, tail->name, tail->last_sequence + 1, to);
	tail->last_sequence = to;
	tail->kept = (struct segment_end){id, file->size, to};
}

// Looks at the i-th segment, the newest not looked at. 1: it ends the search; 0: look further.
static int recover_segment(struct tail *tail, size_t i, struct journal_recovery *recovery,
	struct err *err) {
	uint64_t id = tail->shelf.entries[i].id;
	struct segment_file file;
	int found = segment_open(tail->fs, tail->folder, tail->name, id, O_RDWR, &file, err);
	if (found <= 0) {
		return found;
	}
	if (file.condition == SEGMENT_DAMAGED) {
		segment_close(tail->fs, &file);
		found = i > 0 ? recover_segment(tail, i - 1, recovery, err) : 0;
		close_active(tail, &tail->now);
		give_up(tail, &file, id, recovery);
		return found < 0 ? found : 1;
	}
	struct scan scan;
	scan_init(&scan, tail->fs, file.fd, file.seed, file.size);
	scan.has_seed = file.condition == SEGMENT_OK;
	int begun = walk(tail, &scan, tail->name, recovery, err);
	bool is_spare = begun == 0 && scan.has_seed && tail->next.fd < 0 &&
		file.size >= LEAST_SEGMENT_SIZE;
	if (begun > 0 || is_spare) {
		adopt(tail, &file, &scan, id, begun > 0, &recovery->cut_bytes);
		if (begun > 0 && !scan.is_clean) {
			recovery->was_clean = false;
		}
	} else {
		segment_close(tail->fs, &file);
	}
	if (begun == 0 && !is_spare) {
		(void)remove_files(tail, id); // never begun; harmless if it stays
		shelf_remove(&tail->shelf, i);
	}
	scan_finish(&scan);
	return begun;
}

struct tail *tail_open(struct fs *fs, struct clock *clock, const char *folder,
	const struct journal_stream_options *options, int64_t segment_bytes,
	struct journal_recovery *recovery, struct err *err) {
	if (strlen(options->name) > STREAM_NAME_MAX) {
		(void)err_set(err, ERR_INVALID, "journal stream name %s is too long", options->name);
		return NULL;
	}
	struct tail *tail = xcalloc(1, sizeof(*tail));
	int64_t size = options->budget_bytes / 4 / 4096 * 4096;
	size = size < segment_bytes ? size : segment_bytes;
	*tail = (struct tail){
		.fs = fs,
		.clock = clock,
		.folder = xstrdup(folder),
		.name = xstrdup(options->name),
		.budget_bytes = options->budget_bytes,
		.max_age_ns = options->max_age_ns,
		.segment_bytes = size > LEAST_SEGMENT_SIZE ? size : LEAST_SEGMENT_SIZE,
		.now = {.fd = -1},
		.next = {.fd = -1},
	};
	int found = shelf_load(&tail->shelf, fs, folder, tail->name, err) ? 0 : -1;
	tail->last_id = shelf_last_id(&tail->shelf);
	for (size_t i = tail->shelf.n; found == 0 && i-- > 0;) {
		found = recover_segment(tail, i, recovery, err);
	}
	if (found < 0) {
		tail_close(tail);
		return NULL;
	}
	find_oldest(tail);
	return tail;
}

void tail_close(struct tail *tail) {
	if (tail) {
		close_active(tail, &tail->now);
		close_active(tail, &tail->next);
		shelf_finish(&tail->shelf);
		buf_finish(&tail->pending);
		free(tail->folder);
		free(tail->name);
		free(tail);
	}
}
