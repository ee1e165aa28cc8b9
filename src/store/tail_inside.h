// SPDX-License-Identifier: Apache-2.0
// The inside of struct tail, for tail.c (writing), tail_files.c (making and dropping segments) and
// tail_recover.c (opening) only.
#pragma once

#include "store/shelf.h"
#include "store/tail.h"

#define LEAST_SEGMENT_SIZE 4096

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
	struct buf pending;	 // frames not yet written; they go to `end`
	int64_t end;		 // of what was written
	int64_t synced;		 // of what is durable
	int64_t marked;		 // where a MARK says so
	uint64_t last_sequence;	 // appended
	bool is_broken;		 // something could not be written: all since tail_keep is lost
	bool is_clean;		 // a CLEAN mark is at the end
	bool is_starved;	 // no segment could be begun: nothing is kept until one can
	bool has_stale_names;	 // removed files whose names may come back: sync before going on
	struct segment_end kept; // the last tail_keep
	int64_t unproven; // of kept, from here on: was read, and is perhaps not durable; -1: all is
	uint64_t last_id; // highest ever used
	uint64_t oldest_sequence;
	uint64_t dropped;
	uint64_t aged_id;	// the oldest segment when its age was last read
	int64_t aged_ns;	// and its latest time
	size_t checked_indexes; // of the shelf, from the oldest
};

// Writes *err from a negative result; returns false.
bool tail_fail(struct tail *tail, ssize_t result, const char *what, uint64_t id, struct err *err);
// Makes the names in the stream's folder durable; 0 or -errno.
int tail_sync_names(struct tail *tail);
int tail_remove_files(struct tail *tail, uint64_t id);
void tail_close_active(struct tail *tail, struct active *active);
// Removes the segments that were taken back or never finished. Before the next is begun they must
// be gone, or their records would be read back.
bool tail_remove_void(struct tail *tail, struct err *err);
// Makes durable what opening could not; before that nothing may follow it.
bool tail_prove(struct tail *tail, struct err *err);
void tail_find_oldest(struct tail *tail);
// The oldest may go: all in it was acked, and it is not the one being written.
bool tail_can_drop(const struct tail *tail);
bool tail_drop_oldest(struct tail *tail, struct err *err);
// How large the segment after one of `last` bytes should be; frames of `room` bytes must fit.
int64_t tail_choose_size(const struct tail *tail, int64_t last, int64_t room);
// Makes the next segment within the budget, recycling what must go anyway.
bool tail_prepare(struct tail *tail, int64_t size, struct active *out, struct err *err);
