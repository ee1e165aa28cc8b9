// SPDX-License-Identifier: Apache-2.0
// Reading one answer to ListUnits in a job, private to the source `units`: with thousands of units it
// takes longer than the loop has. The job owns a copy of the message.
#pragma once

#include "sources/units.h"

struct jobs;
struct snapshot;
struct unit_reading;

// On the loop, once; listing NULL: it cannot be read. Valid during the call.
typedef void unit_reading_fn(void *arg, const struct unit_listing *listing);

// The snapshot (may be NULL) holds the filter's text. NULL: every place for a job is taken.
struct unit_reading *unit_reading_start(struct jobs *jobs, struct snapshot *snapshot,
	const struct unit_filter *filter, struct str message, unit_reading_fn *on_done, void *arg);
// Its owner goes: on_done does not come any more.
void unit_reading_forget(struct unit_reading *reading);
