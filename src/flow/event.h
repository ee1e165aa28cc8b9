// SPDX-License-Identifier: Apache-2.0
// The event: what happened, where, when, because of which event, in which trace, handled by which
// generation of the config. Built by its source, then published on the bus, which gives it its id
// and makes it immutable. Reference counted; one arena owns all its text.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "formats/json.h"
#include "formats/trace.h"
#include "formats/value.h"
#include "store/record.h"

#define EVENT_ATTRIBUTES_MAX 64
#define EVENT_BYTES_MAX (160 * 1024) // in memory; escaped as JSON it still fits a record

struct event {
	uint32_t refs;
	struct arena *arena;
	uint64_t id;	 // sequence in the journal; 0 until published
	int64_t time_ns; // wall
	struct str kind;
	struct str source;	 // "host", "timer", "emit", "daemon", "engine", an action's name…
	struct str subject;	 // what it is about: a mount, a path, a mapping; may be empty
	struct str key;		 // the client's key against doubles; may be empty
	struct value attributes; // a table
	uint64_t cause;		 // id of the causing event; 0: a root
	uint32_t depth;		 // length of the causal chain; 0: a root
	uint64_t generation;	 // of the config that was in force
	struct trace trace;
};

// A new event with one reference. Texts are copied.
_must_use_ struct event *event_create(const char *kind, const char *source, struct str subject);
_must_use_ struct event *event_create_str(struct str kind, struct str source, struct str subject);
// Before publishing only. Makes `event` an effect of `cause`: its id, trace and depth.
void event_set_cause(struct event *event, const struct event *cause);
// Before publishing only. The name is borrowed when a literal is given as const char *; values are
// copied. A name given twice is a bug (assert); at most EVENT_ATTRIBUTES_MAX.
void event_set_text(struct event *event, const char *name, const char *value); // NULL: left out
void event_set_str(struct event *event, const char *name, struct str value);
void event_set_int(struct event *event, const char *name, int64_t value);
void event_set_double(struct event *event, const char *name, double value);
void event_set_bool(struct event *event, const char *name, bool value);
void event_set_value(struct event *event, const char *name, const struct value *value);
struct event *event_ref(struct event *event);
void event_unref(struct event *event); // NULL is fine

// An attribute by name, dots going down into tables ("disk.free"); NULL when absent.
const struct value *event_attribute(const struct event *event, struct str name);
// A field or attribute by name for conditions and templates: id, time, kind, source, subject,
// cause, trace, generation, depth, then attributes (also as attributes.NAME). False when absent.
bool event_lookup(const struct event *event, struct str name, struct value *out);
// As event_lookup, its text appended: a template_lookup with the event as arg.
bool event_lookup_text(void *event, struct str name, struct buf *out);

// {id, time, kind, source, subject, attributes, cause, trace, generation}: the public contract.
void event_format_json(const struct event *event, struct json_writer *writer);

// Journal form (RECORD_EVENT): a fixed head, then texts, then the attributes as JSON.
void event_encode(const struct event *event, struct buf *out);
// A new event from a record; NULL with *err when the payload is not an event.
_must_use_ struct event *event_decode(const struct record *record, struct err *err);
// Kind of an encoded event without decoding the rest; false when the payload is not an event.
bool event_peek_kind(struct str payload, struct str *out);
