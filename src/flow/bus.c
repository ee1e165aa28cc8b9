// SPDX-License-Identifier: Apache-2.0
// One ring holds every event between acceptance and durability, in order of id. `shown` is how far
// PHASE_ACCEPTED and the hand-over to the journal have come; results take entries off the front.
// An event published from inside a callback only joins the ring: the outermost publish shows it,
// so every subscriber sees every event in order.
#include "flow/bus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/loop.h"

// Of an event in flight beside what its arena gave out: its place here and the journal's, the arena's
// first block; and twice its arena, since the journal has it once more, encoded.
#define EVENT_BYTES 2304
#define RESERVE_BYTES (1024 * 1024) // that the few events of the reserve may take beyond the limit
#define PROBE_KEY "bus.probe"	    // a state that says nothing

struct entry {
	uint64_t id;
	struct event *event; // NULL: a state record
	struct buf state;
	const struct kind *kind;
	bus_durable_fn *on_durable;
	void *arg;
	size_t bytes;
	int64_t since_ns;
};

struct bus {
	struct bus_options options;
	struct clock *clock;
	struct writer *writer;
	uint64_t generation;
	struct list subscriptions;
	struct entry *ring;
	size_t first; // index of the oldest entry
	size_t count;
	size_t shown; // of `count`, from the oldest on
	bool is_showing;
	uint64_t next_id;
	struct bus_stats stats;
	uint64_t kept_id;		      // the last that was
	uint64_t gap_from, gap_to, gap_count; // failed and not yet told
	char gap_reason[200];
	uint64_t told_id; // the event under way that tells it; 0: none is
};

struct bus *bus_create(const struct bus_options *options) {
	struct bus *bus = xcalloc(1, sizeof(*bus));
	bus->options = *options;
	bus->clock = loop_clock(options->loop);
	bus->ring = xcalloc(options->capacity, sizeof(*bus->ring));
	bus->next_id = options->next_id;
	bus->stats.last_id = options->next_id - 1;
	bus->stats.durable_id = options->next_id - 1;
	bus->kept_id = options->next_id - 1;
	list_init(&bus->subscriptions);
	return bus;
}

void bus_destroy(struct bus *bus) {
	if (!bus) {
		return;
	}
	struct err err;
	err_set(&err, ERR_UNAVAILABLE, "Anna stopped before it was durable");
	bus->writer = NULL;
	while (bus->count) {
		bus_on_result(bus, bus->ring[bus->first].id, bus->ring[bus->first].id, &err);
	}
	free(bus->ring);
	free(bus);
}

void bus_set_writer(struct bus *bus, struct writer *writer) {
	bus->writer = writer;
}

void bus_set_generation(struct bus *bus, uint64_t generation) {
	bus->generation = generation;
}

const struct kinds *bus_kinds(const struct bus *bus) {
	return bus->options.kinds;
}

void bus_subscribe(
	struct bus *bus, struct subscription *subscription, bus_event_fn *on_event, void *arg) {
	subscription->on_event = on_event;
	subscription->arg = arg;
	list_add_last(&bus->subscriptions, &subscription->node);
}

void bus_unsubscribe(struct subscription *subscription) {
	if (subscription->on_event) {
		list_remove(&subscription->node);
		subscription->on_event = NULL;
	}
}

static struct entry *entry_at(struct bus *bus, size_t i) {
	return &bus->ring[(bus->first + i) % bus->options.capacity];
}

static void show(struct bus *bus, enum bus_phase phase, struct event *event) {
	list_for_each (node, &bus->subscriptions) {
		struct subscription *subscription = list_item(node, struct subscription, node);
		subscription->on_event(subscription->arg, phase, event);
	}
}

static void hand_to_journal(struct bus *bus, struct entry *entry) {
	struct buf payload = BUF_INIT;
	struct event *event = entry->event;
	if (event) {
		event_encode(event, &payload);
	} else {
		payload = entry->state;
		entry->state = (struct buf)BUF_INIT;
	}
	// Free-form kinds live in the normal stream.
	const char *stream = !event ? "state"
		: entry->kind	    ? kind_stream_name(entry->kind->stream)
				    : kind_stream_name(STREAM_NORMAL);
	bool fits = writer_append(bus->writer, stream, entry->id, event ? event->cause : 0,
		event ? event->time_ns : clock_wall(bus->clock),
		event ? RECORD_EVENT : RECORD_STATE, &payload);
	assert(fits); // the writer has room for every entry of the ring
	(void)fits;
}

static void show_accepted(struct bus *bus) {
	if (bus->is_showing) {
		return;
	}
	bus->is_showing = true;
	while (bus->shown < bus->count) {
		struct event *event = entry_at(bus, bus->shown)->event;
		if (event) {
			show(bus, PHASE_ACCEPTED, event); // reflexes act before the journal works
		}
		hand_to_journal(bus, entry_at(bus, bus->shown++));
	}
	bus->is_showing = false;
}

