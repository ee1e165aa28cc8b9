// SPDX-License-Identifier: Apache-2.0
// The engine's outside: life, configuration, counters. See lane.h for how its parts share state.
#include "engine/engine.h"

#include "base/alloc.h"
#include "engine/lane.h"
#include "engine/mapping.h"

static void on_durable(struct engine *engine, struct event *event) {
	engine->durable_id = event->id;
	if (engine->is_draining) {
		return; // behind the cursor: the next start takes it on
	}
	// With as much waiting as there may be, the journal keeps the rest for later.
	if (engine_is_full(engine) && engine->journal_folder) {
		engine->is_behind = true;
	}
	if (engine->is_behind) {
		return;
	}
	tables_forget_before(engine, event->id);
	struct table *table = table_for(engine, event->id);
	if (table) {
		dispatch_event(engine, table, PHASE_DURABLE, event);
	}
	engine->dispatched_id = event->id;
	cursor_changed(engine);
}

static void on_event(void *arg, enum bus_phase phase, struct event *event) {
	struct engine *engine = arg;
	if (phase == PHASE_DURABLE) {
		on_durable(engine, event);
		return;
	}
	if (!engine->is_draining && !list_is_empty(&engine->tables)) {
		struct table *newest = list_item(engine->tables.prev, struct table, node);
		dispatch_event(engine, newest, PHASE_ACCEPTED, event);
	}
}

struct engine *engine_create(const struct services *services) {
	struct engine *engine = xcalloc(1, sizeof(*engine));
	struct bus_stats stats;
	engine->services = services;
	list_init(&engine->tables);
	list_init(&engine->turns);
	list_init(&engine->stalled);
	list_init(&engine->runs);
	list_init(&engine->unreported);
	list_init(&engine->obligations);
	bus_get_stats(services->bus, &stats);
	engine->durable_id = engine->dispatched_id = engine->saved_cursor = stats.durable_id;
	bus_subscribe(services->bus, &engine->subscription, on_event, engine);
	return engine;
}

void engine_destroy(struct engine *engine) {
	if (!engine) {
		return;
	}
	bus_unsubscribe(&engine->subscription);
	engine->is_draining = true;
	cancel_runs(engine);
	cursor_save(engine);
	catch_up_forget(engine);
	struct map_entry *entry;
	for (size_t cursor = 0; (entry = map_next(&engine->lanes, &cursor));) {
		lane_orphan(entry->value);
	}
	while (!list_is_empty(&engine->tables)) {
		struct table *table = list_item(engine->tables.next, struct table, node);
		list_remove(&table->node);
		table_unref(table);
	}
	while (!list_is_empty(&engine->obligations)) {
		struct obligation *obligation = list_item(
			engine->obligations.next, struct obligation, node);
		list_remove(&obligation->node);
		free(obligation);
	}
	timer_stop(&engine->turn_timer);
	timer_stop(&engine->retry_timer);
	timer_stop(&engine->cursor_timer);
	timer_stop(&engine->catch_up_timer);
	past_clear(engine);
	map_finish(&engine->lanes);
	free(engine->journal_folder);
	free(engine);
}

// --- configuration ---

static struct lane *take_lane(struct engine *engine, const struct table *before, size_t i,
	const struct mapping *mapping, struct snapshot *snapshot) {
	struct lane *lane = NULL;
	// Mostly nothing moved: then no hashing is needed.
	if (before && i < before->n && str_equal(before->lanes[i]->name, mapping->name)) {
		lane = before->lanes[i];
	} else {
		lane = map_get(&engine->lanes, mapping->name);
	}
	if (lane) {
		lane->refs++;
		lane_configure(lane, mapping, snapshot);
	} else {
		lane = lane_create(engine, mapping, snapshot);
		(void)map_put(&engine->lanes, lane->name, lane);
	}
	return lane;
}

static bool hears_the_same(const struct mapping *a, const struct mapping *b) {
	if (a->enabled != b->enabled || a->on.n != b->on.n) {
		return false;
	}
	for (size_t i = 0; i < a->on.n; i++) {
		if (!str_equal(a->on.items[i], b->on.items[i])) {
			return false;
		}
	}
	return true;
}

static bool all_hear_the_same(const struct table *a, const struct table *b) {
	if (a->n != b->n) {
		return false;
	}
	for (size_t i = 0; i < a->n; i++) {
		if (!hears_the_same(&a->mappings[i], &b->mappings[i])) {
			return false;
		}
	}
	return true;
}

void engine_configure(struct engine *engine, struct snapshot *snapshot) {
	struct item_list list = snapshot_list(snapshot, &mappings_section);
	struct table *before = list_is_empty(&engine->tables)
		? NULL
		: list_item(engine->tables.prev, struct table, node);
	struct table *table = xcalloc(1, sizeof(*table));
	struct bus_stats stats;
	bus_get_stats(engine->services->bus, &stats);
	*table = (struct table){.refs = 1,
		.snapshot = snapshot_ref(snapshot),
		.mappings = list.items,
		.lanes = xcalloc(list.n, sizeof(struct lane *)),
		.n = list.n,
		.from_id = before ? stats.last_id + 1 : 0};
	for (size_t i = 0; i < list.n; i++) {
		table->lanes[i] = take_lane(engine, before, i, &table->mappings[i], snapshot);
	}
	if (before && before->listeners && all_hear_the_same(before, table)) {
		table->listeners = listeners_ref(before->listeners);
	}
	list_add_last(&engine->tables, &table->node);
	if (!engine->is_behind) {
		tables_forget_before(engine, stats.durable_id + 1);
	}
	catch_up(engine);
}

void engine_drain(struct engine *engine, void (*on_idle)(void *arg), void *arg) {
	engine->is_draining = true;
	if (engine->running_count == 0) {
		cursor_save(engine);
		on_idle(arg);
		return;
	}
	engine->on_idle = on_idle;
	engine->on_idle_arg = arg;
}

// --- counters ---

void engine_get_stats(const struct engine *engine, struct engine_stats *out) {
	*out = (struct engine_stats){.matched = engine->matched,
		.started = engine->started,
		.finished = engine->finished,
		.failed = engine->failed,
		.refused = engine->refused,
		.running = engine->running_count,
		.waiting = engine->waiting_count,
		.waiting_deepest = engine->waiting_deepest,
		.waiting_max = WAITING_MAX,
		.waiting_bytes = engine->waiting_bytes,
		.waiting_bytes_deepest = engine->waiting_bytes_deepest,
		.waiting_bytes_max = WAITING_BYTES,
		.running_max = RUNNING_MAX,
		.is_behind = engine->is_behind,
		.cursor = engine_cursor(engine)};
}

static const struct table *newest_table(const struct engine *engine) {
	return list_is_empty(&engine->tables) ? NULL
					      : list_item(engine->tables.prev, struct table, node);
}

void engine_get_mapping(const struct engine *engine, size_t i, struct mapping_stats *out) {
	const struct lane *lane = newest_table(engine)->lanes[i];
	*out = (struct mapping_stats){.name = lane->name,
		.matched = lane->matched,
		.started = lane->started,
		.finished = lane->finished,
		.failed = lane->failed,
		.refused = lane->refused,
		.last_event = lane->last_event,
		.running = lane->running_count,
		.waiting = lane->waiting_count};
}
