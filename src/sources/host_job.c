// SPDX-License-Identifier: Apache-2.0
// Jobs of collectors; see host_job.h. A job owns all it touches; what is read of it meanwhile is
// the path it stands at, whose text stays until the job is destroyed.
#include "sources/host_job.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "formats/exposition.h"
#include "io/worker.h"
#include "sources/host_config.h"

static void add_figure(void *arg, const struct figure *figure) {
	struct report *report = arg;
	if (report->n == report->cap) {
		report->cap = report->cap ? report->cap * 2 : 16;
		report->figures = xreallocarray(
			report->figures, report->cap, sizeof(*report->figures));
	}
	struct figure *copy = &report->figures[report->n++];
	*copy = *figure; // names and units are static
	copy->label = arena_copy(report->memory, str_from(figure->label));
}

struct report *report_create(const struct host_collector *what, const void *self) {
	struct report *report = xcalloc(1, sizeof(*report));
	struct exposition exposition;
	report->memory = arena_create();
	exposition_init(&exposition, &report->metrics);
	what->collect(self, &exposition);
	if (what->figures) {
		what->figures(self, add_figure, report);
	}
	return report;
}

void report_destroy(struct report *report) {
	if (report) {
		buf_finish(&report->metrics);
		free(report->figures);
		arena_destroy(report->memory);
		free(report);
	}
}

// On a thread of the pool.
static void run(void *arg) {
	struct host_job *job = arg;
	int64_t begun = clock_monotonic(job->clock);
	atomic_store_explicit(&job->turn.at, job->what->name, memory_order_release);
	job->turn.now_ns = begun;
	job->what->gather(job->self, &job->turn);
	job->took_ns = clock_monotonic(job->clock) - begun;
	job->report = report_create(job->what, job->self);
}

static void done(void *arg) {
	struct host_job *job = arg;
	job->on_done(job);
}

struct host_job *host_job_post(struct jobs *jobs, const struct host_job *spec) {
	struct host_job *job = xcalloc(1, sizeof(*job));
	job->on_done = spec->on_done;
	job->owner = spec->owner;
	job->what = spec->what;
	job->self = spec->self;
	job->snapshot = spec->snapshot ? snapshot_ref(spec->snapshot) : NULL;
	job->clock = spec->clock;
	job->posted_ns = spec->posted_ns;
	job->avoided = xstrdup(spec->avoided ? spec->avoided : "");
	job->turn.sysroot = spec->turn.sysroot;
	job->turn.config = spec->turn.config;
	job->turn.avoided = job->avoided;
	job->turn.memory = arena_create();
	if (!jobs_run(jobs, run, done, job)) {
		job->self = NULL;
		host_job_destroy(job);
		return NULL;
	}
	return job;
}

void host_job_destroy(struct host_job *job) {
	if (job->self) {
		if (job->what->finish) {
			job->what->finish(job->self);
		}
		free(job->self);
	}
	report_destroy(job->report);
	buf_finish(&job->turn.text);
	arena_destroy(job->turn.memory);
	if (job->snapshot) {
		snapshot_unref(job->snapshot);
	}
	free(job->avoided);
	free(job);
}

const char *host_job_place(const struct host_job *job) {
	return atomic_load_explicit(&job->turn.at, memory_order_acquire);
}