enum urgency {
	ORDINARY,
	RESERVED, // may use the last places of the ring
	GAP
};

// Whether one more id may be given that the journal does not know of, or that comes after a loss it
// does not know of.
static bool has_ids(const struct bus *bus, enum urgency urgency) {
	uint64_t most = bus->options.unkept_max;
	uint64_t may = urgency == GAP ? most : urgency == RESERVED ? most / 4 * 3 : most / 2;
	// Telling the gap is the way out, however far back it reaches.
	bool is_told = bus->gap_count == 0 || urgency == GAP ||
		bus->next_id - bus->gap_from < most + may;
	return most == 0 || (is_told && bus->next_id - 1 - bus->kept_id < may);
}

// Gives the next place in the ring to something of so many bytes, or NULL with *err.
static struct entry *take_place(
	struct bus *bus, enum urgency urgency, size_t bytes, struct err *err) {
	size_t room = bus->options.capacity - (urgency == ORDINARY ? bus->options.reserve : 0);
	if (!bus->writer) {
		bus->stats.refused++;
		err_set(err, ERR_UNAVAILABLE,
			"the journal is not open: Anna is starting or stopping");
		return NULL;
	}
	if (bus->count >= room) {
		bus->stats.refused++;
		err_set(err, ERR_BUSY, "%zu events wait for the journal already: try again",
			bus->count);
		return NULL;
	}
	size_t bytes_room = bus->options.bytes_max + (urgency == ORDINARY ? 0 : RESERVE_BYTES);
	if (bus->options.bytes_max && bus->count && bus->stats.bytes + bytes > bytes_room) {
		bus->stats.refused++;
		err_set(err, ERR_BUSY,
			"events of %zu bytes wait for the journal already: try again",
			bus->stats.bytes);
		return NULL;
	}
	if (!has_ids(bus, urgency)) {
		bus->stats.refused++;
		err_set(err, ERR_STORAGE, "the journal has kept nothing since event %llu",
			(unsigned long long)bus->kept_id);
		return NULL;
	}
	struct entry *entry = entry_at(bus, bus->count++);
	*entry = (struct entry){
		.id = bus->next_id++, .bytes = bytes, .since_ns = loop_now(bus->options.loop)};
	bus->stats.bytes += bytes;
	if (bus->stats.bytes > bus->stats.bytes_deepest) {
		bus->stats.bytes_deepest = bus->stats.bytes;
	}
	bus->stats.last_id = entry->id;
	bus->stats.deepest = bus->count > bus->stats.deepest ? bus->count : bus->stats.deepest;
	return entry;
}

static void complete(struct bus *bus, struct event *event, uint64_t id) {
	static const uint8_t no_trace[16];
	event->id = id;
	event->generation = bus->generation;
	if (!event->time_ns) {
		event->time_ns = clock_wall(bus->clock);
	}
	if (memcmp(event->trace.trace_id, no_trace, sizeof(no_trace)) == 0) {
		trace_init(&event->trace, bus->options.random);
	} else {
		struct trace parent = event->trace;
		trace_child(&event->trace, &parent, bus->options.random);
	}
}

static uint64_t publish(struct bus *bus, struct event *event, enum urgency urgency,
	bus_durable_fn *on_durable, void *arg, struct err *err) {
	const struct kind *kind = kinds_find(bus->options.kinds, event->kind);
	if (!kind && !(kind_is_free(event->kind) && kind_is_valid(event->kind))) {
		err_set(err, ERR_INVALID,
			"the event kind \"%.80s\" is not declared; user.* and test.* are free",
			event->kind.at);
		event_unref(event);
		return 0;
	}
	if (arena_used(event->arena) > EVENT_BYTES_MAX) {
		err_set(err, ERR_LIMIT, "the event has %zu bytes; at most %d are kept",
			arena_used(event->arena), EVENT_BYTES_MAX);
		event_unref(event);
		return 0;
	}
	size_t bytes = EVENT_BYTES + 2 * arena_used(event->arena);
	struct entry *entry = take_place(bus, urgency, bytes, err);
	if (!entry) {
		event_unref(event);
		return 0;
	}
	uint64_t id = entry->id;
	complete(bus, event, id);
	entry->event = event;
	entry->kind = kind;
	entry->on_durable = on_durable;
	entry->arg = arg;
	bus->stats.accepted++;
	show_accepted(bus);
	return id;
}

uint64_t bus_publish(struct bus *bus, struct event *event, bus_durable_fn *on_durable, void *arg,
	struct err *err) {
	return publish(bus, event, ORDINARY, on_durable, arg, err);
}

uint64_t bus_publish_reserved(struct bus *bus, struct event *event, struct err *err) {
	return publish(bus, event, RESERVED, NULL, NULL, err);
}

