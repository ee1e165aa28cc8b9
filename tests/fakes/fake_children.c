// SPDX-License-Identifier: Apache-2.0
// Played processes; see fake_children.h. A signal ends one at once, in the loop's next round, as
// the kernel would: never from inside kill().
#include "tests/fakes/fake_children.h"

#include <signal.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/random.h"

struct child {
	struct list node;
	struct fake_children *owner;
	pid_t pid;
	struct fake_plan plan;
	struct timer output_timer;
	struct timer end_timer;
	int signal; // that ended it
	bool has_ended;
	void (*on_output)(void *arg, struct str bytes);
	void (*on_exit)(void *arg, const struct child_result *result);
	void *arg;
};

static void child_free(struct child *child) {
	timer_stop(&child->output_timer);
	timer_stop(&child->end_timer);
	list_remove(&child->node);
	free(child);
}

static void write_output(void *arg) {
	struct child *child = arg;
	if (child->plan.output && child->on_output) {
		child->on_output(child->arg, str_from(child->plan.output));
	}
}

static void end(void *arg) {
	struct child *child = arg;
	struct child_result result = {.was_signalled = child->signal != 0,
		.exit_status = child->signal ? 0 : child->plan.exit_status,
		.signal = child->signal};
	child->has_ended = true;
	child->owner->running--;
	if (child->on_exit) {
		child->on_exit(child->arg, &result); // may release it
	}
}

static struct fake_plan next_plan(struct fake_children *children) {
	if (children->plan_next < children->plan_count) {
		return children->plans[children->plan_next++];
	}
	struct simulation *simulation = loop_simulation(children->loop);
	struct random *random = simulation->random;
	return (struct fake_plan){
		.duration_ns = (int64_t)random_below(random, 5 * (uint64_t)NS_PER_SECOND),
		.exit_status = random_below(random, 10) == 0 ? 1 : 0,
		.ignores_sigterm = random_below(random, 20) == 0,
	};
}

static void note_arguments(struct fake_children *children, const char *const *argv) {
	struct buf text = BUF_INIT;
	for (size_t i = 0; argv[i]; i++) {
		buf_appendf(&text, "%s%s", i ? "|" : "", argv[i]);
	}
	free(children->last_argv);
	children->last_argv = buf_take(&text);
}

static struct child *spawn(
	struct child_runner *runner, const struct child_spec *spec, struct err *err) {
	struct fake_children *children = (struct fake_children *)(void *)runner;
	struct fake_plan plan = next_plan(children);
	note_arguments(children, spec->argv);
	if (plan.spawn_error) {
		err_set(err, ERR_NOT_FOUND, "%s", plan.spawn_error);
		return NULL;
	}
	struct child *child = xcalloc(1, sizeof(*child));
	child->owner = children;
	child->pid = children->next_pid++;
	child->plan = plan;
	child->on_output = spec->on_output;
	child->on_exit = spec->on_exit;
	child->arg = spec->arg;
	list_add_last(&children->children, &child->node);
	timer_start(
		&child->output_timer, children->loop, plan.duration_ns / 2, write_output, child);
	timer_start(&child->end_timer, children->loop, plan.duration_ns, end, child);
	children->spawned++;
	children->running++;
	if (children->running > children->most_running) {
		children->most_running = children->running;
	}
	return child;
}

static pid_t get_pid(const struct child *child) {
	return child->pid;
}

static void kill_child(struct child *child, int signal) {
	child->owner->last_signal = signal;
	if (child->has_ended || child->signal ||
		(signal != SIGKILL && child->plan.ignores_sigterm)) {
		return;
	}
	child->signal = signal;
	timer_stop(&child->output_timer);
	timer_start(&child->end_timer, child->owner->loop, 0, end, child);
}

static void release(struct child *child) {
	if (!child->has_ended) {
		child->owner->running--;
	}
	child_free(child);
}

void fake_children_init(struct fake_children *children, struct loop *loop) {
	*children = (struct fake_children){
		.runner = {spawn, get_pid, kill_child, release}, .loop = loop, .next_pid = 1000};
	list_init(&children->children);
}

void fake_children_plan(struct fake_children *children, struct fake_plan plan) {
	assert(children->plan_count < FAKE_PLANS);
	children->plans[children->plan_count++] = plan;
}

void fake_children_finish(struct fake_children *children) {
	list_for_each (node, &children->children) {
		child_free(list_item(node, struct child, node));
	}
	free(children->last_argv);
}
