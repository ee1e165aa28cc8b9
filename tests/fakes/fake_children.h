// SPDX-License-Identifier: Apache-2.0
// Processes played on a simulated loop: each lasts for some simulated time and ends as its plan
// says. Plans are given for the next spawns, in order; without one the simulation's random decides
// (0 to 5 s, mostly exit status 0), so a seed fixes everything.
//
//	struct fake_children children;
//	fake_children_init(&children, fake.loop);
//	fake_children_plan(&children, (struct fake_plan){.duration_ns = NS_PER_SECOND});
//	services.children = &children.runner;
#pragma once

#include "base/list.h"
#include "io/child.h"
#include "io/loop.h"

struct fake_plan {
	int64_t duration_ns;
	const char *output; // written half way; NULL: nothing
	int exit_status;
	bool ignores_sigterm;
	const char *spawn_error; // it cannot be started
};

#define FAKE_PLANS 64

struct fake_children {
	struct child_runner runner; // first
	struct loop *loop;
	struct list children;
	struct fake_plan plans[FAKE_PLANS];
	size_t plan_count, plan_next;
	pid_t next_pid;
	size_t spawned, running, most_running;
	char *last_argv; // of the newest, joined by '|'
	int last_signal;
};

void fake_children_init(struct fake_children *children, struct loop *loop);
void fake_children_plan(struct fake_children *children, struct fake_plan plan);
// Forgets what still runs, without callbacks.
void fake_children_finish(struct fake_children *children);
