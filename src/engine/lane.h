// SPDX-License-Identifier: Apache-2.0
// The running state of the engine, shared by its files: one lane per mapping (budget, counters,
// runs waiting and running), the tables of mappings in force, and the way the cursor is kept. Only
// engine/ includes this.
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "engine/engine.h"
#include "engine/listeners.h"
#include "io/loop.h"

#define WAITING_MAX 65536		// references to events, over all mappings
#define WAITING_BYTES (9 * 1024 * 1024) // that these may take, their events with them
#define RUNNING_MAX 512			// runs at once, over all mappings: each may be a process
#define STARTS_PER_TURN 16		// from one queue before others get their turn

// A mapping while it is in force, over reloads. Lives as long as a table, a run or something that
// waits refers to it: what a removed mapping had accepted, it still does.
struct lane {
	uint32_t refs;
	struct engine *engine; // NULL: the engine has gone
	// Of the newest snapshot that has it: its limits are in force for what older ones matched.
	const struct mapping *mapping;
	struct snapshot *snapshot;
	double tokens;
	int64_t refilled_ns;
	struct list waiting; // struct waiting, oldest event first
	size_t waiting_count, running_count;
	struct list turn_node; // in engine->turns, when more can be started
	struct timer budget_timer;
	struct timer refused_timer;
	int64_t refused_ns; // last mapping.refused
	uint64_t refused_unreported;
	const char *refused_reason;
	struct event *refused_event; // the last one refused and not reported
	uint64_t matched, started, finished, failed, refused, last_event;
	struct str name; // NUL-terminated, behind the struct
};

// An event whose assured runs are not all finished; the cursor stays before the oldest.
struct obligation {
	struct list node; // in engine->obligations, by id
	uint64_t id;
	uint32_t pending;
};

// An event and the mapping that matched it, as its lane's mapping was when the event was accepted:
// its condition held, so it is its action that runs, whatever a reload made of either since.
struct match {
	const struct mapping *mapping;
	struct snapshot *snapshot; // that the mapping is of
	struct event *event;
	struct obligation *obligation; // NULL: reflex
	uint32_t attempt;
};

struct waiting {
	struct list node;   // in its lane
	struct match match; // with a reference to event and snapshot
	size_t bytes;	    // of engine->waiting_bytes
};

struct run {
	struct action_call call;
	struct list node;      // in engine->runs or engine->unreported
	struct engine *engine; // NULL: the engine has gone
	struct lane *lane;
	const struct mapping *mapping; // that matched; the lane's may be newer
	struct snapshot *snapshot;
	const struct action *action;
	struct obligation *obligation; // NULL: reflex
	int class;
	int64_t started_ns;
	bool is_starting; // inside action->run
	bool is_done;
	bool is_cancelled;
	struct buf key;
};

// The mappings of one snapshot. Older ones stay while events they accepted are on their way to
// being durable: an event is judged by the same table in both phases.
struct table {
	struct list node; // in engine->tables, newest last
	uint32_t refs;
	struct snapshot *snapshot;
	const struct mapping *mappings;
	struct lane **lanes;
	size_t n;
	uint64_t from_id;	     // events from this id on
	struct listeners *listeners; // made when first needed
};

// What was found in the journal about runs of an earlier process.
struct past_run {
	uint32_t attempts;
	bool is_finished;
	struct str key;
};

struct engine {
	const struct services *services;
	struct subscription subscription;
	struct list tables;
	struct map lanes;	// name -> lane, removed ones included while they live
	struct list turns;	// lanes that could start more
	struct list stalled;	// lanes that could not, because the journal's queue was full
	struct list runs;	// started, not done
	struct list unreported; // done, their action.finished not accepted yet
	struct list obligations;
	size_t running_count, waiting_count;
	size_t waiting_bytes, waiting_deepest, waiting_bytes_deepest;
	uint64_t counted_id; // the last event whose own memory is in waiting_bytes
	struct timer turn_timer;
	struct timer retry_timer; // the journal's queue was full
	struct timer cursor_timer;
	uint64_t dispatched_id; // every durable event up to here was looked at
	uint64_t durable_id;	// the newest seen
	uint64_t saved_cursor;
	// Behind: events between dispatched_id and durable_id are read from the journal.
	bool is_behind;
	char *journal_folder;
	struct catch_up *catch_up; // events being read or dispatched; NULL: none
	struct timer catch_up_timer;
	bool needs_scan; // the cursor and what was done before are not known yet
	struct map past; // key -> past_run, until recovery is through
	struct arena *past_arena;
	void (*on_recovered)(void *arg);
	void *on_recovered_arg;
	bool is_draining;
	void (*on_idle)(void *arg);
	void *on_idle_arg;
	uint64_t matched, started, finished, failed, refused;
};

// lane.c
_must_use_ struct lane *lane_create(
	struct engine *engine, const struct mapping *mapping, struct snapshot *snapshot);
void lane_unref(struct lane *lane);
// Takes on a mapping of the same name from a newer snapshot.
void lane_configure(struct lane *lane, const struct mapping *mapping, struct snapshot *snapshot);
// The engine goes: forgets what waits; an assured run's obligation stays behind the cursor.
void lane_orphan(struct lane *lane);
bool lane_take_token(struct lane *lane);
void lane_refuse(struct lane *lane, struct event *event, const char *reason);
// Whether as much waits as may.
static inline bool engine_is_full(const struct engine *engine) {
	return engine->waiting_count >= WAITING_MAX || engine->waiting_bytes >= WAITING_BYTES;
}
static inline bool engine_is_half_empty(const struct engine *engine) {
	return engine->waiting_count <= WAITING_MAX / 2 &&
		engine->waiting_bytes <= WAITING_BYTES / 2;
}

// run.c
// Starts its run, or lets it wait. What the match refers to is borrowed.
void run_or_wait(struct lane *lane, const struct match *match);
// Starts what waits and may start, a few of each lane; posts itself for the rest.
void start_waiting(struct engine *engine);
void lane_wants_turn(struct lane *lane);
void cancel_runs(struct engine *engine);
void forget_waiting(struct lane *lane);

// dispatch.c
// Looks at an event in one phase; assured ones get obligations.
void dispatch_event(
	struct engine *engine, struct table *table, enum bus_phase phase, struct event *event);
struct table *table_for(struct engine *engine, uint64_t id);
void tables_forget_before(struct engine *engine, uint64_t id);
void table_unref(struct table *table);

// recovery.c
uint64_t engine_cursor(const struct engine *engine);
// An assured run is over: the cursor may move.
void obligation_release(struct engine *engine, struct obligation *obligation);
void cursor_changed(struct engine *engine);
void cursor_save(struct engine *engine);
// Goes on reading the journal when it is behind and there is room.
void catch_up(struct engine *engine);
void catch_up_forget(struct engine *engine);
// What is known of a run from before; NULL: nothing.
struct past_run *past_find(struct engine *engine, uint64_t event_id, struct str mapping);
void past_clear(struct engine *engine);
