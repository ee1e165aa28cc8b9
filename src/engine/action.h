// SPDX-License-Identifier: Apache-2.0
// An action: something Anna does because of an event. One file in src/actions/ that ends in its
// descriptor, one row in actions.def. An action decides nothing: the engine owns when, how often,
// in which order and what is journaled about it.
#pragma once

#include "base/err.h"
#include "config/option.h"
#include "flow/capability.h"
#include "flow/event.h"

// One run of an action. Lives until on_done was called.
struct action_call {
	const struct services *services;
	const void *config;  // the filled struct of the action's rows
	struct event *event; // what caused it; borrowed
	const char *mapping; // its name
	struct str key;	     // idempotency key: the same again means the same run, repeated
	uint64_t attempt;    // 1; higher after a restart repeats it
	void *state;	     // the action's own, between run and on_done
	// How it ended: attributes for the `action.finished` event are set on `result` by the action
	// before it calls on_done exactly once (also from inside run). err NULL: it worked.
	struct event *result;
	void (*on_done)(struct action_call *call, const struct err *err);
};

struct action {
	const char *name;
	const char *summary;
	const struct option *rows;
	size_t size;
	const struct kind *kinds; // kinds it publishes itself beside action.*; may be NULL
	// Cross-field rules; may compile templates into the arena and the config struct.
	void (*check)(
		void *config, struct place place, struct arena *arena, struct problems *problems);
	void (*run)(struct action_call *call);
	// Ends a run that has not finished (shutdown): on_done is called soon after, or at once.
	void (*cancel)(struct action_call *call);
};

#define DEFINE_ACTION(name) const struct action action_##name
