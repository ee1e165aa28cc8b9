// SPDX-License-Identifier: Apache-2.0
// Walks the frames of one segment in order, as recovery, the readers and the index builder all do:
// only whole frames count; a hole that was durable once is damage, reported with its range and
// skipped; a hole at the end is a write nobody was promised, and ends the walk. Safe beside a
// writer. Always ends: every step moves forward or stops.
#pragma once

#include "store/segment.h"

struct scan {
	struct fs *fs;
	int fd;
	uint32_t seed;
	bool has_seed; // false: no whole header, so nothing here can be believed
	int64_t offset;
	int64_t limit;
	// Set when what comes behind limit is known: all before limit was durable then, and the
	// first record behind it has this sequence.
	bool is_sealed;
	uint64_t limit_sequence;
	// Records from this sequence on were taken back, as a later segment tells where the one that says
	// where this one ends is damaged. 0: not known.
	uint64_t void_from;
	uint64_t last_sequence; // the last whole record's; nothing lower is accepted
	bool trusts_mark;	// a MARK ends the walk without looking behind it
	bool is_clean;		// ended at a CLEAN mark
	bool has_hole;		// something before the durable end was not whole
	int64_t synced;		// the highest offset a frame walked over says is durable
	// Of the last SCAN_DAMAGE: sequences that may be lost.
	uint64_t damage_from, damage_to;
	int64_t acked_end; // -1: not looked for yet
	uint64_t acked_sequence;
	struct buf window;
	int64_t window_at;
};

enum scan_result {
	SCAN_FRAME,
	SCAN_DAMAGE,
	SCAN_END,
	SCAN_ERROR
};

// Begins at SEGMENT_DATA_START with nothing known; the caller then sets what is.
void scan_init(struct scan *scan, struct fs *fs, int fd, uint32_t seed, int64_t size);
void scan_finish(struct scan *scan);
// The next DATA or OPEN frame, valid until the next call. At SCAN_END scan->offset is where the
// durable part ends.
enum scan_result scan_next(struct scan *scan, struct frame *out, struct err *err);
// The first frame header at or behind `from` and before `to`, its body unread. 1, 0 or -1.
int scan_search(struct scan *scan, int64_t from, int64_t to, struct frame *out, struct err *err);
// 1 when a whole frame is at offset (valid until the next call), 0 or -1.
int scan_frame_at(struct scan *scan, int64_t offset, struct frame *out, struct err *err);
// Forgets what was read: the next call reads the file again.
void scan_refresh(struct scan *scan);
