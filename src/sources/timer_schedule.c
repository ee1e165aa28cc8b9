// SPDX-License-Identifier: Apache-2.0
// Which runs of a timer are due or missed; see timer_schedule.h.
#include "sources/timer_schedule.h"

#include "base/clock.h"

#define WRONG_CLOCK_NS (2 * NS_PER_DAY)

static int64_t floor_to(int64_t value, int64_t unit) {
	int64_t rest = value % unit;
	return value - (rest < 0 ? rest + unit : rest);
}

static int64_t next_after(const struct schedule *schedule, int64_t after_ns) {
	return schedule->every_ns ? floor_to(after_ns, schedule->every_ns) + schedule->every_ns
				  : calendar_next(&schedule->calendar, after_ns);
}

static bool is_from_future(const struct schedule *schedule, int64_t wall_ns) {
	return schedule->last_ns - wall_ns > (schedule->every_ns ? 0 : WRONG_CLOCK_NS);
}

void schedule_init(struct schedule *schedule, int64_t last_ns, int64_t wall_ns) {
	schedule->last_ns = last_ns;
	if (is_from_future(schedule, wall_ns)) {
		schedule->last_ns = wall_ns;
	}
	schedule->due_ns = next_after(schedule, schedule->last_ns);
}

void schedule_settle(struct schedule *schedule, int64_t up_to_ns) {
	schedule->last_ns = up_to_ns;
	schedule->due_ns = next_after(schedule, up_to_ns);
}

void schedule_clock_jumped(struct schedule *schedule, int64_t wall_ns, int64_t boot_ns) {
	if (!schedule->every_ns) {
		// Forward: what was jumped over is found missed. Back: last_ns guards.
		if (is_from_future(schedule, wall_ns)) {
			schedule_settle(schedule, wall_ns);
		}
		return;
	}
	// No time has passed for an interval, only its multiples moved: go on at the first one
	// that is not too early after the last run.
	int64_t early = 0;
	schedule->last_ns = wall_ns;
	schedule->due_ns = next_after(schedule, wall_ns);
	if (schedule->fired_boot_ns) {
		early = schedule->every_ns - (boot_ns - schedule->fired_boot_ns) -
			(schedule->due_ns - wall_ns);
	}
	// Up to a second early is the jitter of the run before.
	if (early > NS_PER_SECOND && early > schedule->every_ns / 100) {
		schedule->last_ns = schedule->due_ns;
		schedule->due_ns += schedule->every_ns;
	}
}

// The newest run of (last, wall] and the one before it; how many there are.
static uint64_t find_runs(
	const struct schedule *schedule, int64_t wall_ns, int64_t *newest, int64_t *before) {
	int64_t every = schedule->every_ns;
	if (every) {
		*newest = floor_to(wall_ns, every);
		*before = *newest - every;
		return (uint64_t)((*newest - floor_to(schedule->last_ns, every)) / every);
	}
	uint64_t count = 0;
	int64_t at = schedule->due_ns;
	*newest = *before = at;
	for (; at <= wall_ns; at = calendar_next(&schedule->calendar, at)) {
		*before = *newest;
		*newest = at;
		if (++count == SCHEDULE_COUNT_MAX && at < wall_ns - NS_PER_DAY) {
			at = wall_ns - NS_PER_DAY; // the rest is not counted
		}
	}
	return count;
}

bool schedule_judge(const struct schedule *schedule, int64_t wall_ns, struct verdict *out) {
	int64_t newest, before;
	if (wall_ns < schedule->due_ns) {
		return false;
	}
	uint64_t count = find_runs(schedule, wall_ns, &newest, &before);
	bool is_due = wall_ns - newest <= SCHEDULE_GRACE_NS;
	*out = (struct verdict){.missed = count - is_due,
		.missed_ns = is_due ? before : newest,
		.is_due = is_due,
		.due_ns = newest};
	return true;
}
