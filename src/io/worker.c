// SPDX-License-Identifier: Apache-2.0
// Threads behind mailboxes; on a simulated loop, timers with random delays instead.
#include "io/worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/random.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "io/thread.h"

#define BATCH_MAX 1024
#define DELIVER_MAX 64 // handed over in one callback: then others of the loop have their turn
#define SIMULATED_DELAY_MAX (2 * NS_PER_MS)

struct worker {
	struct worker_spec spec;
	struct loop *loop;
	struct mailbox *inbox;
	struct mailbox *outbox;
	size_t depth; // posted and not yet answered; the loop's
	size_t deepest;
	_Atomic uint64_t progress;
	pthread_t thread;
	_Atomic bool is_stopping;
	struct watch replies;
	struct task bell;
	struct timer simulated_run;
	struct timer simulated_reply;
};

static bool run_batch(struct worker *worker) {
	void *messages[BATCH_MAX];
	size_t n = mailbox_take(worker->inbox, messages, BATCH_MAX);
	if (n) {
		worker->spec.on_batch(worker->spec.self, messages, n);
		atomic_fetch_add(&worker->progress, 1);
	}
	return n > 0;
}

static void *worker_main(void *arg) {
	struct worker *worker = arg;
	for (;;) {
		mailbox_wait(worker->inbox, -1);
		while (run_batch(worker)) {
		}
		if (atomic_load(&worker->is_stopping) && !mailbox_depth(worker->inbox)) {
			return NULL;
		}
	}
}

// How many it were.
static size_t deliver_replies(struct worker *worker) {
	void *messages[DELIVER_MAX];
	size_t n = mailbox_take(worker->outbox, messages, DELIVER_MAX);
	for (size_t i = 0; i < n; i++) {
		worker->depth--;
		worker->spec.on_reply(worker->spec.arg, messages[i]);
	}
	return n;
}

static void on_replies(void *arg, uint32_t events) {
	struct worker *worker = arg;
	(void)events;
	mailbox_rest(worker->outbox);
	(void)deliver_replies(worker);
	if (mailbox_depth(worker->outbox)) {
		mailbox_ring(worker->outbox); // the rest in the next round
	}
}

static void on_simulated_reply(void *arg) {
	struct worker *worker = arg;
	(void)deliver_replies(worker);
	if (mailbox_depth(worker->outbox) && !timer_is_set(&worker->simulated_reply)) {
		timer_start(&worker->simulated_reply, worker->loop, 0, on_simulated_reply, worker);
	}
}

static int64_t simulated_delay(struct loop *loop) {
	struct random *random = loop_simulation(loop)->random;
	return (int64_t)random_below(random, SIMULATED_DELAY_MAX) + 1;
}

static void on_simulated_run(void *arg) {
	struct worker *worker = arg;
	(void)run_batch(worker);
	if (mailbox_depth(worker->inbox)) {
		timer_start(&worker->simulated_run, worker->loop, simulated_delay(worker->loop),
			on_simulated_run, worker);
	}
	if (!timer_is_set(&worker->simulated_reply)) {
		timer_start(&worker->simulated_reply, worker->loop, simulated_delay(worker->loop),
			on_simulated_reply, worker);
	}
}

struct worker *worker_start(struct loop *loop, const struct worker_spec *spec, struct err *err) {
	struct worker *worker = xcalloc(1, sizeof(*worker));
	worker->spec = *spec;
	worker->loop = loop;
	worker->inbox = mailbox_create(spec->capacity);
	worker->outbox = mailbox_create(spec->capacity);
	if (loop_simulation(loop)) {
		return worker;
	}
	if (!watch_start(&worker->replies, loop, mailbox_fd(worker->outbox), LOOP_READABLE,
		    on_replies, worker, err)) {
		goto fail;
	}
	int rc = thread_start(&worker->thread, spec->name, worker_main, worker);
	if (rc != 0) {
		err_set(err, ERR_LIMIT, "cannot start the thread %s: %s", spec->name, strerror(rc));
		watch_stop(&worker->replies);
		goto fail;
	}
	return worker;
fail:
	mailbox_destroy(worker->inbox);
	mailbox_destroy(worker->outbox);
	free(worker);
	return NULL;
}

static void ring(void *arg) {
	struct worker *worker = arg;
	mailbox_ring(worker->inbox);
}

// The thread is woken when the round is over: it then finds all of the round at once, and does not
// take the processor from what the loop does in answer to a message (a reflex begins first).
bool worker_post(struct worker *worker, void *message) {
	bool must_ring;
	if (worker->depth >= worker->spec.capacity) {
		return false;
	}
	bool fits = mailbox_put(worker->inbox, message, &must_ring);
	assert(fits); // never more in it than unanswered ones
	if (must_ring && !loop_simulation(worker->loop)) {
		task_post_last(&worker->bell, worker->loop, ring, worker);
	}
	worker->depth++;
	worker->deepest = worker->depth > worker->deepest ? worker->depth : worker->deepest;
	if (loop_simulation(worker->loop) && !timer_is_set(&worker->simulated_run)) {
		timer_start(&worker->simulated_run, worker->loop, simulated_delay(worker->loop),
			on_simulated_run, worker);
	}
	return true;
}

