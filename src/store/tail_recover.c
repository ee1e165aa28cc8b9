// SPDX-License-Identifier: Apache-2.0
// Opening a stream: finds the end of its newest segment, erases what was never acked behind it, and
// makes sure that what was kept is durable. Every step leaves a state from which the next try comes
// to the same result.
#include <errno.h>

#include "base/alloc.h"
#include "store/tail_inside.h"

// The next frame header behind `end`, but for a MARK at `end` itself. 1, 0 or -1.
static int find_behind(struct scan *scan, int64_t from, int64_t end, struct frame *out) {
	struct err ignored;
	int found = scan_search(scan, from, scan->limit, out, &ignored);
	bool is_mark = found > 0 && out->kind == FRAME_MARK && out->offset == end;
	return is_mark ? scan_search(scan, end + 8, scan->limit, out, &ignored) : found;
}

// Writes bytes once more as they are, and syncs them. After a sync that failed the kernel may show
// bytes that are not on the disk and that it will never write: what was not known to be durable
// before must not become so by merely having been read.
static bool rewrite(struct scan *scan, int64_t from, int64_t to) {
	char bytes[4096];
	while (from < to) {
		size_t n = to - from < (int64_t)sizeof(bytes) ? (size_t)(to - from) : sizeof(bytes);
		ssize_t got = fs_read_all(scan->fs, scan->fd, bytes, n, from);
		if (got <= 0 || fs_write_all(scan->fs, scan->fd, bytes, (size_t)got, from) < 0) {
			return false;
		}
		from += got;
	}
	return scan->fs->sync_data(scan->fs, scan->fd) >= 0;
}

// Overwrites the headers of frames behind `end`, so that what was cut stays cut. They may be all
// that tells how far the durable part goes, so a MARK that says it is durable first.
static bool erase_behind(struct tail *tail, struct scan *scan, int64_t end, uint64_t *cut_bytes) {
	static const unsigned char zeroes[FRAME_HEADER_SIZE];
	struct frame frame;
	struct fs *fs = scan->fs;
	int found = find_behind(scan, end, end, &frame);
	if (found < 0) {
		return false;
	}
	if (found > 0 && end + FRAME_HEADER_SIZE <= scan->limit) {
		_cleanup_(buf_finish) struct buf mark = BUF_INIT;
		frame_append_mark(&mark, scan->seed, tail->last_sequence + 1, (uint32_t)end, 0);
		*cut_bytes += frame.offset == end ? frame.length : 0;
		if (fs_write_all(fs, scan->fd, mark.at, mark.len, end) < 0 ||
			fs->sync_data(fs, scan->fd) < 0) {
			return false;
		}
		scan_refresh(scan);
		found = find_behind(scan, end, end, &frame);
	}
	bool has_erased = found > 0;
	while (found > 0) {
		if (fs_write_all(fs, scan->fd, zeroes, sizeof(zeroes), frame.offset) < 0) {
			return false;
		}
		*cut_bytes += frame.length;
		found = find_behind(scan, frame.offset + 8, end, &frame);
	}
	return found == 0 && (!has_erased || fs->sync_data(fs, scan->fd) >= 0);
}

// A write that was lost in the durable part leaves the MARK it should have overwritten. Readers
// stop there and would not see what is written from now on: takes the MARKs before `end` away.
static bool erase_marks(struct scan *scan, int64_t end) {
	static const unsigned char zeroes[FRAME_HEADER_SIZE];
	struct err ignored;
	struct frame frame;
	int found = scan_search(scan, SEGMENT_DATA_START, end, &frame, &ignored);
	while (found > 0) {
		if (frame.kind == FRAME_MARK &&
			fs_write_all(scan->fs, scan->fd, zeroes, sizeof(zeroes), frame.offset) <
				0) {
			return false;
		}
		found = scan_search(scan, frame.offset + 8, end, &frame, &ignored);
	}
	scan_refresh(scan);
	return found == 0 && scan->fs->sync_data(scan->fs, scan->fd) >= 0;
}

static void note_damage(
	struct journal_recovery *recovery, const char *stream, uint64_t from, uint64_t to) {
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
		}
		if (result == SCAN_DAMAGE && scan->damage_to > tail->last_sequence) {
			tail->last_sequence = scan->damage_to;
		}
		if (scan->last_sequence > tail->last_sequence) {
			tail->last_sequence = scan->last_sequence;
		}
		// A segment that was taken back, whose removal a power loss undid: readers go by what it
		// says of its first record, so nothing below that may follow.
		if (result == SCAN_FRAME && frame.kind == FRAME_OPEN &&
			frame.sequence > tail->last_sequence) {
			tail->last_sequence = frame.sequence - 1;
		}
	}
}

