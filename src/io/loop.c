// SPDX-License-Identifier: Apache-2.0
// One round: wait, then descriptors, then due timers, then tasks, then the last tasks. What is
// started during a round waits for the next one, so nothing can starve the rest.
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"

#define EVENTS_PER_ROUND 64
#define WORST_NS (600 * NS_PER_SECOND)

struct loop {
	struct clock *clock;
	struct simulation *simulation;
	int epoll_fd;	   // -1 until the first watch
	bool has_no_nanos; // no epoll_pwait2: it waits in whole milliseconds
	bool is_stopped;
	int64_t now_ns;
	uint64_t rounds;
	struct timer **heap;
	uint32_t timer_count;
	uint32_t timer_cap;
	uint64_t next_order;
	struct list tasks;
	struct list last_tasks;
	struct epoll_event ready[EVENTS_PER_ROUND];
	int ready_count; // of the batch being dispatched
	struct histogram lag;
	struct windows *windows;
	struct loop_worst worst[2]; // of the ten minutes before, and of these
	int64_t worst_since_ns;
	uint32_t timers_deepest;
};

// The kernel may be older than epoll_pwait2 (Linux 5.11), or a filter may not know it.
static void open_epoll(struct loop *loop) {
	struct timespec at_once = {0};
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->has_no_nanos = loop->epoll_fd >= 0 &&
		epoll_pwait2(loop->epoll_fd, loop->ready, EVENTS_PER_ROUND, &at_once, NULL) < 0;
}

struct loop *loop_create(struct clock *clock, struct simulation *simulation, struct err *err) {
	struct loop *loop = xcalloc(1, sizeof(*loop));
	loop->clock = clock;
	loop->simulation = simulation;
	loop->epoll_fd = -1;
	loop->now_ns = clock_monotonic(clock);
	list_init(&loop->tasks);
	list_init(&loop->last_tasks);
	histogram_init(&loop->lag);
	loop->windows = windows_create();
	loop->worst_since_ns = loop->now_ns;
	if (!simulation) {
		open_epoll(loop);
		if (loop->epoll_fd < 0) {
			err_errno(err, "cannot create the event loop's epoll descriptor");
			windows_destroy(loop->windows);
			free(loop);
			return NULL;
		}
	}
	return loop;
}

void loop_destroy(struct loop *loop) {
	if (!loop) {
		return;
	}
	for (uint32_t i = 0; i < loop->timer_count; i++) {
		loop->heap[i]->slot = 0;
	}
	free(loop->heap);
	if (loop->epoll_fd >= 0) {
		close(loop->epoll_fd);
	}
	windows_destroy(loop->windows);
	free(loop);
}

int64_t loop_now(const struct loop *loop) {
	return loop->now_ns;
}

struct clock *loop_clock(const struct loop *loop) {
	return loop->clock;
}

struct simulation *loop_simulation(const struct loop *loop) {
	return loop->simulation;
}

const struct histogram *loop_lag(const struct loop *loop) {
	return &loop->lag;
}

const struct windows *loop_windows(const struct loop *loop) {
	return loop->windows;
}

void loop_get_worst(const struct loop *loop, struct loop_worst *out) {
	*out = loop->worst[loop->worst[0].took_ns < loop->worst[1].took_ns];
}

void loop_get_stats(const struct loop *loop, struct loop_stats *out) {
	*out = (struct loop_stats){loop->rounds, loop->timer_count, loop->timers_deepest};
}

uint64_t loop_rounds(const struct loop *loop) {
	return loop->rounds;
}

// --- timers: a binary heap ordered by due time, then by the order they were set ---

