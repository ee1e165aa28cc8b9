// SPDX-License-Identifier: Apache-2.0
// The causal chain of an event, up to its root and down to its effects, as the journal has it.
// Nothing is inferred: a link whose record is gone is called what it is, dropped or damaged.
#include "memory/why.h"

#include "base/alloc.h"
#include "flow/event.h"
#include "store/reader.h"

#define EVENTS_MAX 1000
#define LEVELS_MAX 24 // two JSON levels each, of the 64 every reader accepts
#define CAUSES_MAX 256

struct search {
	const struct why_sources *sources;
	struct buf *out;
	size_t events;
	bool beyond_retention, damaged, truncated;
};

// NULL with *err; with *out_gone set instead when the journal does not have it.
static struct event *find_event(const struct why_sources *sources, uint64_t id, bool *out_gone,
	uint64_t *out_oldest, struct err *err) {
	struct buf payload = BUF_INIT;
	struct record record = {0};
	struct event *event = NULL;
	int found = reader_find(sources->fs, sources->journal_folder, id, &payload, &record, err);
	if (found > 0 && record.type == RECORD_EVENT) {
		event = event_decode(&record, err);
	} else if (found >= 0) {
		*out_gone = true;
		*out_oldest = found == 0 ? record.sequence : 0;
	}
	buf_finish(&payload);
	return event;
}

static void format_event(struct buf *out, const struct event *event) {
	struct json_writer writer;
	json_writer_init(&writer, out);
	event_format_json(event, &writer);
}

// --- upwards ---

// From the event to its root; written the other way round.
static bool find_causes(struct search *search, const struct event *event, struct event **causes,
	size_t *out_n, struct err *err) {
	uint64_t id = event->cause, below = event->id;
	size_t n = 0;
	*out_n = 0;
	// A cause is always older than its effect: anything else is damage, and could be a ring.
	while (id && id < below && n < CAUSES_MAX) {
		bool is_gone = false;
		uint64_t oldest = 0;
		struct event *cause = find_event(search->sources, id, &is_gone, &oldest, err);
		if (!cause && !is_gone) {
			return false;
		}
		if (!cause) {
			search->beyond_retention = search->beyond_retention || id < oldest;
			search->damaged = search->damaged || id >= oldest;
			return true;
		}
		causes[n++] = cause;
		*out_n = n;
		below = id;
		id = cause->cause;
	}
	search->damaged = search->damaged || id >= below;
	search->truncated = search->truncated || (id && id < below);
	return true;
}

// --- downwards ---

struct effects {
	struct event *items[EVENTS_MAX];
	size_t n;
	bool damaged;
};

static void on_effect(void *arg, const struct record *record) {
	struct effects *effects = arg;
	if (record->type != RECORD_EVENT || effects->n == EVENTS_MAX) {
		return;
	}
	struct event *event = event_decode(record, NULL);
	if (event) {
		effects->items[effects->n++] = event;
	} else {
		effects->damaged = true;
	}
}

static bool format_effects(struct search *search, uint64_t id, int level, struct err *err);

static bool format_each(
	struct search *search, const struct effects *effects, int level, struct err *err) {
	for (size_t i = 0; i < effects->n; i++) {
		if (search->events >= EVENTS_MAX) {
			search->truncated = true;
			break;
		}
		search->events++;
		buf_append_text(search->out, i ? ",{\"event\":" : "{\"event\":");
		format_event(search->out, effects->items[i]);
		buf_append_text(search->out, ",\"effects\":");
		if (!format_effects(search, effects->items[i]->id, level + 1, err)) {
			return false;
		}
		buf_append_char(search->out, '}');
	}
	return true;
}

// The array of what an event caused. Recursion is bounded by LEVELS_MAX: it is a tree.
static bool format_effects(struct search *search, uint64_t id, int level, struct err *err) {
	struct effects *effects = xcalloc(1, sizeof(*effects));
	int room = (int)(EVENTS_MAX - search->events);
	int found = reader_effects(search->sources->fs, search->sources->journal_folder, id,
		room + 1, on_effect, effects, err);
	bool ok = found >= 0;
	buf_append_char(search->out, '[');
	if (ok && found > 0 && level >= LEVELS_MAX) {
		search->truncated = true;
	} else if (ok) {
		search->truncated = search->truncated || found > room;
		search->damaged = search->damaged || effects->damaged;
		ok = format_each(search, effects, level, err);
	}
	buf_append_char(search->out, ']');
	for (size_t i = 0; i < effects->n; i++) {
		event_unref(effects->items[i]);
	}
	free(effects);
	return ok;
}

// --- both ---

static bool explain_absence(uint64_t id, uint64_t oldest, struct err *err) {
	if (id < oldest) {
		return err_set(err, ERR_NOT_FOUND,
			"event %llu is beyond retention: the oldest the journal still has is %llu",
			(unsigned long long)id, (unsigned long long)oldest);
	}
	return err_set(err, ERR_NOT_FOUND,
		"there is no event %llu in the journal; annactl events lists the latest",
		(unsigned long long)id);
}

static bool write_answer(struct search *search, const struct event *event, struct event **causes,
	size_t cause_count, struct json_writer *writer, struct err *err) {
	if (!format_effects(search, event->id, 0, err)) {
		return false;
	}
	json_begin_object(writer);
	json_key(writer, "event");
	event_format_json(event, writer);
	json_key(writer, "causes");
	json_begin_array(writer);
	for (size_t i = cause_count; i > 0; i--) {
		event_format_json(causes[i - 1], writer);
	}
	json_end_array(writer);
	json_key(writer, "effects");
	json_raw(writer, buf_str(search->out));
	json_member_bool(writer, "beyond_retention", search->beyond_retention);
	json_member_bool(writer, "damaged", search->damaged);
	json_member_bool(writer, "truncated", search->truncated);
	json_end_object(writer);
	return true;
}

bool why_event(const struct why_sources *sources, uint64_t id, struct json_writer *writer,
	struct err *err) {
	struct buf effects = BUF_INIT;
	struct search search = {.sources = sources, .out = &effects};
	bool is_gone = false;
	uint64_t oldest = 0;
	struct event *event = find_event(sources, id, &is_gone, &oldest, err);
	if (!event) {
		return is_gone ? explain_absence(id, oldest, err) : false;
	}
	struct event *causes[CAUSES_MAX];
	size_t cause_count = 0;
	bool ok = find_causes(&search, event, causes, &cause_count, err) &&
		write_answer(&search, event, causes, cause_count, writer, err);
	for (size_t i = 0; i < cause_count; i++) {
		event_unref(causes[i]);
	}
	event_unref(event);
	buf_finish(&effects);
	return ok;
}