void worker_reply(struct worker *worker, void *message) {
	bool fits = mailbox_post(worker->outbox, message);
	assert(fits); // its place was reserved with the message
}

void worker_stop(struct worker *worker) {
	if (!worker) {
		return;
	}
	if (!loop_simulation(worker->loop)) {
		atomic_store(&worker->is_stopping, true);
		task_cancel(&worker->bell);
		mailbox_ring(worker->inbox);
		pthread_join(worker->thread, NULL);
		watch_stop(&worker->replies);
	}
	// What a reply makes its owner post is done here too: there is no thread any more.
	while (deliver_replies(worker) || run_batch(worker)) {
	}
	timer_stop(&worker->simulated_run);
	timer_stop(&worker->simulated_reply);
	mailbox_destroy(worker->inbox);
	mailbox_destroy(worker->outbox);
	free(worker);
}

size_t worker_depth(const struct worker *worker) {
	return worker->depth;
}

size_t worker_deepest(const struct worker *worker) {
	return worker->deepest;
}

uint64_t worker_progress(const struct worker *worker) {
	return atomic_load(&worker->progress);
}

// --- jobs ---

#define JOB_THREADS_MAX 8
#define JOIN_SECONDS 1 // for all threads of a pool: a stop is not held up by a path that hangs

struct job {
	struct list node; // of the pool, oldest first; the loop's
	int64_t posted_ns;
	void (*run)(void *arg);
	void (*on_done)(void *arg);
	void *arg;
};

struct jobs {
	struct loop *loop;
	size_t thread_count;
	size_t started;
	size_t capacity;
	struct list all; // that were posted and not handed back; this and these are the loop's
	size_t depth, deepest;
	uint64_t posted, refused;
	pthread_t threads[JOB_THREADS_MAX];
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job **waiting; // ring, under the lock
	size_t first, count;
	bool is_stopping;
	bool is_left; // under the lock: nobody hears of its jobs any more
	struct mailbox *done;
	struct watch done_watch;
	struct timer simulated_run;
	struct jobs *left_before;
};

// Pools whose threads did not end. Kept, so that what a late thread finds is still there.
static struct jobs *left_pools;

static void finish_job(struct jobs *jobs, struct job *job) {
	jobs->depth--;
	list_remove(&job->node);
	job->on_done(job->arg);
	free(job);
}

// How many it were.
static size_t deliver_done(struct jobs *jobs) {
	void *done[DELIVER_MAX];
	size_t n = mailbox_take(jobs->done, done, DELIVER_MAX);
	for (size_t i = 0; i < n; i++) {
		finish_job(jobs, done[i]);
	}
	return n;
}

static void on_jobs_done(void *arg, uint32_t events) {
	struct jobs *jobs = arg;
	(void)events;
	mailbox_rest(jobs->done);
	(void)deliver_done(jobs);
	if (mailbox_depth(jobs->done)) {
		mailbox_ring(jobs->done); // the rest in the next round
	}
}

static struct job *take_waiting(struct jobs *jobs) {
	struct job *job = jobs->waiting[jobs->first];
	jobs->first = (jobs->first + 1) % jobs->capacity;
	jobs->count--;
	return job;
}

static void *jobs_main(void *arg) {
	struct jobs *jobs = arg;
	pthread_mutex_lock(&jobs->lock);
	for (;;) {
		while (!jobs->count && !jobs->is_stopping) {
			pthread_cond_wait(&jobs->wake, &jobs->lock);
		}
		if (!jobs->count || jobs->is_left) {
			break;
		}
		struct job *job = take_waiting(jobs);
		pthread_mutex_unlock(&jobs->lock);
		job->run(job->arg);
		pthread_mutex_lock(&jobs->lock);
		if (jobs->is_left) {
			free(job); // too late; what its arg leads to may be gone
			break;
		}
		bool fits = mailbox_post(jobs->done, job); // under the lock: see jobs_destroy
		assert(fits);				   // room for every job there can be
	}
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

struct jobs *jobs_create(struct loop *loop, size_t threads, size_t capacity) {
	struct jobs *jobs = xcalloc(1, sizeof(*jobs));
	jobs->loop = loop;
	jobs->thread_count = threads < JOB_THREADS_MAX ? threads : JOB_THREADS_MAX;
	jobs->capacity = capacity;
	list_init(&jobs->all);
	jobs->waiting = xcalloc(capacity, sizeof(struct job *));
	jobs->done = mailbox_create(capacity + JOB_THREADS_MAX);
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->wake, NULL);
	if (!loop_simulation(loop)) {
		bool watched = watch_start(&jobs->done_watch, loop, mailbox_fd(jobs->done),
			LOOP_READABLE, on_jobs_done, jobs, NULL);
		assert(watched);
		(void)watched;
	}
	return jobs;
}

