// SPDX-License-Identifier: Apache-2.0
// The event loop: timers, readiness of file descriptors, and things to do right after. One thread
// runs it; nothing here may be called from another. Waiting is a backend of one function, so
// the same loop runs on epoll in the daemon and on a fake clock in tests and the simulator.
//
// Life cycle: loop_create, loop_run until loop_stop, loop_destroy. timer, watch and task are
// embedded in their owner and must be stopped before it goes; stopping is always allowed, also
// inside the thing's own callback.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/histogram.h"
#include "base/list.h"
#include "base/windows.h"

struct loop;
struct random;

typedef void timer_fn(void *arg);
typedef void watch_fn(void *arg, uint32_t events);

enum {
	LOOP_READABLE = 1,
	LOOP_WRITABLE = 4,
	LOOP_HANGUP = 16
}; // the values of EPOLLIN, OUT, HUP

struct timer {
	struct loop *loop;
	int64_t due_ns; // monotonic
	uint64_t order; // equal due times fire in the order they were set
	uint32_t slot;	// index in the heap + 1; 0: not set
	timer_fn *on_due;
	void *arg;
};

struct watch {
	struct loop *loop;
	int fd; // borrowed; -1: not watching
	watch_fn *on_ready;
	void *arg;
};

struct task {
	struct list node;
	timer_fn *run;
	void *arg;
	bool is_posted;
};

// What a simulated loop knows; NULL in the daemon.
struct simulation {
	struct random *random;
	// Advances the simulated clock by up to ns (called when nothing is left to do now).
	void (*advance)(struct simulation *simulation, int64_t ns);
};

// epoll when simulation is NULL. The clock is borrowed.
_must_use_ struct loop *loop_create(
	struct clock *clock, struct simulation *simulation, struct err *err);
void loop_destroy(struct loop *loop);

// Runs until loop_stop.
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
// One round: waits at most max_wait_ns (-1: until something is due), then runs what is ready.
void loop_step(struct loop *loop, int64_t max_wait_ns);
// Simulated loops only: runs everything that falls due within the next ns of simulated time.
void loop_advance(struct loop *loop, int64_t ns);

// Monotonic time, read once per round.
int64_t loop_now(const struct loop *loop);
struct clock *loop_clock(const struct loop *loop);
struct simulation *loop_simulation(const struct loop *loop);

// (Re)sets a timer to fire once, delay_ns from now (0: in the next round).
void timer_start(
	struct timer *timer, struct loop *loop, int64_t delay_ns, timer_fn *on_due, void *arg);
// The same at an absolute monotonic time.
void timer_start_at(
	struct timer *timer, struct loop *loop, int64_t due_ns, timer_fn *on_due, void *arg);
void timer_stop(struct timer *timer);
static inline bool timer_is_set(const struct timer *timer) {
	return timer->slot != 0;
}

// Watches fd (level-triggered) for LOOP_* events; hang-up and error are always reported (as
// LOOP_HANGUP, with LOOP_READABLE so that a read finds out).
_must_use_ bool watch_start(struct watch *watch, struct loop *loop, int fd, uint32_t events,
	watch_fn *on_ready, void *arg, struct err *err);
void watch_change(struct watch *watch, uint32_t events);
void watch_stop(struct watch *watch);

// Runs once, later in this round, after the current callback has returned.
void task_post(struct task *task, struct loop *loop, timer_fn *run, void *arg);
// Runs once, when all else of this round has run: for what can wait that long and gains by being done
// once. Posted outside of a round: at the end of the next one.
void task_post_last(struct task *task, struct loop *loop, timer_fn *run, void *arg);
void task_cancel(struct task *task);

// How long rounds kept others waiting (ns of work per round), since creation.
const struct histogram *loop_lag(const struct loop *loop);
// The same over the last minutes (base/windows.h).
const struct windows *loop_windows(const struct loop *loop);

// The callback that kept the others waiting longest.
struct loop_worst {
	int64_t took_ns, at_ns; // at_ns monotonic; 0: none yet
	const char *what;	// "descriptor", "timer" or "task"
	const void *function;	// addr2line(1) names it
};
// Of the last whole ten minutes and the time since; the one before that, when that was longer, is
// forgotten.
void loop_get_worst(const struct loop *loop, struct loop_worst *out);
struct loop_stats {
	uint64_t rounds;
	uint32_t timers, timers_deepest;
};
void loop_get_stats(const struct loop *loop, struct loop_stats *out);

// Rounds done: the watchdog is fed only while this goes on.
uint64_t loop_rounds(const struct loop *loop);
