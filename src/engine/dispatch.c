// SPDX-License-Identifier: Apache-2.0
// From an event to the mappings that act. Reflexes are looked at when an event is accepted, assured
// mappings when it is durable, both by the same table; `stop` counts in both, whatever the class.
#include "engine/lane.h"

#include "base/alloc.h"
#include "engine/mapping.h"

static void table_free(struct table *table) {
	for (size_t i = 0; i < table->n; i++) {
		lane_unref(table->lanes[i]);
	}
	free(table->lanes);
	listeners_unref(table->listeners);
	snapshot_unref(table->snapshot);
	free(table);
}

void table_unref(struct table *table) {
	if (table && --table->refs == 0) {
		list_remove(&table->node);
		table_free(table);
	}
}

// The newest table made before the event was accepted; NULL when there is none.
struct table *table_for(struct engine *engine, uint64_t id) {
	for (struct list *node = engine->tables.prev; node != &engine->tables; node = node->prev) {
		struct table *table = list_item(node, struct table, node);
		if (table->from_id <= id) {
			return table;
		}
	}
	return NULL;
}

// Drops the tables no event from `id` on can need.
void tables_forget_before(struct engine *engine, uint64_t id) {
	while (engine->tables.next != engine->tables.prev) {
		struct table *oldest = list_item(engine->tables.next, struct table, node);
		struct table *second = list_item(oldest->node.next, struct table, node);
		if (second->from_id > id) {
			return;
		}
		list_remove(&oldest->node);
		table_unref(oldest);
	}
}

static struct obligation *obligation_create(struct engine *engine, uint64_t id) {
	struct obligation *obligation = xcalloc(1, sizeof(*obligation));
	*obligation = (struct obligation){.id = id, .pending = 1};
	list_add_last(&engine->obligations, &obligation->node);
	return obligation;
}

// An assured match: after a restart it may have been done already, or be a repetition.
static void take_assured(struct engine *engine, struct lane *lane, struct match *match,
	struct obligation **obligation) {
	struct past_run *past = past_find(engine, match->event->id, lane->name);
	if (past && past->is_finished) {
		return;
	}
	if (past) {
		match->attempt = past->attempts + 1;
	}
	if (!*obligation) {
		// with a hold of our own
		*obligation = obligation_create(engine, match->event->id);
	}
	(*obligation)->pending++;
	match->obligation = *obligation;
	run_or_wait(lane, match);
}

void dispatch_event(
	struct engine *engine, struct table *table, enum bus_phase phase, struct event *event) {
	struct obligation *obligation = NULL;
	int class = phase == PHASE_ACCEPTED ? CLASS_REFLEX : CLASS_ASSURED;
	if (!table->listeners) {
		table->listeners = listeners_create(table->mappings, table->n);
	}
	struct listeners *listeners = table->listeners;
	table->refs++; // a run may end at once and publish, and that may do anything
	const struct match_list *list = listeners_find(listeners, event->kind);
	for (uint32_t i = 0; i < list->n; i++) {
		const struct mapping *mapping = &table->mappings[list->items[i]];
		struct lane *lane = table->lanes[list->items[i]];
		if (!condition_holds(mapping->condition, event)) {
			continue;
		}
		if (mapping->class == class) {
			struct match match = {mapping, table->snapshot, event, NULL, 1};
			if (class == CLASS_REFLEX) {
				run_or_wait(lane, &match);
			} else {
				take_assured(engine, lane, &match, &obligation);
			}
		}
		if (mapping->stop) {
			break;
		}
	}
	listeners_done(listeners, list);
	table_unref(table);
	if (obligation) {
		obligation_release(engine, obligation);
	}
}
