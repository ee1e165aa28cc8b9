// SPDX-License-Identifier: Apache-2.0
// Runs: from a match to action.finished. Invariant: a run holds its place in its lane until its
// action.finished was accepted by the bus, so a full journal slows actions down and hides none.
#include "engine/lane.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/mapping.h"

#define LOG_FOLDER "engine"
#define PLACE_BYTES 96		  // of what waits, as malloc counts
#define EVENT_BYTES 1280	  // of an event beside what its arena gave out
#define RETRY_NS (10 * NS_PER_MS) // the journal empties its queue about this fast

static void on_turn(void *arg) {
	start_waiting(arg);
}

// In the next round of the loop, so that what waits in many lanes lets others in between.
static void want_turns(struct engine *engine) {
	if (!timer_is_set(&engine->turn_timer)) {
		timer_start(&engine->turn_timer, engine->services->loop, 0, on_turn, engine);
	}
}

void lane_wants_turn(struct lane *lane) {
	if (list_is_empty(&lane->turn_node)) {
		list_add_last(&lane->engine->turns, &lane->turn_node);
		want_turns(lane->engine);
	}
}

static void on_retry(void *arg); // it reports, and reporting may have to retry

// The journal's queue is full, or its disk refuses: asks again soon.
static void retry_later(struct engine *engine) {
	if (!timer_is_set(&engine->retry_timer)) {
		timer_start(
			&engine->retry_timer, engine->services->loop, RETRY_NS, on_retry, engine);
	}
}

// --- reporting ---

// Nothing is wrong with the event itself: the bus takes it when the journal has caught up, or when
// the disk works again.
static bool may_come_later(const struct err *err) {
	return err->code == ERR_BUSY || err->code == ERR_UNAVAILABLE || err->code == ERR_STORAGE;
}

static void set_guards(struct event *event, const struct run *run) {
	struct buf text = BUF_INIT;
	struct json_writer writer;
	json_writer_init(&writer, &text);
	condition_observed(run->mapping->condition, run->call.event, &writer);
	if (text.len > 2) { // not just {}
		struct str kept = arena_copy_str(event->arena, buf_str(&text));
		const struct value *guards = json_parse(event->arena, kept, JSON_DEPTH, NULL);
		if (guards) {
			event_set_value(event, "guards", guards);
		}
	}
	buf_finish(&text);
}

static struct event *create_report(const char *kind, const struct run *run) {
	struct event *event = event_create(kind, "engine", run->lane->name);
	event_set_cause(event, run->call.event);
	event_set_str(event, "mapping", run->lane->name);
	event_set_text(event, "action", run->action->name);
	event_set_text(event, "class", mapping_class_name(run->class));
	event_set_str(event, "key", run->call.key);
	event_set_int(event, "attempt", (int64_t)run->call.attempt);
	return event;
}

// False when the bus has no place for it now.
static bool report_started(const struct run *run) {
	struct err err = ERR_INIT;
	struct event *event = create_report("action.started", run);
	set_guards(event, run);
	if (bus_publish(run->lane->engine->services->bus, event, NULL, NULL, &err)) {
		return true;
	}
	if (may_come_later(&err)) {
		return false;
	}
	log_warn("mapping %.*s: its action.started is not kept: %s", STR_ARG(run->lane->name),
		err.message);
	return true;
}

static void set_outcome(struct event *event, const struct run *run, bool ok, const char *error,
	int64_t duration_ns) {
	event_set_bool(event, "ok", ok);
	event_set_text(event, "error", error);
	if (run->is_cancelled) {
		event_set_bool(event, "cancelled", true);
	}
	event_set_int(event, "duration_us", duration_ns / NS_PER_US);
}

