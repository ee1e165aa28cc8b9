// SPDX-License-Identifier: Apache-2.0
// Reading the journal, on any thread, beside the writer or without one (annactl reads a dead
// daemon's journal with it). Merges all streams by sequence. Reading never changes a file.
//
// What was damaged is not skipped in silence: it comes as a record of type RECORD_DAMAGE whose
// sequence is the first that may be lost, whose cause is the last, and whose payload is the
// stream's name. A segment dropped by retention while reading simply ends earlier.
#pragma once

#include "base/err.h"
#include "io/fs.h"
#include "store/record.h"

struct reader;

struct reader_query {
	uint64_t after;	    // only sequences above this
	uint64_t before;    // only sequences below this; 0: no limit
	int64_t since_ns;   // only records of at least this wall time; 0: no limit
	bool backward;	    // newest first
	const char *stream; // only this one; NULL: all
};

_must_use_ struct reader *reader_open(
	struct fs *fs, const char *folder, const struct reader_query *query, struct err *err);
void reader_close(struct reader *reader);
// 1: *out is the next record, its payload valid until the next call; 0: no more; -1: *err.
int reader_next(struct reader *reader, struct record *out, struct err *err);

// The record with exactly this sequence, its payload appended to *payload (out->payload points
// there). 1 found, 0 not (out->sequence is then the oldest kept: "beyond retention"), -1 error.
int reader_find(struct fs *fs, const char *folder, uint64_t sequence, struct buf *payload,
	struct record *out, struct err *err);
// Calls on_effect for each record caused by `cause`, in order of sequence, at most `limit`; by the
// segments' cause indexes. -1 with *err, else how many.
int reader_effects(struct fs *fs, const char *folder, uint64_t cause, int limit,
	void (*on_effect)(void *arg, const struct record *record), void *arg, struct err *err);
