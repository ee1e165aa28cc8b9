// SPDX-License-Identifier: Apache-2.0
// One timer's schedule, pure: which of its runs are due, which were missed. Private to `timer`.
//
// Every run up to last_ns is settled (fired, missed or before our time) and never comes again,
// whatever the wall clock does. Interval runs stand on multiples of the interval since 1970 UTC,
// so a restart keeps their phase.
#pragma once

#include "sources/calendar.h"

#define SCHEDULE_GRACE_NS INT64_C(60000000000) // a run this late still counts as run
#define SCHEDULE_COUNT_MAX 1000		       // missed calendar runs counted one by one

struct schedule {
	int64_t every_ns; // 0: by calendar
	struct calendar calendar;
	int64_t last_ns;       // wall
	int64_t due_ns;	       // wall; INT64_MAX: never
	int64_t fired_boot_ns; // when it last fired, by the boot clock; 0: not yet
};

// What is to be told at this moment.
struct verdict {
	uint64_t missed;   // runs that were
	int64_t missed_ns; // the newest of these
	bool is_due;	   // a run is to be fired now
	int64_t due_ns;	   // its time
};

// Starts with everything up to last_ns settled; a last_ns from the future comes from a clock that
// was wrong (by more than two days, or for an interval by anything) and counts as now.
void schedule_init(struct schedule *schedule, int64_t last_ns, int64_t wall_ns);
// The wall clock was set: afterwards no run is repeated, and none is lost for long.
void schedule_clock_jumped(struct schedule *schedule, int64_t wall_ns, int64_t boot_ns);
// False when nothing is due or missed yet.
bool schedule_judge(const struct schedule *schedule, int64_t wall_ns, struct verdict *out);
// Settles all up to up_to_ns; the next run is the first after it.
void schedule_settle(struct schedule *schedule, int64_t up_to_ns);
