// SPDX-License-Identifier: Apache-2.0
// The journal against a model of what it promised: a seed makes a schedule of appends, batches,
// syncs, maintenance, closes, kills, power losses, faults, full disks and flipped bits on a
// simulated disk (sim_fs.h); after every restart all that can be read is compared.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/fakes/sim_fs.h"

enum planted_bug {
	BUG_NONE,
	BUG_NO_DIRECTORY_SYNC, // names are not made durable
	BUG_ACK_BEFORE_SYNC,   // sync says yes and does nothing
	BUG_BATCH_NOT_ATOMIC,  // a batch is one frame per record
};

// How often each kind of fault happened in all schedules of this process so far.
extern uint64_t schedule_drawn[SIM_FAULTS];

// True when every promise was kept; else *out_reason says what was seen.
bool schedule_run(uint64_t seed, enum planted_bug bug, struct buf *out_reason);
// The first seed in [from, from + n) that fails, its reason in *out_reason; UINT64_MAX if none.
uint64_t schedule_find(uint64_t from, uint64_t n, enum planted_bug bug, struct buf *out_reason);