// What the action reported was too large: without it, rather than nothing.
static struct event *create_short_report(const struct run *run, const struct event *whole) {
	const struct value *ok = event_attribute(whole, STR("ok"));
	const struct value *duration = event_attribute(whole, STR("duration_us"));
	const struct value *error = event_attribute(whole, STR("error"));
	struct event *event = create_report("action.finished", run);
	event_set_bool(event, "ok", ok && ok->boolean);
	if (error) {
		event_set_str(event, "error", str_head(error->string, 1000));
	}
	if (run->is_cancelled) {
		event_set_bool(event, "cancelled", true); // or the next start would not repeat it
	}
	event_set_int(event, "duration_us", duration ? duration->integer : 0);
	event_set_bool(event, "truncated", true);
	return event;
}

// False when the bus has no place for it now; the run keeps the event then.
static bool report_finished(struct run *run) {
	struct err err = ERR_INIT;
	struct bus *bus = run->engine->services->bus;
	if (bus_publish(bus, event_ref(run->call.result), NULL, NULL, &err)) {
		return true;
	}
	if (may_come_later(&err)) {
		return false;
	}
	struct event *shorter = create_short_report(run, run->call.result);
	event_unref(run->call.result);
	run->call.result = shorter;
	if (bus_publish(bus, event_ref(shorter), NULL, NULL, &err)) {
		return true;
	}
	if (may_come_later(&err)) {
		return false;
	}
	log_error("mapping %.*s: its action.finished is not kept: %s", STR_ARG(run->lane->name),
		err.message);
	return true;
}

// --- ending ---

static void run_free(struct run *run) {
	list_remove(&run->node);
	event_unref(run->call.event);
	event_unref(run->call.result);
	snapshot_unref(run->snapshot);
	lane_unref(run->lane);
	buf_finish(&run->key);
	free(run);
}

// After its action.finished was accepted.
static void run_end(struct run *run) {
	struct engine *engine = run->engine;
	struct lane *lane = run->lane;
	lane->running_count--;
	engine->running_count--;
	if (run->obligation && !run->is_cancelled) {
		obligation_release(engine, run->obligation);
	}
	if (lane->waiting_count) {
		lane_wants_turn(lane);
	} else if (!list_is_empty(&engine->turns)) {
		want_turns(engine);
	}
	run_free(run);
	if (engine->is_draining && engine->running_count == 0 && engine->on_idle) {
		void (*on_idle)(void *arg) = take_ptr(engine->on_idle);
		cursor_save(engine);
		on_idle(engine->on_idle_arg);
	}
}

static void run_settle(struct run *run) {
	if (report_finished(run)) {
		run_end(run);
		return;
	}
	list_remove(&run->node);
	list_add_last(&run->engine->unreported, &run->node);
	retry_later(run->engine);
}

static void on_done(struct action_call *call, const struct err *err) {
	struct run *run = list_item(call, struct run, call);
	struct engine *engine = run->engine;
	assert(!run->is_done);
	run->is_done = true;
	if (!engine) {
		run_free(run); // it ended after the engine
		return;
	}
	int64_t duration_ns = clock_monotonic(loop_clock(engine->services->loop)) - run->started_ns;
	if (err) {
		run->lane->failed++;
		engine->failed++;
		log_warn("mapping %.*s: its %s for event %llu failed: %s", STR_ARG(run->lane->name),
			run->action->name, (unsigned long long)run->call.event->id, err->message);
	}
	run->lane->finished++;
	engine->finished++;
	if (run->is_starting && !run->obligation && !run->is_cancelled) {
		set_guards(call->result, run); // there is no action.started to have them
	}
	set_outcome(call->result, run, !err, err ? err->message : NULL, duration_ns);
	if (!run->is_starting) {
		run_settle(run);
	}
}

// --- starting ---