static void run_simulated(struct jobs *jobs) {
	struct job *job = take_waiting(jobs);
	job->run(job->arg);
	finish_job(jobs, job);
}

static void on_simulated_job(void *arg) {
	struct jobs *jobs = arg;
	run_simulated(jobs);
	if (jobs->count && !timer_is_set(&jobs->simulated_run)) {
		timer_start(&jobs->simulated_run, jobs->loop, simulated_delay(jobs->loop),
			on_simulated_job, jobs);
	}
}

bool jobs_run(struct jobs *jobs, void (*run)(void *arg), void (*on_done)(void *arg), void *arg) {
	if (jobs->is_stopping || jobs->depth >= jobs->capacity) {
		jobs->refused++;
		return false;
	}
	struct job *job = xmalloc(sizeof(*job));
	*job = (struct job){
		.posted_ns = loop_now(jobs->loop), .run = run, .on_done = on_done, .arg = arg};
	list_add_last(&jobs->all, &job->node);
	jobs->depth++;
	jobs->deepest = jobs->depth > jobs->deepest ? jobs->depth : jobs->deepest;
	jobs->posted++;
	pthread_mutex_lock(&jobs->lock);
	jobs->waiting[(jobs->first + jobs->count++) % jobs->capacity] = job;
	pthread_cond_signal(&jobs->wake);
	pthread_mutex_unlock(&jobs->lock);
	if (loop_simulation(jobs->loop)) {
		if (!timer_is_set(&jobs->simulated_run)) {
			timer_start(&jobs->simulated_run, jobs->loop, simulated_delay(jobs->loop),
				on_simulated_job, jobs);
		}
	} else if (jobs->started < jobs->thread_count && jobs->started < jobs->depth) {
		if (thread_start(&jobs->threads[jobs->started], "anna-job", jobs_main, jobs) == 0) {
			jobs->started++;
		} else {
			assert(jobs->started > 0); // without any thread no job could ever run
		}
	}
	return true;
}

// False when one did not end in time.
static bool join_threads(struct jobs *jobs) {
	bool have_ended = true;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until); // the one clock pthread_timedjoin_np goes by
	until.tv_sec += JOIN_SECONDS;
	for (size_t i = 0; i < jobs->started; i++) {
		if (pthread_timedjoin_np(jobs->threads[i], NULL, &until) != 0) {
			pthread_detach(jobs->threads[i]);
			have_ended = false;
		}
	}
	return have_ended;
}

bool jobs_destroy(struct jobs *jobs) {
	if (!jobs) {
		return true;
	}
	pthread_mutex_lock(&jobs->lock);
	jobs->is_stopping = true;
	pthread_cond_broadcast(&jobs->wake);
	pthread_mutex_unlock(&jobs->lock);
	timer_stop(&jobs->simulated_run);
	while (loop_simulation(jobs->loop) && jobs->count) {
		run_simulated(jobs);
	}
	bool have_ended = join_threads(jobs);
	// From here on a late thread posts nothing: what is in the box is all there will be.
	pthread_mutex_lock(&jobs->lock);
	jobs->is_left = !have_ended;
	pthread_mutex_unlock(&jobs->lock);
	while (deliver_done(jobs)) {
	}
	watch_stop(&jobs->done_watch);
	if (!have_ended) {
		jobs->left_before = left_pools;
		left_pools = jobs;
		return false;
	}
	mailbox_destroy(jobs->done);
	pthread_mutex_destroy(&jobs->lock);
	pthread_cond_destroy(&jobs->wake);
	free(jobs->waiting);
	free(jobs);
	return true;
}

size_t jobs_depth(const struct jobs *jobs) {
	return jobs->depth;
}

bool jobs_run_asked(
	struct jobs *jobs, void (*run)(void *arg), void (*on_done)(void *arg), void *arg) {
	if (jobs->depth >= jobs->capacity - jobs->capacity / 4) {
		jobs->refused++;
		return false;
	}
	return jobs_run(jobs, run, on_done, arg);
}

void jobs_get_stats(struct jobs *jobs, struct jobs_stats *out) {
	*out = (struct jobs_stats){.depth = jobs->depth,
		.deepest = jobs->deepest,
		.capacity = jobs->capacity,
		.threads = jobs->started,
		.posted = jobs->posted,
		.refused = jobs->refused};
	if (!list_is_empty(&jobs->all)) {
		out->oldest_ns = list_item(jobs->all.next, struct job, node)->posted_ns;
	}
	pthread_mutex_lock(&jobs->lock);
	out->waiting = jobs->count;
	pthread_mutex_unlock(&jobs->lock);
}

void jobs_get_box(struct jobs *jobs, struct mailbox_stats *done) {
	mailbox_get_stats(jobs->done, done);
}

void worker_get_boxes(
	struct worker *worker, struct mailbox_stats *inbox, struct mailbox_stats *outbox) {
	mailbox_get_stats(worker->inbox, inbox);
	mailbox_get_stats(worker->outbox, outbox);
}
