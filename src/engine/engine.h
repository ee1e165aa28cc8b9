// SPDX-License-Identifier: Apache-2.0
// The engine: event -> mappings -> actions. It owns order, class, depth, budget, concurrency and
// what is journaled about each run.
//
// reflex: acts at PHASE_ACCEPTED, journals after; at most once.
// assured: acts at PHASE_DURABLE; at least once, with an idempotency key ("<event id>:<mapping>").
// For assured runs the engine keeps a cursor (RECORD_STATE "engine.cursor"): every durable event up
// to it has had all its assured actions finished. After a restart engine_recover reads on from
// there and repeats what has no `action.finished`.
//
// Every run is two events caused by the triggering event: action.started {mapping, action, class,
// key, attempt, guards} (assured and long-running actions) and action.finished {mapping, action,
// class, key, ok, error, duration_us, …the action's own}. A mapping that is refused (by depth, budget
// or a full queue, or because it was disabled meanwhile) publishes mapping.refused {mapping, reason,
// count}, at most once a second per mapping.
#pragma once

#include "base/err.h"
#include "config/schema.h"
#include "engine/action.h"
#include "engine/condition.h"
#include "flow/bus.h"
#include "flow/capability.h"

struct engine;

enum mapping_class {
	CLASS_ASSURED,
	CLASS_REFLEX
};

// One [[mappings]] item as filled from its rows.
struct mapping {
	struct str name;
	struct strings on;		   // kind globs
	const struct value *where;	   // as written
	const struct condition *condition; // compiled by the section's check
	struct tagged action;
	int class; // enum mapping_class
	bool stop; // when it matched, later mappings are not looked at
	bool enabled;
	int64_t max_depth; // of the causing event's chain
	int64_t budget;	   // runs per budget_per_ns
	int64_t budget_per_ns;
	int64_t concurrency; // runs at once; more wait in order
};

// The section [[mappings]].
extern const struct section mappings_section;
// mapping.refused, action.started, action.finished.
extern const struct kind engine_kinds[];

_must_use_ struct engine *engine_create(const struct services *services);
// Cancels what runs (their action.finished says so) and forgets the rest; the cursor lets a later
// start repeat assured ones. NULL is fine.
void engine_destroy(struct engine *engine);
// Takes on the mappings of a snapshot. Budgets, counters, waiting and running runs of mappings
// that are still there (by name) go on, within the new limits; what was accepted before (removed
// mappings included) runs the action of the configuration that accepted it.
void engine_configure(struct engine *engine, struct snapshot *snapshot);
// Repeats assured actions that were not finished before the last stop. Reads the journal in a job;
// until it is through, new assured runs wait, so order is kept. on_done on the loop, as soon as it
// is known what was done before: not when all of it was repeated.
void engine_recover(
	struct engine *engine, const char *journal_folder, void (*on_done)(void *arg), void *arg);
// No new runs; on_idle once nothing runs any more (or at once).
void engine_drain(struct engine *engine, void (*on_idle)(void *arg), void *arg);

struct engine_stats {
	uint64_t matched, started, finished, failed, refused;
	size_t running, waiting;
	uint64_t cursor;
	size_t running_max, waiting_max, waiting_deepest, waiting_bytes, waiting_bytes_max;
	size_t waiting_bytes_deepest;
	bool is_behind; // as much waits as may: the rest is read from the journal
};
void engine_get_stats(const struct engine *engine, struct engine_stats *out);

struct mapping_stats {
	struct str name;
	uint64_t matched, started, finished, failed, refused;
	uint64_t last_event; // id
	size_t running, waiting;
};
// The i-th mapping in file order.
void engine_get_mapping(const struct engine *engine, size_t i, struct mapping_stats *out);
