// SPDX-License-Identifier: Apache-2.0
// The writing end of one stream; see tail.h. The order that makes it safe: a segment's header and
// directory entry are durable before its first frame; a full segment is synced before the next is
// begun; the first frame of the next says where the one before ends. A file whose sync failed is
// never written again.
#include "store/tail.h"

#include <errno.h>

#include "base/alloc.h"
#include "store/tail_inside.h"

#define PENDING_MAX (1024 * 1024)   // written (not synced) before memory grows beyond it
#define RESERVE_BYTES (1024 * 1024) // left free on the disk when preparing ahead

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

bool tail_is_starved(const struct tail *tail) {
	return tail->is_starved;
}

bool tail_is_dirty(const struct tail *tail) {
	return tail->last_sequence != tail->kept.sequence || tail->is_broken;
}

// Cuts the abandoned segment where the last good sync left it: for readers, for the room, and so
// that one flipped bit in the OPEN frame of its successor does not bring back what was taken back.
// That frame is what counts; so a failure here does not matter.
static void cut_abandoned(struct tail *tail, bool syncs) {
	struct segment_file file;
	struct err ignored;
	if (!tail->kept.id ||
		segment_open(tail->fs, tail->folder, tail->name, tail->kept.id, O_RDWR, &file,
			&ignored) <= 0) {
		return;
	}
	bool is_cut = tail->fs->truncate(tail->fs, file.fd, tail->kept.end) == 0;
	for (size_t i = 0; is_cut && i < tail->shelf.n; i++) {
		if (tail->shelf.entries[i].id == tail->kept.id) {
			tail->shelf.entries[i].size = tail->kept.end;
		}
	}
	if (is_cut && syncs) {
		(void)tail->fs->sync(tail->fs, file.fd); // nothing acked depends on it
	}
	segment_close(tail->fs, &file);
}

// Puts a segment in use that can take a frame of `room` bytes.
static bool begin_segment(struct tail *tail, int64_t room, uint64_t sequence, struct err *err) {
	tail->is_starved = true; // until it is begun
	if (!tail_prove(tail, err) || !tail_remove_void(tail, err)) {
		return false;
	}
	struct active fresh = {.fd = -1};
	int64_t least = tail_choose_size(tail, 1, room); // just what it takes
	if (tail->next.fd >= 0 && tail->next.capacity >= least) {
		fresh = tail->next;
		tail->next = (struct active){.fd = -1};
	} else {
		tail_close_active(tail, &tail->next); // too small, if any: prepare removes it
		int64_t size = tail_choose_size(tail, tail->now.capacity, room);
		struct err larger = ERR_INIT; // what a small one makes good is no failure
		bool is_ready = tail_prepare(tail, size, &fresh, &larger);
		if (!is_ready && size == least && err) {
			*err = larger;
		}
		if (!is_ready && (size == least || !tail_prepare(tail, least, &fresh, err))) {
			return false; // also a small one did not fit
		}
	}
	struct segment_end before = {tail->now.id, tail->end, tail->last_sequence};
	if (tail->now.fd < 0) {
		before = tail->kept;
		cut_abandoned(tail, true);
	}
	tail_close_active(tail, &tail->now);
	tail->now = fresh;
	tail->end = tail->synced = tail->marked = SEGMENT_DATA_START;
	tail->is_clean = false;
	buf_clear(&tail->pending);
	frame_append_open(&tail->pending, fresh.seed, sequence, SEGMENT_DATA_START, &before);
	if (!tail->oldest_sequence) {
		tail->oldest_sequence = sequence;
	}
	tail->is_starved = false;
	return true;
}

static bool flush(struct tail *tail, struct err *err) {
	if (tail->pending.len) {
		ssize_t result = fs_write_all(
			tail->fs, tail->now.fd, tail->pending.at, tail->pending.len, tail->end);
		if (result < 0) {
			tail->is_broken = true;
			return tail_fail(tail, result, "cannot write", tail->now.id, err);
		}
		tail->end += (int64_t)tail->pending.len;
		buf_clear(&tail->pending);
		tail->is_clean = false;
	}
	return true;
}

