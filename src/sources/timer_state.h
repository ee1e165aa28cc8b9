// SPDX-License-Identifier: Apache-2.0
// What the timers remember over a stop: up to when each timer's runs are settled, in
// <state folder>/timers.json. Private to `timer`. Written by a job, at most once a period; what a
// crash may have left unsaved is bounded by that period and told (see is_clean).
#pragma once

#include "base/err.h"
#include "io/loop.h"

struct arena;
struct fs;
struct jobs;
struct json_writer;
struct save_job;
struct value;

#define STATE_PERIOD_NS INT64_C(60000000000)

struct timer_state {
	struct loop *loop;
	struct jobs *jobs;
	struct fs *fs;
	char *path;
	// Appends the members of the object to write, by timer_state_format_item.
	void (*format)(void *arg, struct json_writer *writer);
	void *arg;
	struct timer due;
	struct save_job *job; // running, or NULL
	int64_t saved_ns;     // monotonic; 0: never
	bool is_dirty;
	bool is_used; // ever touched
	bool is_failing;
	struct err err; // while failing
};

// What a former run left.
struct remembered {
	struct arena *arena;
	const struct value *timers; // {name: {schedule, last}}, or NULL
	bool is_clean;		    // it was an orderly stop
	int64_t saved_wall_ns;
};

// The caller has set the fields down to arg.
void timer_state_read(struct timer_state *state, struct remembered *out);
bool remembered_find(const struct remembered *remembered, struct str name, struct str schedule,
	int64_t *out_last_ns);
void remembered_finish(struct remembered *remembered);
void timer_state_format_item(
	struct json_writer *writer, struct str name, struct str schedule, int64_t last_ns);
// Something changed: it is saved soon.
void timer_state_touch(struct timer_state *state);
// Saves for the last time, marked as an orderly stop, and releases all.
void timer_state_finish(struct timer_state *state);
