// SPDX-License-Identifier: Apache-2.0
// Building, reading and showing events. One arena holds an event and all its text.
#include "flow/event.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"

static const char first_room = 8; // attributes; doubles when full

struct event *event_create_str(struct str kind, struct str source, struct str subject) {
	struct arena *arena = arena_create();
	struct event *event = ARENA_NEW(arena, struct event);
	event->refs = 1;
	event->arena = arena;
	event->kind = arena_copy_str(arena, kind);
	event->source = arena_copy_str(arena, source);
	event->subject = arena_copy_str(arena, subject);
	event->attributes.type = VALUE_TABLE;
	return event;
}

struct event *event_create(const char *kind, const char *source, struct str subject) {
	return event_create_str(str_from(kind), str_from(source), subject);
}

struct event *event_ref(struct event *event) {
	event->refs++;
	return event;
}

void event_unref(struct event *event) {
	if (event && --event->refs == 0) {
		arena_destroy(event->arena); // the event lies in it
	}
}

void event_set_cause(struct event *event, const struct event *cause) {
	event->cause = cause->id;
	event->depth = cause->depth + 1;
	memcpy(event->trace.trace_id, cause->trace.trace_id, sizeof(event->trace.trace_id));
	event->trace.flags = cause->trace.flags;
}

static struct value *add_attribute(struct event *event, const char *name) {
	size_t n = event->attributes.table.n;
	assert(!event->id && n < EVENT_ATTRIBUTES_MAX);
	assert(!value_get(&event->attributes, str_from(name)));
	bool is_full = n == 0 || (n >= (size_t)first_room && (n & (n - 1)) == 0);
	if (is_full) {
		size_t room = n ? n * 2 : (size_t)first_room;
		struct member *members = arena_array(event->arena, room, sizeof(*members));
		if (n) {
			memcpy(members, event->attributes.table.members, n * sizeof(*members));
		}
		event->attributes.table.members = members;
	}
	struct member *member = &event->attributes.table.members[event->attributes.table.n++];
	member->key = arena_copy_str(event->arena, str_from(name));
	return &member->value;
}

void event_set_str(struct event *event, const char *name, struct str value) {
	struct value *slot = add_attribute(event, name);
	*slot = value_of_string(arena_copy_str(event->arena, value));
}

void event_set_text(struct event *event, const char *name, const char *value) {
	if (value) {
		event_set_str(event, name, str_from(value));
	}
}

void event_set_int(struct event *event, const char *name, int64_t value) {
	*add_attribute(event, name) = value_of_int(value);
}

void event_set_double(struct event *event, const char *name, double value) {
	*add_attribute(event, name) = value_of_double(value);
}

void event_set_bool(struct event *event, const char *name, bool value) {
	*add_attribute(event, name) = value_of_bool(value);
}

void event_set_value(struct event *event, const char *name, const struct value *value) {
	*add_attribute(event, name) = value_copy(event->arena, value);
}

const struct value *event_attribute(const struct event *event, struct str name) {
	const struct value *found = value_get(&event->attributes, name);
	for (size_t i = 0; !found && i < name.len; i++) { // "a.b": a table's member
		if (name.at[i] == '.') {
			const struct value *table = value_get(
				&event->attributes, str_head(name, i));
			struct str rest = str_skip(name, i + 1);
			for (struct str part; table && str_split(&rest, '.', &part);) {
				table = value_get(table, part);
			}
			found = table;
		}
	}
	return found;
}

static struct value text_value(struct event *event, struct buf *text) {
	struct str copy = arena_copy_str(event->arena, buf_str(text));
	buf_finish(text);
	return value_of_string(copy);
}

// The fields that are not attributes. Texts that must be made are kept in the event's arena.
static bool lookup_field(const struct event *event, struct str name, struct value *out) {
	struct event *self = (struct event *)event; // its arena only
	struct buf text = BUF_INIT;
	if (str_is(name, "kind")) {
		*out = value_of_string(event->kind);
	} else if (str_is(name, "source")) {
		*out = value_of_string(event->source);
	} else if (str_is(name, "subject")) {
		*out = value_of_string(event->subject);
	} else if (str_is(name, "id")) {
		*out = value_of_int((int64_t)event->id);
	} else if (str_is(name, "cause")) {
		*out = value_of_int((int64_t)event->cause);
	} else if (str_is(name, "depth")) {
		*out = value_of_int(event->depth);
	} else if (str_is(name, "generation")) {
		*out = value_of_int((int64_t)event->generation);
	} else if (str_is(name, "time")) {
		time_format(&text, event->time_ns);
		*out = text_value(self, &text);
	} else if (str_is(name, "trace")) {
		trace_format(&text, &event->trace);
		*out = text_value(self, &text);
	} else {
		return false;
	}
	return true;
}

bool event_lookup(const struct event *event, struct str name, struct value *out) {
	struct str prefix = STR("attributes.");
	bool is_attribute = str_starts(name, prefix);
	if (!is_attribute && lookup_field(event, name, out)) {
		return true;
	}
	const struct value *found = event_attribute(
		event, is_attribute ? str_skip(name, prefix.len) : name);
	if (found) {
		*out = *found;
	}
	return found != NULL;
}

bool event_lookup_text(void *event, struct str name, struct buf *out) {
	struct value value;
	if (!event_lookup(event, name, &value)) {
		return false;
	}
	switch (value.type) {
	case VALUE_STRING:
	case VALUE_TIME:
		buf_append_str(out, value.string);
		break;
	case VALUE_DOUBLE:
		buf_append_double(out, value.number);
		break;
	default:
		json_format(out, &value);
		break;
	}
	return true;
}

void event_format_json(const struct event *event, struct json_writer *writer) {
	char trace[TRACE_TEXT_LEN + 1];
	struct buf text = BUF_INIT;
	trace_format(&text, &event->trace);
	memcpy(trace, text.at, TRACE_TEXT_LEN);
	buf_finish(&text);
	json_begin_object(writer);
	json_member_uint(writer, "id", event->id);
	json_member_time(writer, "time", event->time_ns);
	json_member_str(writer, "kind", event->kind);
	json_member_str(writer, "source", event->source);
	json_member_str(writer, "subject", event->subject);
	json_key(writer, "attributes");
	json_value(writer, &event->attributes);
	json_key(writer, "cause");
	if (event->cause) {
		json_uint(writer, event->cause);
	} else {
		json_null(writer);
	}
	json_member_str(writer, "trace", str_range(trace, TRACE_TEXT_LEN));
	json_member_uint(writer, "generation", event->generation);
	json_end_object(writer);
}
