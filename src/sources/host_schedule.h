// SPDX-License-Identifier: Apache-2.0
// When each collector gathers, and where: one timer, the cheap ones every interval, the slow ones
// on periods of their own whose phases differ, so that they do not fall into one tick. A tick
// that has used its share of a round goes on in the next one. Private to `host`.
//
// A job that does not come back in time is told of by health(), what it would have measured is
// absent, and its collector goes on at once without the folder that hangs; at most one thread of
// the pool is given up so, a second job that hangs is waited for.
#pragma once

#include "io/loop.h"
#include "sources/host_collector.h"

struct host_job;
struct report;
struct snapshot;

struct collection {
	const struct host_collector *what;
	void *self; // NULL: switched off, or lent to the job
	bool is_enabled;
	bool is_job;	   // gathers in jobs
	unsigned too_slow; // times in a row it took too long on the loop
	int64_t period_ns, due_ns;
	int64_t took_ns;       // the last time
	bool is_done;	       // gathered since it was enabled
	struct err complaint;  // of the last turn
	struct host_job *job;  // under way
	struct report *report; // of the last job
};

struct schedule {
	const struct host_world *world;
	struct snapshot *snapshot; // of world->config; borrowed; may be NULL
	struct timer tick;
	int64_t tick_ns;		// of the tick under way
	size_t next;			// where it goes on
	struct host_turn turn;		// of those on the loop
	struct collection *collections; // host_collector_count of them
	struct host_job *hung;		// the one given up
	char *hung_place;		// the file it stands at
	bool is_refused;		// the pool was full
};

// The first tick comes within this call.
void schedule_start(struct schedule *schedule, const struct host_world *world);
// Takes on what world->config says now: who is switched on and off, and periods. Those that stay
// notice nothing.
void schedule_change(struct schedule *schedule);
void schedule_collect(const struct schedule *schedule, struct exposition *out);
void schedule_figures(const struct schedule *schedule, figure_fn *on_figure, void *arg);
// Appends what is not well, as one sentence; nothing when all is.
void schedule_describe(const struct schedule *schedule, struct buf *out);
// A job that still runs touches nothing of the owner's any more.
void schedule_finish(struct schedule *schedule);