static bool is_before(const struct timer *a, const struct timer *b) {
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void place(struct loop *loop, uint32_t at, struct timer *timer) {
	loop->heap[at] = timer;
	timer->slot = at + 1;
}

static void sift_up(struct loop *loop, uint32_t at, struct timer *timer) {
	while (at > 0 && is_before(timer, loop->heap[(at - 1) / 2])) {
		place(loop, at, loop->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place(loop, at, timer);
}

static void sift_down(struct loop *loop, uint32_t at, struct timer *timer) {
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= loop->timer_count) {
			break;
		}
		if (child + 1 < loop->timer_count &&
			is_before(loop->heap[child + 1], loop->heap[child])) {
			child++;
		}
		if (!is_before(loop->heap[child], timer)) {
			break;
		}
		place(loop, at, loop->heap[child]);
		at = child;
	}
	place(loop, at, timer);
}

void timer_stop(struct timer *timer) {
	if (!timer->slot) {
		return;
	}
	struct loop *loop = timer->loop;
	uint32_t at = timer->slot - 1;
	timer->slot = 0;
	struct timer *moved = loop->heap[--loop->timer_count];
	if (moved == timer) {
		return;
	}
	if (at > 0 && is_before(moved, loop->heap[(at - 1) / 2])) {
		sift_up(loop, at, moved);
	} else {
		sift_down(loop, at, moved);
	}
}

void timer_start_at(
	struct timer *timer, struct loop *loop, int64_t due_ns, timer_fn *on_due, void *arg) {
	timer_stop(timer);
	if (loop->timer_count == loop->timer_cap) {
		loop->timer_cap = loop->timer_cap ? loop->timer_cap * 2 : 16;
		loop->heap = xreallocarray(loop->heap, loop->timer_cap, sizeof(struct timer *));
	}
	timer->loop = loop;
	timer->due_ns = due_ns;
	timer->order = loop->next_order++;
	timer->on_due = on_due;
	timer->arg = arg;
	sift_up(loop, loop->timer_count++, timer);
	loop->timers_deepest = loop->timer_count > loop->timers_deepest ? loop->timer_count
									: loop->timers_deepest;
}

void timer_start(
	struct timer *timer, struct loop *loop, int64_t delay_ns, timer_fn *on_due, void *arg) {
	timer_start_at(timer, loop, clock_monotonic(loop->clock) + delay_ns, on_due, arg);
}

// --- descriptors ---

bool watch_start(struct watch *watch, struct loop *loop, int fd, uint32_t events,
	watch_fn *on_ready, void *arg, struct err *err) {
	if (loop->epoll_fd < 0) { // a simulated loop that meets a real descriptor
		open_epoll(loop);
	}
	struct epoll_event event = {.events = events, .data.ptr = watch};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		watch->fd = -1;
		watch->loop = NULL;
		return err_errno(err, "cannot watch descriptor %d", fd);
	}
	watch->loop = loop;
	watch->fd = fd;
	watch->on_ready = on_ready;
	watch->arg = arg;
	return true;
}

void watch_change(struct watch *watch, uint32_t events) {
	struct epoll_event event = {.events = events, .data.ptr = watch};
	int rc = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
	assert(rc == 0); // the descriptor is open and watched, or its owner has a bug
	(void)rc;
}

void watch_stop(struct watch *watch) {
	if (!watch->loop) {
		return;
	}
	struct loop *loop = watch->loop;
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL); // may be closed already
	for (int i = 0; i < loop->ready_count; i++) {
		if (loop->ready[i].data.ptr == watch) {
			loop->ready[i].data.ptr = NULL; // its event of this round is not delivered
		}
	}
	watch->loop = NULL;
	watch->fd = -1;
}

// --- tasks ---

static void post(struct task *task, struct list *list, timer_fn *run, void *arg) {
	if (task->is_posted) {
		list_remove(&task->node);
	}
	task->is_posted = true;
	task->run = run;
	task->arg = arg;
	list_add_last(list, &task->node);
}

void task_post(struct task *task, struct loop *loop, timer_fn *run, void *arg) {
	post(task, &loop->tasks, run, arg);
}

void task_post_last(struct task *task, struct loop *loop, timer_fn *run, void *arg) {
	post(task, &loop->last_tasks, run, arg);
}

void task_cancel(struct task *task) {
	if (task->is_posted) {
		list_remove(&task->node);
		task->is_posted = false;
	}
}

// --- rounds ---

// A callback has run since began_ns; when the next begins.
static int64_t note_callback(
	struct loop *loop, int64_t began_ns, const char *what, const void *function) {
	int64_t now_ns = clock_monotonic(loop->clock);
	struct loop_worst *worst = &loop->worst[1];
	if (now_ns - began_ns > worst->took_ns) {
		*worst = (struct loop_worst){now_ns - began_ns, began_ns, what, function};
	}
	return now_ns;
}

static void turn_worst(struct loop *loop) {
	if (loop->now_ns - loop->worst_since_ns >= WORST_NS) {
		loop->worst[0] = loop->worst[1];
		loop->worst[1] = (struct loop_worst){0};
		loop->worst_since_ns = loop->now_ns;
	}
}