static struct run *run_create(struct lane *lane, const struct match *match) {
	struct run *run = xcalloc(1, sizeof(*run));
	run->engine = lane->engine;
	run->lane = lane;
	lane->refs++;
	run->mapping = match->mapping;
	run->snapshot = snapshot_ref(match->snapshot);
	run->action = mapping_action(match->mapping);
	run->obligation = match->obligation;
	run->class = match->obligation ? CLASS_ASSURED : CLASS_REFLEX;
	buf_appendf(&run->key, "%llu:", (unsigned long long)match->event->id);
	buf_append_str(&run->key, lane->name);
	run->call = (struct action_call){.services = lane->engine->services,
		.config = match->mapping->action.config,
		.event = event_ref(match->event),
		.mapping = lane->name.at,
		.key = buf_str(&run->key),
		.attempt = match->attempt,
		.on_done = on_done};
	run->call.result = create_report("action.finished", run);
	list_init(&run->node);
	return run;
}

// False: the bus has no place for its action.started, try again later. Reflexes act before
// anything is journaled; of those that ended at once only the end is.
static bool run_start(struct lane *lane, const struct match *match) {
	struct engine *engine = lane->engine;
	struct run *run = run_create(lane, match);
	bool is_assured = match->obligation; // the match may be gone when the action was run
	if (is_assured && !report_started(run)) {
		run_free(run);
		lane->tokens += 1; // it was not used
		list_remove(&lane->turn_node);
		list_add_last(&engine->stalled, &lane->turn_node);
		retry_later(engine);
		return false;
	}
	lane->started++;
	engine->started++;
	lane->running_count++;
	engine->running_count++;
	list_add_last(&engine->runs, &run->node);
	run->started_ns = clock_monotonic(loop_clock(engine->services->loop));
	run->is_starting = true;
	run->action->run(&run->call);
	run->is_starting = false;
	if (!run->is_done) {
		if (!is_assured) {
			(void)report_started(run); // or its action.finished says it all
		}
		return true;
	}
	run_settle(run);
	return true;
}

static bool has_room(const struct lane *lane) {
	return lane->running_count < (size_t)lane->mapping->concurrency &&
		lane->engine->running_count < RUNNING_MAX && !lane->engine->is_draining;
}

static void wait_in_lane(struct lane *lane, const struct match *match) {
	struct waiting *waiting = xcalloc(1, sizeof(*waiting));
	waiting->match = *match;
	waiting->bytes = PLACE_BYTES;
	if (lane->engine->counted_id != match->event->id) { // once, for all mappings it waits for
		lane->engine->counted_id = match->event->id;
		waiting->bytes += EVENT_BYTES + arena_used(match->event->arena);
	}
	(void)event_ref(match->event);
	(void)snapshot_ref(match->snapshot);
	list_add_last(&lane->waiting, &waiting->node);
	lane->refs++;
	lane->waiting_count++;
	lane->engine->waiting_count++;
	lane->engine->waiting_bytes += waiting->bytes;
	if (lane->engine->waiting_count > lane->engine->waiting_deepest) {
		lane->engine->waiting_deepest = lane->engine->waiting_count;
	}
	if (lane->engine->waiting_bytes > lane->engine->waiting_bytes_deepest) {
		lane->engine->waiting_bytes_deepest = lane->engine->waiting_bytes;
	}
	lane_wants_turn(lane);
}

static void run_reflex(struct lane *lane, const struct match *match) {
	if (!lane_take_token(lane)) {
		lane_refuse(lane, match->event, "budget");
	} else if (has_room(lane) && lane->waiting_count == 0) {
		(void)run_start(lane, match);
	} else if (!engine_is_full(lane->engine)) {
		wait_in_lane(lane, match);
	} else {
		lane_refuse(lane, match->event, "queue");
	}
}

void run_or_wait(struct lane *lane, const struct match *match) {
	struct event *event = match->event;
	lane->matched++;
	lane->engine->matched++;
	lane->last_event = event->id;
	bool is_too_deep = event->depth > match->mapping->max_depth;
	if (is_too_deep || !lane->mapping->enabled) { // disabled since the event was accepted
		lane_refuse(lane, event, is_too_deep ? "depth" : "disabled");
		if (match->obligation) {
			obligation_release(lane->engine, match->obligation);
		}
		return;
	}
	if (!match->obligation) {
		run_reflex(lane, match);
		return;
	}
	if (lane->waiting_count == 0 && has_room(lane) && lane_take_token(lane) &&
		run_start(lane, match)) {
		return;
	}
	wait_in_lane(lane, match);
}

