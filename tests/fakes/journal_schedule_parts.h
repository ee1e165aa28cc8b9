// SPDX-License-Identifier: Apache-2.0
// What journal_schedule.c, which does things to the journal, and journal_readback.c, which reads all of
// it back and holds it against the model, share. Nobody else includes it.
#pragma once

#include "store/journal.h"
#include "tests/fakes/fake_loop.h"
#include "tests/fakes/journal_schedule.h"
#include "tests/fakes/sim_fs.h"

#define STREAMS 3
#define FOLDER "/state/journal"

enum status {
	PENDING,
	ACKED,
	FAILED,
	MAYBE
};

struct known {
	uint64_t sequence, cause, batch;
	int64_t time_ns;
	int stream;
	enum status status;
	size_t len;
	uint64_t serial;  // what the payload is made of
	bool is_seen;	  // in the reading that is being checked
	bool is_damaged;  // in a range reported as damaged there
	bool was_pending; // before it became MAYBE
};

struct schedule {
	struct random random;
	struct sim_fs *sim;
	struct fake_clock clock;
	struct journal *journal;
	struct journal_stream_options streams[STREAMS];
	struct journal_options options;
	struct journal_recovery recovery;
	enum planted_bug bug;
	struct err err; // of the last append
	struct known *known;
	size_t n, cap;
	uint64_t last_sequence, last_batch, last_serial;
	bool has_open_failure[STREAMS]; // FAILED ones may still turn up
	bool has_faults, is_full, has_flips, has_budget;
	bool is_broken;	 // an append failed since the last sync
	bool is_excused; // and so that sync had to fail
	struct buf *reason;
};

extern const char *const schedule_streams[STREAMS];

// Notes the reason; false.
_printf_(2, 3) bool schedule_broken(struct schedule *schedule, const char *format, ...);
uint64_t schedule_below(struct schedule *schedule, uint64_t bound);
void known_make_payload(const struct known *known, struct buf *out);

// Reads the whole journal, and by queries, and marks what was seen; false with a reason when it is not
// what the model says.
bool schedule_read_back(struct schedule *schedule);