// Rounded up: a timer that is not quite due would make rounds that do nothing.
static int whole_ms(int64_t timeout_ns) {
	int64_t ms = timeout_ns / NS_PER_MS + (timeout_ns % NS_PER_MS > 0);
	return timeout_ns < 0 ? -1 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static int poll_descriptors(struct loop *loop, int64_t timeout_ns) {
	if (loop->epoll_fd < 0) {
		return 0;
	}
	struct timespec timeout = {
		.tv_sec = timeout_ns / NS_PER_SECOND, .tv_nsec = timeout_ns % NS_PER_SECOND};
	int n = loop->has_no_nanos
		? epoll_wait(loop->epoll_fd, loop->ready, EVENTS_PER_ROUND, whole_ms(timeout_ns))
		: epoll_pwait2(loop->epoll_fd, loop->ready, EVENTS_PER_ROUND,
			  timeout_ns < 0 ? NULL : &timeout, NULL);
	return n < 0 ? 0 : n; // only EINTR can happen
}

static int64_t time_to_wait(const struct loop *loop, int64_t max_wait_ns) {
	if (!list_is_empty(&loop->tasks) || !list_is_empty(&loop->last_tasks)) {
		return 0;
	}
	if (loop->timer_count) {
		int64_t until = loop->heap[0]->due_ns - clock_monotonic(loop->clock);
		until = until < 0 ? 0 : until;
		if (max_wait_ns < 0 || until < max_wait_ns) {
			return until;
		}
	}
	return max_wait_ns;
}

static int wait_for_events(struct loop *loop, int64_t wait_ns) {
	if (!loop->simulation) {
		return poll_descriptors(loop, wait_ns);
	}
	int n = poll_descriptors(loop, 0);
	if (n == 0 && wait_ns > 0) {
		loop->simulation->advance(loop->simulation, wait_ns);
	}
	return n;
}

static void run_descriptors(struct loop *loop, int n) {
	int64_t began_ns = loop->now_ns;
	loop->ready_count = n;
	for (int i = 0; i < n; i++) {
		struct watch *watch = loop->ready[i].data.ptr;
		if (watch) {
			uint32_t events = loop->ready[i].events;
			if (events & (EPOLLHUP | EPOLLERR)) {
				events = (events & ~(uint32_t)EPOLLERR) | LOOP_HANGUP |
					LOOP_READABLE;
			}
			watch_fn *on_ready = watch->on_ready; // the watch may go in it
			on_ready(watch->arg, events);
			began_ns = note_callback(
				loop, began_ns, "descriptor", (const void *)(uintptr_t)on_ready);
		}
	}
	loop->ready_count = 0;
}

static void run_timers(struct loop *loop) {
	uint64_t set_before = loop->next_order;
	int64_t began_ns = 0;
	while (loop->timer_count && !loop->is_stopped) {
		struct timer *timer = loop->heap[0];
		if (timer->due_ns > loop->now_ns || timer->order >= set_before) {
			break;
		}
		timer_stop(timer);
		timer_fn *on_due = timer->on_due;
		began_ns = began_ns ? began_ns : clock_monotonic(loop->clock);
		on_due(timer->arg);
		began_ns = note_callback(loop, began_ns, "timer", (const void *)(uintptr_t)on_due);
	}
}

static void run_tasks(struct loop *loop, struct list *tasks) {
	struct list batch;
	list_init(&batch);
	while (!list_is_empty(tasks)) {
		struct list *node = tasks->next;
		list_remove(node);
		list_add_last(&batch, node);
	}
	while (!list_is_empty(&batch)) {
		struct task *task = list_item(batch.next, struct task, node);
		list_remove(&task->node);
		task->is_posted = false;
		timer_fn *run = task->run;
		int64_t began_ns = clock_monotonic(loop->clock);
		run(task->arg);
		(void)note_callback(loop, began_ns, "task", (const void *)(uintptr_t)run);
	}
}

void loop_step(struct loop *loop, int64_t max_wait_ns) {
	int n = wait_for_events(loop, time_to_wait(loop, max_wait_ns));
	loop->now_ns = clock_monotonic(loop->clock);
	loop->rounds++;
	turn_worst(loop);
	run_descriptors(loop, n);
	run_timers(loop);
	run_tasks(loop, &loop->tasks);
	run_tasks(loop, &loop->last_tasks);
	int64_t now_ns = clock_monotonic(loop->clock);
	histogram_record(&loop->lag, now_ns - loop->now_ns);
	windows_record(loop->windows, now_ns, now_ns - loop->now_ns, false);
}

void loop_run(struct loop *loop) {
	loop->is_stopped = false;
	while (!loop->is_stopped) {
		loop_step(loop, -1);
	}
}

void loop_stop(struct loop *loop) {
	loop->is_stopped = true;
}

void loop_advance(struct loop *loop, int64_t ns) {
	assert(loop->simulation);
	int64_t end = clock_monotonic(loop->clock) + ns;
	for (;;) {
		int64_t left = end - clock_monotonic(loop->clock);
		if (left <= 0 && list_is_empty(&loop->tasks) && list_is_empty(&loop->last_tasks) &&
			(!loop->timer_count || loop->heap[0]->due_ns > end)) {
			break;
		}
		loop_step(loop, left > 0 ? left : 0);
	}
}
