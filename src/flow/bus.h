// SPDX-License-Identifier: Apache-2.0
// Where events meet: the bus gives an accepted event its id, shows it to subscribers, hands it to
// the journal, and shows it again once it is durable. Accepted means journaled.
//
// Two phases, never blurred. ACCEPTED: at once, before the journal has it (reflexes act here, and
// metrics). DURABLE: after the fsync (assured mappings act here, acks and followers). Events reach
// each phase in order of id. An event whose journaling failed never reaches DURABLE; it is counted,
// and as soon as the journal works again a `source.gap` event names the range.
#pragma once

#include "base/clock.h"
#include "base/list.h"
#include "base/random.h"
#include "flow/event.h"
#include "flow/kind.h"
#include "store/writer.h"

struct bus;

enum bus_phase {
	PHASE_ACCEPTED,
	PHASE_DURABLE
};

// May publish; must not unsubscribe others. The event is borrowed: take a reference to keep it.
typedef void bus_event_fn(void *arg, enum bus_phase phase, struct event *event);
// Once per publish that asked for it: err is NULL when the event is durable.
typedef void bus_durable_fn(void *arg, const struct event *event, const struct err *err);

struct subscription {
	struct list node;
	bus_event_fn *on_event;
	void *arg;
};

struct bus_options {
	struct loop *loop;
	struct random *random;
	const struct kinds *kinds;
	uint64_t next_id; // the first id to give
	size_t capacity;  // events in flight to the journal
	size_t reserve;	  // of these, kept for gap, health and lifecycle events
	size_t bytes_max; // memory that those in flight may take; 0: no limit
	// Ids given above the last that was kept: no more than this (0: no limit), and no more than
	// twice this above a gap that is not told yet, so that a restart knows which may have been
	// given. While the disk refuses, ordinary events may have half of it, those of the reserve
	// three quarters, and the rest is for trying whether it works again.
	uint64_t unkept_max;
};

_must_use_ struct bus *bus_create(const struct bus_options *options);
// Events in flight are reported as failed. NULL is fine.
void bus_destroy(struct bus *bus);
// The writer comes and goes with the journal; the bus calls writer_append on it.
void bus_set_writer(struct bus *bus, struct writer *writer);
// The writer's result callback; arg is the bus.
void bus_on_result(void *bus, uint64_t first, uint64_t last, const struct err *err);
// Once in a while when the journal refuses: tries to tell the gap, which shows whether it works.
void bus_try_again(struct bus *bus);
// The generation stamped on events from now on.
void bus_set_generation(struct bus *bus, uint64_t generation);

void bus_subscribe(
	struct bus *bus, struct subscription *subscription, bus_event_fn *on_event, void *arg);
void bus_unsubscribe(struct subscription *subscription);

// Takes the event (also on failure), gives it id, time (unless set), trace and generation, and
// queues it for the journal. Returns its id, or 0 with *err: BUSY when the journal's queue is full,
// STORAGE when the disk has refused for long, UNAVAILABLE before the journal is open and after it was
// closed (these three pass), INVALID when the kind is undeclared, LIMIT when it is too large. on_durable (may be NULL) is called later,
// never from inside.
uint64_t bus_publish(struct bus *bus, struct event *event, bus_durable_fn *on_durable, void *arg,
	struct err *err);
// The same for events that must find a place: gap, health, lifecycle. They use the reserve.
uint64_t bus_publish_reserved(struct bus *bus, struct event *event, struct err *err);

// Keeps `value` under `key` in the state stream (RECORD_STATE, the latest counts); it takes its turn
// among the events. 0 with *err as bus_publish.
uint64_t bus_keep_state(struct bus *bus, const char *key, struct str value, struct err *err);

struct bus_stats {
	uint64_t accepted, durable, refused, failed;
	uint64_t last_id;    // given
	uint64_t durable_id; // every event up to here is durable or reported failed
	size_t in_flight, deepest, capacity;
	size_t bytes, bytes_deepest, bytes_max; // memory of those in flight
	int64_t oldest_ns; // monotonic: since when the oldest is in flight; 0: none is
	bool is_failing;   // the journal refuses
};
void bus_get_stats(const struct bus *bus, struct bus_stats *out);
const struct kinds *bus_kinds(const struct bus *bus);
