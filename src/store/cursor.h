// SPDX-License-Identifier: Apache-2.0
// Reads one stream in either direction, a block of frames at a time (64 KiB, or what one hole or
// one large frame takes), so that the last few records cost one block and not a segment.
#pragma once

#include "store/reader.h"
#include "store/index.h"
#include "store/shelf.h"

struct cursor_entry {
	struct record record; // payload.at is set by cursor_peek
	size_t payload_at;    // in cursor->bytes
};

struct cursor {
	struct fs *fs;
	char *folder;
	char *stream;
	struct reader_query query;
	struct shelf shelf;
	size_t segment; // forward: the one to open next; backward: one above it
	bool is_open;
	bool is_placed; // the place where the query begins was found
	bool is_done;
	struct segment_file file;
	struct scan scan;
	int64_t file_limit;
	// Backward: the block in hand began here, with this sequence.
	int64_t block_start;
	uint64_t block_sequence;
	uint64_t lowest;	// backward: the lowest handed out; 0: none yet
	uint64_t last_sequence; // forward: before the segment opened next
	uint64_t open_damage;	// backward: a range that ends here, its start not known yet; or 0
	struct buf bytes;
	struct cursor_entry *entries;
	size_t n, cap, at;
};

// False when the stream cannot be listed. cursor_finish in any case.
_must_use_ bool cursor_init(struct cursor *cursor, struct fs *fs, const char *folder,
	const char *stream, const struct reader_query *query, struct err *err);
void cursor_finish(struct cursor *cursor);
// The record in hand, read if need be: 1; 0 at the end; -1 on error. Valid until cursor_skip.
int cursor_peek(struct cursor *cursor, struct record *out, struct err *err);
void cursor_skip(struct cursor *cursor);
// The index of the newest segment that begins at or before `sequence` (0 when none does).
size_t cursor_segment_of(const struct cursor *cursor, uint64_t sequence);
// The first sequence kept, 0 when there is none.
uint64_t cursor_oldest(const struct cursor *cursor);
// Sets scan to a frame boundary at most about a block before the first record at or above
// `sequence`.
_must_use_ bool cursor_seek(struct scan *scan, uint64_t sequence, struct err *err);
