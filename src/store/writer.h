// SPDX-License-Identifier: Apache-2.0
// The journal worker: takes records from the loop, appends all that wait, syncs once (group
// commit), then reports on the loop what is durable. Owns the journal while it runs.
#pragma once

#include "base/buf.h"
#include "base/histogram.h"
#include "base/windows.h"
#include "io/mailbox.h"
#include "store/journal.h"

struct loop;
struct writer;

// On the loop, in order of sequence: all records from first to last are durable (err NULL), or
// none of them is kept (err says why; the disk was full or failed, also after trying again).
typedef void writer_result_fn(void *arg, uint64_t first, uint64_t last, const struct err *err);

struct writer_stats {
	struct journal_stats journal;
	struct histogram sync_ns;	    // per group commit
	const struct windows *sync_windows; // the same over the last minutes; borrowed
	struct histogram batch;		    // records per group commit
	bool is_failing;		    // the last commit failed
	bool is_short;			    // maintenance could not prepare the next segments
	char reason[256];		    // of either
	size_t depth, deepest;		    // records waiting
	size_t capacity;
	struct mailbox_stats inbox, outbox;
	uint64_t progress; // commits tried: for the watchdog
};

// Takes the journal. `capacity` records may wait.
_must_use_ struct writer *writer_start(struct loop *loop, struct journal *journal, size_t capacity,
	writer_result_fn *on_result, void *arg, struct err *err);
// Commits what waits, reports it, closes the journal. NULL is fine.
void writer_stop(struct writer *writer);
// Queues one record; takes the payload's memory on success (the buf becomes empty) and leaves it
// on failure. False when the queue is full: the caller says BUSY.
_must_use_ bool writer_append(struct writer *writer, const char *stream, uint64_t sequence,
	uint64_t cause, int64_t time_ns, enum record_type type, struct buf *payload);
void writer_get_stats(struct writer *writer, struct writer_stats *out);