static void waiting_free(struct lane *lane, struct waiting *waiting) {
	list_remove(&waiting->node);
	lane->waiting_count--;
	lane->engine->waiting_count--;
	lane->engine->waiting_bytes -= waiting->bytes;
	event_unref(waiting->match.event);
	snapshot_unref(waiting->match.snapshot);
	free(waiting);
	lane_unref(lane);
}

// True when more of this lane could start at once.
static bool start_some(struct lane *lane) {
	for (int i = 0; i < STARTS_PER_TURN; i++) {
		if (lane->engine->running_count >= RUNNING_MAX) {
			return true;
		}
		if (list_is_empty(&lane->waiting) || !has_room(lane)) {
			return false; // run_end asks for the next turn
		}
		struct waiting *first = list_item(lane->waiting.next, struct waiting, node);
		// A reflex has paid its token when it came.
		if (first->match.obligation && !lane_take_token(lane)) {
			return false; // the budget's timer asks for it
		}
		if (!run_start(lane, &first->match)) {
			return false; // so does the retry timer
		}
		waiting_free(lane, first);
	}
	return true;
}

void start_waiting(struct engine *engine) {
	struct list again;
	list_init(&again);
	while (!list_is_empty(&engine->turns) && engine->running_count < RUNNING_MAX) {
		struct lane *lane = list_item(engine->turns.next, struct lane, turn_node);
		list_remove(&lane->turn_node);
		lane->refs++;
		if (start_some(lane) && list_is_empty(&lane->turn_node)) {
			list_add_last(&again, &lane->turn_node);
		}
		lane_unref(lane);
	}
	while (!list_is_empty(&again)) {
		struct lane *lane = list_item(again.next, struct lane, turn_node);
		list_remove(&lane->turn_node);
		lane_wants_turn(lane);
	}
	catch_up(engine);
}

static void on_retry(void *arg) {
	struct engine *engine = arg;
	while (!list_is_empty(&engine->unreported) && !timer_is_set(&engine->retry_timer)) {
		run_settle(list_item(engine->unreported.next, struct run, node));
	}
	while (!list_is_empty(&engine->stalled)) {
		struct lane *lane = list_item(engine->stalled.next, struct lane, turn_node);
		list_remove(&lane->turn_node);
		lane_wants_turn(lane);
	}
}

// --- the end ---

void forget_waiting(struct lane *lane) {
	lane->refs++; // what waits may hold the last reference
	while (!list_is_empty(&lane->waiting)) {
		struct waiting *waiting = list_item(lane->waiting.next, struct waiting, node);
		if (waiting->match.obligation) {
			obligation_release(lane->engine, waiting->match.obligation);
		}
		waiting_free(lane, waiting);
	}
	lane_unref(lane);
}

// Every run is ended, or left to its action without an engine; its action.finished is published
// here, the bus permitting. Cancelled assured runs keep their obligation: a later start repeats them.
void cancel_runs(struct engine *engine) {
	while (!list_is_empty(&engine->runs)) {
		struct run *run = list_item(engine->runs.next, struct run, node);
		run->is_cancelled = true;
		run->is_starting = true; // on_done only takes note
		if (run->action->cancel) {
			run->action->cancel(&run->call);
		}
		if (!run->is_done) {
			set_outcome(run->call.result, run, false, "cancelled: Anna stops", 0);
		}
		(void)report_finished(run);
		list_remove(&run->node);
		engine->running_count--;
		run->lane->running_count--;
		run->engine = NULL;
		if (run->is_done) {
			run_free(run);
		}
	}
	while (!list_is_empty(&engine->unreported)) {
		struct run *run = list_item(engine->unreported.next, struct run, node);
		(void)report_finished(run);
		run_free(run);
	}
}
