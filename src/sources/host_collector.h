// SPDX-License-Identifier: Apache-2.0
// A collector: one part of what the source `host` measures, one file and one row of
// host_collectors.def. It gathers at its period, on the main loop when that is cheap or in a job
// when it reads many files or ones that may hang, and shows what it knows as metrics
// (node_exporter's names) and as figures of the board. What the kernel did not say stays absent.
//
// Its state is `size` bytes, zeroed, then finished once. Whoever gathers owns them: a job's state
// is touched by nobody else while it runs, so none of this needs a lock.
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/board.h"
#include "sources/host_file.h"

struct exposition;
struct host_turn;
struct host_world;

enum collector_place {
	COLLECTOR_LOOP,	   // cheap; goes to a job by itself on a machine where it is not
	COLLECTOR_JOB,	   // many files of /sys, or such as may be slow
	COLLECTOR_RESIDENT // has jobs and children of its own, and stays on the loop
};

struct host_collector {
	const char *name; // node_exporter's name of it, and the file host_NAME.c
	const char *summary;
	enum collector_place place;
	int64_t period_ns; // 0: every interval of [host]
	size_t size;
	void (*init)(void *self, const struct host_world *world); // of a resident one; or NULL
	void (*gather)(void *self, struct host_turn *turn);
	void (*collect)(const void *self, struct exposition *out);
	void (*figures)(const void *self, figure_fn *on_figure, void *arg); // or NULL
	// What is not well, as a sentence; appends nothing when all is. Or NULL.
	void (*describe)(const void *self, struct buf *out);
	void (*finish)(void *self); // or NULL: nothing to free
};

#define DEFINE_HOST_COLLECTOR(name) const struct host_collector host_collector_##name

extern const struct host_collector *const host_collectors[];
extern const char *const host_collector_names[]; // in the same order, ended by NULL
extern const size_t host_collector_count;

// --- figures and the rates behind them ---
// NAN is "not known" inside; such a figure is not told.
static inline void tell_figure(figure_fn *on_figure, void *arg, const char *name, const char *label,
	const char *unit, double value) {
	if (!isnan(value)) {
		const struct figure figure = {name, label, unit, value};
		on_figure(arg, &figure);
	}
}

// When the last reading was.
struct pace {
	int64_t last_ns; // 0: there was none
};
// Seconds since the last reading; NAN at the first, or when no time passed.
static inline double pace_step(struct pace *pace, int64_t now_ns) {
	double passed = pace->last_ns && now_ns > pace->last_ns
		? (double)(now_ns - pace->last_ns) / 1e9
		: NAN;
	pace->last_ns = now_ns;
	return passed;
}

// A counter of the kernel's as it last was.
struct counter {
	bool is_known;
	uint64_t value;
};
// What was counted since the last reading; NAN at the first, and after a step back.
static inline double counter_step(struct counter *counter, uint64_t value) {
	double step = counter->is_known && value >= counter->value
		? (double)(value - counter->value)
		: NAN;
	*counter = (struct counter){true, value};
	return step;
}