static uint64_t keep_state(
	struct bus *bus, const char *key, struct str value, enum urgency urgency, struct err *err) {
	struct entry *entry = take_place(bus, urgency, EVENT_BYTES + value.len, err);
	if (!entry) {
		return 0;
	}
	uint64_t id = entry->id;
	buf_append(&entry->state, key, strlen(key) + 1);
	buf_append_str(&entry->state, value);
	show_accepted(bus);
	return id;
}

uint64_t bus_keep_state(struct bus *bus, const char *key, struct str value, struct err *err) {
	return keep_state(bus, key, value, ORDINARY, err);
}

static void remember_gap(struct bus *bus, uint64_t id, const struct err *err) {
	if (!bus->gap_count++) {
		bus->gap_from = id;
		bus->gap_to = id;
	}
	bus->gap_to = id > bus->gap_to ? id : bus->gap_to;
	(void)snprintf(bus->gap_reason, sizeof(bus->gap_reason), "%.190s", err->message);
}

// What was told comes back when the telling itself failed.
static void take_back_gap(struct bus *bus, const struct event *event) {
	const struct value *from = event_attribute(event, STR("from"));
	const struct value *to = event_attribute(event, STR("to"));
	const struct value *count = event_attribute(event, STR("count"));
	if (!from || !to) {
		return;
	}
	uint64_t first = (uint64_t)from->integer, last = (uint64_t)to->integer;
	bus->gap_from = bus->gap_count && bus->gap_from < first ? bus->gap_from : first;
	bus->gap_to = bus->gap_count && bus->gap_to > last ? bus->gap_to : last;
	bus->gap_count += count ? (uint64_t)count->integer : last - first + 1;
}

static void report_gap(struct bus *bus) {
	if (bus->told_id || !bus->gap_count || !bus->writer) {
		return;
	}
	struct event *event = event_create("source.gap", "journal", STR("journal"));
	event_set_text(event, "source", "journal");
	event_set_text(event, "reason", bus->gap_reason);
	event_set_int(event, "from", (int64_t)bus->gap_from);
	event_set_int(event, "to", (int64_t)bus->gap_to);
	event_set_int(event, "count", (int64_t)bus->gap_count);
	bus->told_id = publish(bus, event, GAP, NULL, NULL, NULL);
	if (bus->told_id) {
		bus->gap_count = 0;
	}
}

void bus_try_again(struct bus *bus) {
	report_gap(bus);
	if (bus->count == 0 && bus->writer) { // no event was lost, but something was refused
		(void)keep_state(bus, PROBE_KEY, (struct str){0}, GAP, NULL); // told by the next
	}
}

// The newest id, if nobody has heard of it but the journal, which refused it: it can be given
// again, so that trying for days uses up none.
static bool take_back_id(struct bus *bus, uint64_t id) {
	if (bus->count > 0 || id + 1 != bus->next_id) {
		return false;
	}
	bus->next_id = id;
	bus->stats.last_id = bus->stats.durable_id = id - 1;
	return true;
}

static void on_failed(
	struct bus *bus, uint64_t id, const struct event *event, const struct err *err) {
	bool is_gap = event && str_is(event->kind, "source.gap") &&
		str_is(event->source, "journal");
	bus->stats.failed += event != NULL;
	if (is_gap) {
		take_back_gap(bus, event);
		(void)snprintf(bus->gap_reason, sizeof(bus->gap_reason), "%.190s", err->message);
	}
	if ((!event || is_gap) && take_back_id(bus, id)) {
		return;
	}
	if (event) {
		remember_gap(bus, id, err);
	}
}

void bus_on_result(void *arg, uint64_t first, uint64_t last, const struct err *err) {
	struct bus *bus = arg;
	(void)first;
	while (bus->count && bus->ring[bus->first].id <= last) {
		struct entry entry = bus->ring[bus->first];
		bus->first = (bus->first + 1) % bus->options.capacity;
		bus->count--;
		bus->stats.bytes -= entry.bytes;
		bus->shown -= bus->shown ? 1 : 0;
		bus->stats.durable_id = entry.id;
		buf_finish(&entry.state);
		if (err) {
			on_failed(bus, entry.id, entry.event, err);
		} else {
			bus->kept_id = entry.id;
		}
		bus->told_id = entry.id == bus->told_id ? 0 : bus->told_id;
		if (!entry.event) {
			continue;
		}
		if (!err) {
			bus->stats.durable++;
			show(bus, PHASE_DURABLE, entry.event);
		}
		if (entry.on_durable) {
			entry.on_durable(entry.arg, entry.event, err);
		}
		event_unref(entry.event);
	}
	bus->stats.is_failing = err != NULL;
	if (!err) {
		report_gap(bus);
	}
}

void bus_get_stats(const struct bus *bus, struct bus_stats *out) {
	*out = bus->stats;
	out->in_flight = bus->count;
	out->capacity = bus->options.capacity;
	out->bytes_max = bus->options.bytes_max;
	out->oldest_ns = bus->count ? bus->ring[bus->first].since_ns : 0;
}
