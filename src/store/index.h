// SPDX-License-Identifier: Apache-2.0
// The sidecar of a sealed segment, <id>.index: what range of sequences and times it holds and,
// sorted, which frames hold records caused by which. Derived: it is rebuilt by scanning when it is
// missing or bad, and a reader does without it. Little-endian:
//
//	"ANNAINDX", u32 crc of the rest, u32 version, u64 segment id, u32 segment seed, u32 causes,
//	u64 first sequence, u64 last sequence, i64 earliest time, i64 latest time, i64 end,
//	then `causes` times: u64 cause, u32 frame offset
//
// Positions by sequence need no table: a probe anywhere in a segment finds the next frame within
// a few hundred bytes, so they are found by bisection, in the segment being written too.
#pragma once

#include "store/scan.h"

struct index {
	uint64_t first_sequence; // 0: no records
	uint64_t last_sequence;
	int64_t earliest_ns;
	int64_t latest_ns;
	int64_t end;
	size_t cause_count;
	struct buf file; // the bytes, with the pairs
};

void index_finish(struct index *index);
// Scans a sealed segment from its start. False with *err when it cannot be read.
_must_use_ bool index_build(struct scan *scan, uint64_t id, struct index *out, struct err *err);
// Writes it beside its segment. Not synced: a lost or torn one is built again.
_must_use_ bool index_save(struct fs *fs, const char *folder, const char *stream, uint64_t id,
	const struct index *index, struct err *err);
// False when there is none that belongs to this very segment and is whole.
_must_use_ bool index_load(struct fs *fs, const char *folder, const char *stream, uint64_t id,
	uint32_t seed, struct index *out);
// Offsets of frames with effects of `cause`, rising: *cursor is 0 at first; -1 at the end.
int64_t index_next_effect(const struct index *index, uint64_t cause, size_t *cursor);
