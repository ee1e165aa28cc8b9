// SPDX-License-Identifier: Apache-2.0
// One stream as its writer sees it: the segments it has, the one being written, the one prepared
// to come next. Frames are collected in memory and written in one piece by tail_sync, so that no
// reader sees what is not about to be durable. What is behind the last tail_keep can be taken
// back by tail_abandon.
#pragma once

#include "base/clock.h"
#include "store/index.h"
#include "store/journal.h"

struct tail;

// Opens the stream's folder (which need not exist), finds the end of its newest segment, erases
// what was never acked behind it. Adds to *recovery.
_must_use_ struct tail *tail_open(struct fs *fs, struct clock *clock, const char *folder,
	const struct journal_stream_options *options, int64_t segment_bytes,
	struct journal_recovery *recovery, struct err *err);
// Syncs nothing; frees. NULL is fine.
void tail_close(struct tail *tail);
const char *tail_name(const struct tail *tail);

// Adds a frame; may seal the segment (which syncs it) and begin the next.
_must_use_ bool tail_append(
	struct tail *tail, const struct record *records, size_t n, struct err *err);
// The last try to begin a segment failed, and no try since, by tail_maintain, has gone better.
bool tail_is_starved(const struct tail *tail);
bool tail_is_dirty(const struct tail *tail); // something was appended since the last tail_keep
// Writes and syncs. After a false the segment must be abandoned.
_must_use_ bool tail_sync(struct tail *tail, struct err *err);
// What is synced now counts as acked.
void tail_keep(struct tail *tail);
// Takes everything since the last tail_keep back; the segment is never written again.
void tail_abandon(struct tail *tail);

// Says in the file what is durable; with is_clean, that nothing follows (and syncs that).
bool tail_mark(struct tail *tail, bool is_clean, struct err *err);
// Drops what is over budget or too old, prepares the next segment, writes one missing index.
_must_use_ bool tail_maintain(struct tail *tail, struct err *err);

uint64_t tail_last_sequence(const struct tail *tail);
uint64_t tail_oldest_sequence(const struct tail *tail);
int64_t tail_size(const struct tail *tail);
uint64_t tail_dropped(const struct tail *tail);