bool tail_sync(struct tail *tail, struct err *err) {
	if (tail->is_broken) {
		return err_set(
			err, ERR_STORAGE, "journal stream %s lost an earlier write", tail->name);
	}
	if (tail->now.fd < 0 || !flush(tail, err)) {
		return tail->now.fd < 0;
	}
	if (tail->synced != tail->end) {
		int result = tail->fs->sync_data(tail->fs, tail->now.fd);
		if (result < 0) {
			tail->is_broken = true;
			return tail_fail(tail, result, "cannot sync", tail->now.id, err);
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
	struct err ignored;
	tail_close_active(tail, &tail->now);
	buf_clear(&tail->pending);
	tail->last_sequence = tail->kept.sequence;
	tail->is_broken = false;
	tail->is_clean = false;
	// Tried again before the next segment is begun. As long as a segment that was taken back may
	// still say that this one goes on, it is not cut: that would look like damage.
	if (tail_remove_void(tail, &ignored)) {
		cut_abandoned(tail, false);
	}
}

bool tail_append(struct tail *tail, const struct record *records, size_t n, struct err *err) {
	uint64_t size = frame_size(records, n);
	if (size > FRAME_SIZE_MAX) {
		return err_set(err, ERR_LIMIT,
			"%zu records of %llu bytes are too large for one frame", n,
			(unsigned long long)size);
	}
	if (records[0].sequence <= tail->last_sequence) {
		return err_set(err, ERR_INVALID, "sequence %llu of stream %s is not above %llu",
			(unsigned long long)records[0].sequence, tail->name,
			(unsigned long long)tail->last_sequence);
	}
	if (tail->is_broken) {
		return err_set(
			err, ERR_STORAGE, "journal stream %s lost an earlier write", tail->name);
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

// After a segment was abandoned: begins the next with nothing but the word where that one ends, so
// that what was taken back cannot return after a restart, and damage to its end is noticed.
static bool seal_abandoned(struct tail *tail, struct err *err) {
	if (tail->now.fd >= 0 || !tail->kept.id) {
		return tail->now.fd >= 0 || tail_remove_void(tail, err);
	}
	if (!begin_segment(tail, 0, tail->last_sequence + 1, err)) {
		return false;
	}
	if (!tail_sync(tail, err)) {
		tail_abandon(tail);
		return false;
	}
	tail_keep(tail);
	return true;
}

bool tail_mark(struct tail *tail, bool is_clean, struct err *err) {
	if (is_clean && !seal_abandoned(tail, err)) {
		return false;
	}
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
		return tail_fail(tail, result, "cannot mark the end of", tail->now.id, err);
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
	int found = shelf_open_scan(
		&tail->shelf, i, tail->fs, tail->folder, tail->name, &file, &scan, err);
	if (found <= 0) {
		return found == 0;
	}
	struct index index;
	struct frame frame;
	if (scan_frame_at(&scan, SEGMENT_DATA_START, &frame, err) > 0 && frame.kind == FRAME_MARK) {
		// Prepared once and never begun: a removal that a power loss undid.
		uint64_t id = entry->id;
		scan_finish(&scan);
		segment_close(tail->fs, &file);
		int result = tail_remove_files(tail, id);
		tail->checked_indexes--;
		shelf_remove(&tail->shelf, tail->checked_indexes);
		return result >= 0 || result == -ENOENT ||
			tail_fail(tail, result, "cannot drop", id, err);
	}
	bool is_there = !scan.is_sealed || !scan.has_seed;
	if (!is_there && entry->has_index) {
		is_there = index_load(
			tail->fs, tail->folder, tail->name, entry->id, file.seed, &index);
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
	while (tail_size(tail) > tail->budget_bytes && tail_can_drop(tail)) {
		if (!tail_drop_oldest(tail, err)) {
			return false;
		}
	}
	int64_t now_ns = clock_wall(tail->clock);
	while (tail->max_age_ns && tail->checked_indexes > 0 && tail_can_drop(tail) &&
		is_oldest_too_old(tail, now_ns)) {
		if (!tail_drop_oldest(tail, err)) {
			return false;
		}
	}
	return true;
}

static bool prepare_next(struct tail *tail, struct err *err) {
	if (tail->is_starved) { // any segment will do, to see whether there is room again
		tail->is_starved = tail->next.fd < 0 &&
			!tail_prepare(tail, tail_choose_size(tail, 1, 0), &tail->next, err);
		return !tail->is_starved;
	}
	if (tail->now.fd < 0 || tail->next.fd >= 0 || tail->end < tail->now.capacity / 4) {
		return true;
	}
	int64_t size = tail_choose_size(tail, tail->now.capacity, 0);
	int64_t spare = tail->fs->free_bytes(tail->fs, tail->folder);
	bool is_recycling = tail_size(tail) + size > tail->budget_bytes && tail_can_drop(tail);
	// Asked first, so that a full disk costs one call a round and not a file half filled.
	if (!is_recycling && spare >= 0 && spare < size + RESERVE_BYTES) {
		return err_set(err, ERR_STORAGE,
			"only %lld KiB are free for the next segment of journal stream %s, which "
			"takes %lld KiB; %lld KiB still fit into the current one; free space",
			(long long)spare / 1024, tail->name, (long long)size / 1024,
			(long long)(tail->now.capacity - tail->end) / 1024);
	}
	return tail_prepare(tail, size, &tail->next, err);
}

bool tail_maintain(struct tail *tail, struct err *err) {
	struct err ignored;
	if (!seal_abandoned(tail, err)) {
		return false;
	}
	(void)tail_mark(tail, false, &ignored); // it will do so next time; nothing depends on it
	bool is_indexed = index_one(tail, err);
	bool is_kept = retain(tail, err);
	bool is_ready = prepare_next(tail, err);
	return is_indexed && is_kept && is_ready;
}

void tail_close(struct tail *tail) {
	if (tail) {
		tail_close_active(tail, &tail->now);
		tail_close_active(tail, &tail->next);
		shelf_finish(&tail->shelf);
		buf_finish(&tail->pending);
		free(tail->folder);
		free(tail->name);
		free(tail);
	}
}
