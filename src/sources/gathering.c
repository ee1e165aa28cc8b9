// SPDX-License-Identifier: Apache-2.0
// One job at a time; see gathering.h. Invariant: a job owns all it touches while it runs, also the
// facts known, and is let go when nobody waits for it any more.
#include "sources/gathering.h"

#include "base/alloc.h"
#include "io/worker.h"

#define CHANGES_AT_ONCE 16 // then others have their turn
#define BUSY_WAIT (200 * NS_PER_MS)

struct gathering_job {
	struct gathering *owner; // NULL: nobody waits for it
	void (*gather)(const char *spec, struct facts *out, struct buf *trouble);
	char *spec;
	bool has_before;
	struct facts before, after;
	struct fact_changes changes;
	struct buf trouble;
};

static void job_free(struct gathering_job *job) {
	if (job) {
		facts_finish(&job->before);
		facts_finish(&job->after);
		fact_changes_finish(&job->changes);
		buf_finish(&job->trouble);
		free(job->spec);
		free(job);
	}
}

// On a thread of the pool.
static void job_run(void *arg) {
	struct gathering_job *job = arg;
	job->gather(job->spec, &job->after, &job->trouble);
	facts_sort(&job->after);
	if (job->has_before && !job->trouble.len) {
		facts_diff(&job->before, &job->after, &job->changes);
	}
}

static void on_timer(void *arg);

static void plan(struct gathering *gathering, int64_t delay_ns) {
	timer_start(&gathering->timer, gathering->services->loop, delay_ns, on_timer, gathering);
}

// When the next look is to be: after settle_ns of quiet, at most most_ns after the first hint.
static void plan_look(struct gathering *gathering) {
	int64_t most = gathering->hinted_ns + gathering->most_ns -
		loop_now(gathering->services->loop);
	int64_t delay = gathering->settle_ns < most ? gathering->settle_ns : most;
	plan(gathering, delay > 0 ? delay : 0);
}

static void end_telling(struct gathering *gathering) {
	job_free(gathering->telling);
	gathering->telling = NULL;
	if (gathering->is_hinted) {
		plan_look(gathering);
	}
}

static void tell_some(struct gathering *gathering) {
	const struct fact_changes *changes = &gathering->telling->changes;
	for (size_t i = 0; i < CHANGES_AT_ONCE && gathering->told < changes->n; i++) {
		if (gathering->outbox->n) {
			plan(gathering, BUSY_WAIT);
			return;
		}
		gathering->on_change(gathering->arg, &changes->items[gathering->told++]);
	}
	if (gathering->told < changes->n) {
		plan(gathering, 0);
	} else {
		end_telling(gathering);
	}
}

static void job_done(void *arg) {
	struct gathering_job *job = arg;
	struct gathering *gathering = job->owner;
	if (!gathering) {
		job_free(job);
		return;
	}
	gathering->job = NULL;
	buf_clear(&gathering->trouble);
	buf_append_str(&gathering->trouble, buf_str(&job->trouble));
	if (job->trouble.len) { // what was known stands
		gathering->known = job->before;
		job->before = (struct facts){0};
	} else {
		if (job->after.is_cut) {
			buf_appendf(&gathering->trouble,
				"more than %d entries; the rest is left "
				"out",
				FACTS_MAX);
		}
		// The changes borrow from both sets: those after stay with the owner, who gathers
		// again only when all is told.
		gathering->known = job->after;
		job->after = (struct facts){0};
		gathering->has_known = true;
	}
	gathering->told = 0;
	gathering->telling = job;
	if (gathering->on_changes && !job->trouble.len &&
		gathering->on_changes(gathering->arg, &job->changes)) {
		gathering->told = job->changes.n;
	}
	tell_some(gathering);
}

static void look(struct gathering *gathering) {
	struct gathering_job *job = xcalloc(1, sizeof(*job));
	const struct services *services = gathering->services;
	job->owner = gathering;
	job->gather = gathering->gather;
	job->spec = xstrdup(gathering->spec);
	job->before = gathering->known;
	job->has_before = gathering->has_known;
	if (jobs_run(gathering->is_slow ? services->slow_jobs : services->jobs, job_run, job_done,
		    job)) {
		gathering->known = (struct facts){0};
		gathering->job = job;
		gathering->looked_ns = loop_now(services->loop);
		gathering->is_hinted = false;
		return;
	}
	job->before = (struct facts){0};
	job_free(job);
	plan(gathering, BUSY_WAIT);
}

static void on_timer(void *arg) {
	struct gathering *gathering = arg;
	if (gathering->telling) {
		tell_some(gathering);
	} else if (!gathering->job) {
		look(gathering);
	}
}

void gathering_hint(struct gathering *gathering) {
	if (!gathering->is_hinted) {
		gathering->is_hinted = true;
		gathering->hinted_ns = loop_now(gathering->services->loop);
	}
	if (!gathering->job && !gathering->telling) {
		plan_look(gathering);
	}
}

static void collect(void *arg, struct exposition *out) {
	const struct gathering *gathering = arg;
	if (gathering->has_known && !gathering->job) { // while a job runs, it has them
		exposition_family(out, gathering->meter_name, "gauge",
			"How many there were when the source last looked.");
		exposition_sample(out, (double)gathering->known.n, NULL);
	}
}

void gathering_start(struct gathering *gathering) {
	char *spec = xstrdup(gathering->spec);
	gathering->spec = spec;
	snprintf(gathering->meter_name, sizeof(gathering->meter_name), "anna_%s_known",
		gathering->outbox->source);
	meters_add(gathering->services->meters, &gathering->meter, collect, gathering);
	look(gathering);
}

void gathering_stop(struct gathering *gathering) {
	if (!gathering->services) {
		return;
	}
	timer_stop(&gathering->timer);
	meters_remove(&gathering->meter);
	if (gathering->job) {
		gathering->job->owner = NULL; // it frees itself when it returns
		gathering->job = NULL;
	}
	job_free(gathering->telling);
	gathering->telling = NULL;
	facts_finish(&gathering->known);
	buf_finish(&gathering->trouble);
	free((char *)(uintptr_t)gathering->spec);
	*gathering = (struct gathering){0};
}