// Continues in a segment that was begun, or keeps it to be the next when it was not.
static void adopt(struct tail *tail, struct segment_file *file, struct scan *scan, uint64_t id,
	bool is_begun, uint64_t *cut_bytes) {
	int64_t end = scan->offset;
	int64_t size = file->size < SEGMENT_SIZE_MAX ? file->size : SEGMENT_SIZE_MAX;
	int64_t proven = scan->synced < end ? scan->synced : end;
	scan->limit = size;
	if (!is_begun) {
		end = SEGMENT_DATA_START + FRAME_HEADER_SIZE;
		proven = 0; // nor is the name
	}
	bool is_usable = scan->is_clean ||
		(rewrite(scan, proven, end) && erase_behind(tail, scan, scan->offset, cut_bytes));
	is_usable = is_usable && (!is_begun || !scan->has_hole || erase_marks(scan, end));
	struct active active = {file->fd, id, file->seed, size};
	if (!is_begun && is_usable) {
		tail->next = active;
		return;
	}
	if (is_begun) {
		// What could not be written once more may have been acked all the same.
		tail->kept = (struct segment_end){id, end, tail->last_sequence};
		tail->unproven = is_usable ? -1 : proven;
		tail->is_clean = scan->is_clean;
	}
	if (is_begun && is_usable) {
		tail->now = active;
		tail->end = tail->synced = end;
		tail->marked = scan->is_clean ? end : -1;
	} else { // the next segment will say where this one ends
		segment_close(tail->fs, file);
	}
}

bool tail_prove(struct tail *tail, struct err *err) {
	struct segment_file file;
	struct scan scan;
	if (tail->unproven < 0) {
		return true;
	}
	int found = segment_open(
		tail->fs, tail->folder, tail->name, tail->kept.id, O_RDWR, &file, err);
	if (found <= 0) {
		return found < 0
			? false
			: tail_fail(tail, -ENOENT, "cannot go on from", tail->kept.id, err);
	}
	scan_init(&scan, tail->fs, file.fd, file.seed, file.size);
	bool is_proven = rewrite(&scan, tail->unproven, tail->kept.end);
	scan_finish(&scan);
	segment_close(tail->fs, &file);
	if (!is_proven) {
		return tail_fail(tail, -EIO, "cannot go on from", tail->kept.id, err);
	}
	tail->unproven = -1;
	return true;
}

// Both headers are damaged: none of its frames can be believed. How far its sequences went is
// guessed, so that none is used twice.
static void give_up(struct tail *tail, const struct segment_file *file, uint64_t id,
	struct journal_recovery *recovery) {
	uint64_t to = tail->last_sequence + (uint64_t)file->size / FRAME_HEADER_SIZE;
	to = to < RECORD_SEQUENCE_MAX ? to : RECORD_SEQUENCE_MAX;
	note_damage(recovery, tail->name, tail->last_sequence + 1, to);
	tail->last_sequence = to;
	tail->kept = (struct segment_end){id, file->size, to};
}

// Looks at the i-th segment, the newest not looked at. 1: it ends the search; 0: look further.
static int recover_segment(
	struct tail *tail, size_t i, struct journal_recovery *recovery, struct err *err) {
	uint64_t id = tail->shelf.entries[i].id;
	struct segment_file file;
	int found = segment_open(tail->fs, tail->folder, tail->name, id, O_RDWR, &file, err);
	if (found <= 0) {
		return found;
	}
	if (file.condition == SEGMENT_DAMAGED) {
		segment_close(tail->fs, &file);
		found = i > 0 ? recover_segment(tail, i - 1, recovery, err) : 0;
		tail_close_active(tail, &tail->now);
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
		(void)tail_remove_files(tail, id); // never begun; harmless if it stays
		shelf_remove(&tail->shelf, i);
	}
	scan_finish(&scan);
	return begun;
}

struct tail *tail_open(struct fs *fs, struct clock *clock, const char *folder,
	const struct journal_stream_options *options, int64_t segment_bytes,
	struct journal_recovery *recovery, struct err *err) {
	if (strlen(options->name) > STREAM_NAME_MAX) {
		(void)err_set(
			err, ERR_INVALID, "journal stream name %s is too long", options->name);
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
		.unproven = -1,
	};
	int found = shelf_load(&tail->shelf, fs, folder, tail->name, err) ? 0 : -1;
	tail->last_id = shelf_last_id(&tail->shelf);
	for (size_t i = tail->shelf.n; found == 0 && i-- > 0;) {
		found = recover_segment(tail, i, recovery, err);
	}
	// What the last process removed must not come back under what is written from here on.
	int synced = found < 0 ? 0 : tail_sync_names(tail);
	if (synced < 0 && synced != -ENOENT) {
		(void)tail_fail(tail, synced, "cannot sync the folder of", tail->kept.id, err);
		found = -1;
	}
	if (found < 0) {
		tail_close(tail);
		return NULL;
	}
	tail_find_oldest(tail);
	return tail;
}
