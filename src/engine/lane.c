// SPDX-License-Identifier: Apache-2.0
// One mapping's budget, counters and refusals. The budget is a token bucket: full at the start, so
// a burst of `budget` runs is fine, and refilled evenly.
#include "engine/lane.h"

#include "base/alloc.h"

#define REFUSED_EVERY_NS NS_PER_SECOND

struct lane *lane_create(
	struct engine *engine, const struct mapping *mapping, struct snapshot *snapshot) {
	struct lane *lane = xcalloc(1, sizeof(*lane) + mapping->name.len + 1);
	memcpy(lane + 1, mapping->name.at, mapping->name.len);
	lane->name = str_range((const char *)(lane + 1), mapping->name.len);
	lane->refs = 1;
	lane->engine = engine;
	lane->mapping = mapping;
	lane->snapshot = snapshot_ref(snapshot);
	lane->tokens = (double)mapping->budget;
	lane->refilled_ns = loop_now(engine->services->loop);
	lane->refused_ns = INT64_MIN;
	list_init(&lane->waiting);
	list_init(&lane->turn_node);
	return lane;
}

void lane_unref(struct lane *lane) {
	if (!lane || --lane->refs > 0) {
		return;
	}
	assert(list_is_empty(&lane->waiting));
	if (lane->engine) {
		(void)map_remove(&lane->engine->lanes, lane->name);
	}
	timer_stop(&lane->budget_timer);
	timer_stop(&lane->refused_timer);
	list_remove(&lane->turn_node);
	event_unref(lane->refused_event);
	snapshot_unref(lane->snapshot);
	free(lane);
}

void lane_configure(struct lane *lane, const struct mapping *mapping, struct snapshot *snapshot) {
	struct snapshot *before = lane->snapshot;
	bool is_wider = mapping->budget > lane->mapping->budget ||
		mapping->budget_per_ns < lane->mapping->budget_per_ns ||
		mapping->concurrency > lane->mapping->concurrency;
	lane->mapping = mapping;
	lane->snapshot = snapshot_ref(snapshot);
	snapshot_unref(before);
	if (!mapping->enabled && lane->waiting_count) {
		struct event *last =
			list_item(lane->waiting.prev, struct waiting, node)->match.event;
		lane->refused_unreported += lane->waiting_count - 1;
		lane_refuse(lane, last, "disabled"); // told once, with how many
		forget_waiting(lane);
	} else if (is_wider && lane->waiting_count) {
		lane_wants_turn(lane);
	}
}

void lane_orphan(struct lane *lane) {
	lane->refs++; // what waits may hold the last reference
	forget_waiting(lane);
	timer_stop(&lane->budget_timer);
	timer_stop(&lane->refused_timer);
	(void)map_remove(&lane->engine->lanes, lane->name);
	lane->engine = NULL;
	lane_unref(lane);
}

static void on_budget_due(void *arg) {
	lane_wants_turn(arg);
}

static void refill(struct lane *lane) {
	const struct mapping *mapping = lane->mapping;
	int64_t now = loop_now(lane->engine->services->loop);
	double rate = (double)mapping->budget / (double)mapping->budget_per_ns;
	lane->tokens += (double)(now - lane->refilled_ns) * rate;
	lane->refilled_ns = now;
	if (lane->tokens > (double)mapping->budget) {
		lane->tokens = (double)mapping->budget;
	}
}

// A run's token; without one a timer wakes the lane's queue when there is the next.
bool lane_take_token(struct lane *lane) {
	const struct mapping *mapping = lane->mapping;
	refill(lane);
	if (lane->tokens >= 1) {
		lane->tokens -= 1;
		return true;
	}
	if (!timer_is_set(&lane->budget_timer)) {
		double missing = 1 - lane->tokens;
		double wait_ns = missing * (double)mapping->budget_per_ns / (double)mapping->budget;
		timer_start(&lane->budget_timer, lane->engine->services->loop,
			(int64_t)wait_ns + NS_PER_US, on_budget_due, lane);
	}
	return false;
}

static void report_refused(void *arg) {
	struct lane *lane = arg;
	struct event *cause = take_ptr(lane->refused_event);
	struct event *event = event_create("mapping.refused", "engine", lane->name);
	event_set_cause(event, cause);
	event_set_str(event, "mapping", lane->name);
	event_set_text(event, "reason", lane->refused_reason);
	event_set_int(event, "count", (int64_t)lane->refused_unreported);
	event_unref(cause);
	lane->refused_ns = loop_now(lane->engine->services->loop);
	if (bus_publish(lane->engine->services->bus, event, NULL, NULL, NULL)) {
		lane->refused_unreported = 0; // else the next report has them as well
	}
}

void lane_refuse(struct lane *lane, struct event *event, const char *reason) {
	int64_t now = loop_now(lane->engine->services->loop);
	lane->refused++;
	lane->engine->refused++;
	// A report about a report would go on for ever, once a second.
	if (str_is(event->kind, "mapping.refused")) {
		return;
	}
	lane->refused_unreported++;
	lane->refused_reason = reason;
	event_unref(lane->refused_event);
	lane->refused_event = event_ref(event);
	if (timer_is_set(&lane->refused_timer)) {
		return;
	}
	if (lane->refused_ns == INT64_MIN || now - lane->refused_ns >= REFUSED_EVERY_NS) {
		report_refused(lane);
		return;
	}
	timer_start_at(&lane->refused_timer, lane->engine->services->loop,
		lane->refused_ns + REFUSED_EVERY_NS, report_refused, lane);
}
