// SPDX-License-Identifier: Apache-2.0
// One turn of a collector away from the loop, and the report it brings back: its metrics as text
// and its figures, so that nothing of the job's is touched while the next one runs. Private to
// `host`.
#pragma once

#include "config/snapshot.h"
#include "sources/host_collector.h"

struct jobs;

struct report {
	struct arena *memory; // of the figures
	struct buf metrics;
	struct figure *figures;
	size_t n, cap;
};
struct report *report_create(const struct host_collector *what, const void *self);
void report_destroy(struct report *report); // NULL is fine

struct host_job {
	void (*on_done)(struct host_job *job); // on the loop
	void *owner;			       // NULL: nobody waits for it any more
	const struct host_collector *what;
	void *self; // lent by the collection
	struct host_turn turn;
	struct snapshot *snapshot; // of the config in turn; may be NULL
	struct clock *clock;
	struct report *report; // set when it is done
	int64_t posted_ns, took_ns;
	char *avoided;
};

// Takes self for as long as the job runs. NULL when the pool is full; self is the caller's then.
struct host_job *host_job_post(struct jobs *jobs, const struct host_job *spec);
// When nobody waits for its answer: finishes self too. From the loop, after on_done.
void host_job_destroy(struct host_job *job);
// The file it is reading; NULL before it has begun.
const char *host_job_place(const struct host_job *job);
