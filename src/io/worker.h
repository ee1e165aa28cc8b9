// SPDX-License-Identifier: Apache-2.0
// Work away from the loop. A worker is a thread that owns some data and gets messages in order;
// jobs are one-off pieces of work that own their input. Both hand results back on the loop. On a
// simulated loop neither has a thread: each batch runs after a random delay of simulated time,
// so a seed fixes every interleaving.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"

struct loop;
struct mailbox_stats;
struct worker;
struct jobs;

// On the worker's thread: everything that was waiting, at least one message.
typedef void worker_batch(void *self, void *const *messages, size_t n);
// On the loop; after some of them the loop lets others have their turn.
typedef void worker_reply_fn(void *arg, void *message);

struct worker_spec {
	const char *name; // at most 15 characters: the thread's name
	size_t capacity;  // messages in, and replies out
	worker_batch *on_batch;
	void *self;
	worker_reply_fn *on_reply;
	void *arg;
};

_must_use_ struct worker *worker_start(
	struct loop *loop, const struct worker_spec *spec, struct err *err);
// Lets the worker finish all that was posted, hands every reply to on_reply, ends it. NULL is fine.
void worker_stop(struct worker *worker);
// From the loop. False when the inbox is full, or when as many messages are unanswered as there
// are reply slots: the reply's place is reserved with the message.
_must_use_ bool worker_post(struct worker *worker, void *message);
// From on_batch: exactly one reply per message (place was reserved, so it cannot fail).
void worker_reply(struct worker *worker, void *message);
// Messages posted and not yet answered, now and at most so far.
size_t worker_depth(const struct worker *worker);
size_t worker_deepest(const struct worker *worker);
// Batches done: the watchdog compares it while worker_depth is not 0.
uint64_t worker_progress(const struct worker *worker);

// A pool of `threads` threads, started when first needed.
_must_use_ struct jobs *jobs_create(struct loop *loop, size_t threads, size_t capacity);
// Lets the jobs end for up to a second in all; the on_done of each that did still comes. What does not
// end within a second is left to die with the process; its on_done is not called. Then it is
// false: what those jobs borrow must stay. NULL is fine.
bool jobs_destroy(struct jobs *jobs);
// run(arg) on some thread, then on_done(arg) on the loop. False when `capacity` jobs wait already,
// and while the pool is destroyed.
_must_use_ bool jobs_run(
	struct jobs *jobs, void (*run)(void *arg), void (*on_done)(void *arg), void *arg);
// The same for what clients ask for: the last quarter of the places is for Anna's own work.
_must_use_ bool jobs_run_asked(
	struct jobs *jobs, void (*run)(void *arg), void (*on_done)(void *arg), void *arg);
size_t jobs_depth(const struct jobs *jobs);

struct jobs_stats {
	size_t depth, deepest, capacity; // posted and not handed back; at most so far
	size_t waiting;			 // of these, not begun
	size_t threads;			 // that were started
	uint64_t posted, refused;	 // refused: it was full
	int64_t oldest_ns;		 // monotonic: when the oldest was posted; 0: there is none
};
void jobs_get_stats(struct jobs *jobs, struct jobs_stats *out);
// The mailboxes behind them (io/mailbox.h).
void jobs_get_box(struct jobs *jobs, struct mailbox_stats *done);
void worker_get_boxes(
	struct worker *worker, struct mailbox_stats *inbox, struct mailbox_stats *outbox);
