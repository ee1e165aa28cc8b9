// SPDX-License-Identifier: Apache-2.0
// The journal: several streams of records (normal, audit, telemetry, state), each a folder of
// segments with its own hard budget of bytes and age. One writer. An append of several records is
// one frame under one checksum, so a batch is there whole or not at all. What journal_sync has
// returned true for survives kill -9 and power loss at any byte.
//
// This is the synchronous core, driven by store/writer on its own thread and by the simulator
// directly. The file format is described at the top of segment.h.
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "io/fs.h"
#include "store/record.h"

#define JOURNAL_STREAMS_MAX 16
#define JOURNAL_SEGMENT_SIZE (4 * 1024 * 1024)

struct journal;

struct journal_stream_options {
	const char *name;     // folder name
	int64_t budget_bytes; // hard: oldest segments go first
	int64_t max_age_ns;   // 0: no limit
};

struct journal_options {
	const struct journal_stream_options *streams;
	size_t stream_count;
	int64_t segment_bytes; // 0: JOURNAL_SEGMENT_SIZE; tests use small ones
};

// What opening found; ranges of sequence numbers, inclusive; 0 to 0: none.
struct journal_recovery {
	uint64_t last_sequence; // the highest in use: readable, or acked once and damaged
	bool was_clean;		// closed by journal_close
	uint64_t cut_bytes;	// unacked tail, cut silently
	size_t damage_count;	// damaged ranges before an acked offset: lost and skipped
	struct {
		const char *stream;
		uint64_t from, to; // sequences that may be lost
	} damage[16];
};

// Opens or creates the journal below `folder`. Recovery always ends, and running it twice changes
// nothing. Fails only when the folder cannot be read or written (*err says why).
_must_use_ struct journal *journal_open(struct fs *fs, struct clock *clock, const char *folder,
	const struct journal_options *options, struct journal_recovery *out, struct err *err);
// Syncs, marks the close as clean, frees. NULL is fine.
void journal_close(struct journal *journal);

// Writes n records of one stream as one frame; sequences must rise over all calls. Not durable
// before journal_sync. False (nothing of it will be read back) when the disk refuses; the caller
// may try again with the same records, after a journal_sync: when what refused was a write of
// earlier records, that sync is the one to say so.
_must_use_ bool journal_append(struct journal *journal, const char *stream,
	const struct record *records, size_t n, struct err *err);
// Makes everything appended so far durable, in all streams. False when that failed: the affected
// segments are abandoned and all records appended since the last successful sync count as not
// kept; the caller appends them again (they go to new segments) or gives up.
_must_use_ bool journal_sync(struct journal *journal, struct err *err);
// Drops what is over budget or age, prepares the next segments (so that a full disk is noticed
// early), writes indexes of full ones. Call it when idle. False: says what is short, and what
// still fits.
_must_use_ bool journal_maintain(struct journal *journal, struct err *err);

// True as long as a stream can keep nothing, though others may: it found no room for a segment.
bool journal_is_starved(const struct journal *journal);

struct journal_stats {
	uint64_t appended_records;
	uint64_t appended_bytes;
	uint64_t syncs;
	uint64_t failed_syncs;
	int64_t size_bytes;	   // on disk, all streams
	uint64_t oldest_sequence;  // still kept, 0 when empty
	uint64_t dropped_segments; // by budget or age
};
void journal_get_stats(const struct journal *journal, struct journal_stats *out);
