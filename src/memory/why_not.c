// SPDX-License-Identifier: Apache-2.0
// Why something did not happen: the newest event that could have made it happen, judged by the
// configuration that handled it, and what the journal says about it. What cannot be known is
// "unknown", with the reason.
#include "memory/why.h"

#include "base/alloc.h"
#include "base/map.h"
#include "engine/mapping.h"
#include "memory/why_config.h"
#include "store/reader.h"

#define SCANNED_MAX 1000000 // records looked at, newest first
#define KINDS_MAX 256	    // remembered for "did you mean"
#define EFFECTS_MAX 4096

// What one pass over the journal, newest first, found.
struct scan {
	struct str asked;
	const struct mapping *mapping; // NULL: a kind is asked for
	struct event *last_event;      // the newest it listens to; of that kind
	uint64_t last_acted;	       // id of the event; 0: none
	bool has_run;		       // an action of a mapping with this name is in the journal
	struct map kinds;	       // seen, for "did you mean"
	struct arena *arena;
	uint64_t scanned;
	bool is_cut;
};

// What became of one mapping and one event.
struct judgement {
	const char *reason;
	struct condition_verdict verdict;
	char detail[400];
	bool has_verdict;
};

// --- the journal ---

static void note_kind(struct scan *scan, struct str kind) {
	if (map_count(&scan->kinds) < KINDS_MAX && !map_get(&scan->kinds, kind)) {
		char *copy = arena_copy(scan->arena, kind);
		(void)map_put(&scan->kinds, str_range(copy, kind.len), copy);
	}
}

static bool is_run(struct str kind) {
	return str_is(kind, "action.started") || str_is(kind, "action.finished");
}

static bool names_mapping(const struct event *event, struct str mapping) {
	const struct value *name = event_attribute(event, STR("mapping"));
	return name && name->type == VALUE_STRING && str_equal(name->string, mapping);
}

static void note_run(struct scan *scan, const struct record *record) {
	struct event *event = event_decode(record, NULL);
	if (event && names_mapping(event, scan->asked)) {
		scan->has_run = true;
		scan->last_acted = scan->last_acted > event->cause ? scan->last_acted
								   : event->cause;
	}
	event_unref(event);
}

static void note_event(struct scan *scan, const struct record *record) {
	struct str kind;
	if (record->type != RECORD_EVENT || !event_peek_kind(record->payload, &kind)) {
		return;
	}
	note_kind(scan, kind);
	bool is_heard = scan->mapping ? mapping_listens(scan->mapping, kind)
				      : str_equal(kind, scan->asked);
	if (is_heard && !scan->last_event) {
		scan->last_event = event_decode(record, NULL);
	}
	if (is_run(kind) && !scan->last_acted) {
		note_run(scan, record);
	}
}

// Of a mapping that did not act on its newest event, when it last did is wanted too.
static bool has_enough(const struct scan *scan) {
	return scan->last_event && (scan->last_acted || !scan->mapping);
}

static bool scan_journal(const struct why_sources *sources, struct scan *scan, struct err *err) {
	struct reader_query query = {.backward = true};
	struct reader *reader = reader_open(sources->fs, sources->journal_folder, &query, err);
	struct record record;
	int result = 0;
	if (!reader) {
		return false;
	}
	while (scan->scanned < SCANNED_MAX && !has_enough(scan) &&
		(result = reader_next(reader, &record, err)) > 0) {
		scan->scanned++;
		note_event(scan, &record);
	}
	scan->is_cut = scan->scanned == SCANNED_MAX;
	reader_close(reader);
	return result >= 0;
}

// --- judging one mapping and one event ---

struct outcome {
	struct str mapping;
	bool has_acted, was_refused;
	char refused_reason[32];
};

static void on_effect(void *arg, const struct record *record) {
	struct outcome *outcome = arg;
	struct event *event = record->type == RECORD_EVENT ? event_decode(record, NULL) : NULL;
	if (event && names_mapping(event, outcome->mapping)) {
		const struct value *reason = event_attribute(event, STR("reason"));
		outcome->has_acted = outcome->has_acted || is_run(event->kind);
		if (str_is(event->kind, "mapping.refused") && reason) {
			struct str shown = str_head(reason->string, 30);
			outcome->was_refused = true;
			(void)snprintf(outcome->refused_reason, sizeof(outcome->refused_reason),
				"%" STR_FMT, STR_ARG(shown));
		}
	}
	event_unref(event);
}

_printf_(3, 4) static void conclude(
	struct judgement *judgement, const char *reason, const char *format, ...) {
	va_list args;
	va_start(args, format);
	judgement->reason = reason;
	(void)vsnprintf(judgement->detail, sizeof(judgement->detail), format, args);
	va_end(args);
}

// By the configuration alone. False when it says that the mapping acts.
static bool judge_by_config(struct item_list mappings, struct str name, const struct event *event,
	uint64_t generation, struct judgement *out) {
	const struct mapping *mapping = mappings.items;
	unsigned long long number = generation;
	for (size_t i = 0; i < mappings.n; i++, mapping++) {
		bool is_asked = str_equal(mapping->name, name);
		if (is_asked && !mapping->enabled) {
			conclude(out, "disabled",
				"it was switched off (enabled = false) in generation %llu", number);
			return true;
		}
		if (!mapping->enabled || !mapping_listens(mapping, event->kind)) {
			if (is_asked) {
				conclude(out, "no_event",
					"in generation %llu it did not listen to %.100s", number,
					event->kind.at);
				return true;
			}
			continue;
		}
		bool holds = condition_holds(mapping->condition, event);
		if (is_asked) {
			condition_explain(mapping->condition, event, &out->verdict);
			out->has_verdict = true;
			if (!holds) {
				conclude(out, "guard", "%s did not hold: %s", out->verdict.guard,
					out->verdict.observed);
			}
			return !holds;
		}
		if (holds && mapping->stop) {
			struct str by = str_head(mapping->name, 100);
			conclude(out, "stopped_by",
				"\"%" STR_FMT "\" stands before it, matched, and says stop",
				STR_ARG(by));
			return true;
		}
	}
	conclude(out, "disabled", "there was no mapping of this name in generation %llu", number);
	return true;
}

static bool judge(const struct why_sources *sources, struct why_config *config, struct str name,
	const struct event *event, struct judgement *out, struct err *err) {
	struct outcome outcome = {.mapping = name};
	*out = (struct judgement){0};
	if (reader_effects(sources->fs, sources->journal_folder, event->id, EFFECTS_MAX, on_effect,
		    &outcome, err) < 0) {
		return false;
	}
	why_config_read(sources, event->generation, config);
	struct item_list mappings = why_config_mappings(sources, config);
	bool is_explained = config->snapshot &&
		judge_by_config(mappings, name, event, config->generation, out);
	if (outcome.has_acted) {
		conclude(out, "acted", "it acted on event %llu: annactl why %llu",
			(unsigned long long)event->id, (unsigned long long)event->id);
	} else if (outcome.was_refused) {
		conclude(out, "refused", "it matched and was refused: %s", outcome.refused_reason);
	} else if (!config->snapshot) {
		conclude(out, "unknown",
			"generation %llu, which handled the event, cannot be read: %s",
			(unsigned long long)event->generation, config->problem);
	} else if (!is_explained) {
		conclude(out, "unknown",
			"it matched, but no run and no refusal is in the journal: it may still "
			"wait for"
			" its turn");
	}
	return true;
}

// --- answering ---

static void write_judgement(struct json_writer *writer, const struct judgement *judgement) {
	json_member_text(writer, "reason", judgement->reason);
	json_member_text(writer, "detail", judgement->detail);
	json_member_text(writer, "guard", judgement->has_verdict ? judgement->verdict.guard : NULL);
	json_member_text(
		writer, "observed", judgement->has_verdict ? judgement->verdict.observed : NULL);
}

static void write_scan(struct json_writer *writer, const struct scan *scan) {
	const struct event *event = scan->last_event;
	json_key(writer, "last_event");
	if (event) {
		json_uint(writer, event->id);
	} else {
		json_null(writer);
	}
	json_key(writer, "event");
	if (event) {
		event_format_json(event, writer);
	} else {
		json_null(writer);
	}
	json_key(writer, "generation");
	if (event) {
		json_uint(writer, event->generation);
	} else {
		json_null(writer);
	}
	json_key(writer, "last_acted");
	if (scan->last_acted) {
		json_uint(writer, scan->last_acted);
	} else {
		json_null(writer);
	}
	json_member_bool(writer, "truncated", scan->is_cut);
}

static bool answer_mapping(const struct why_sources *sources, struct why_config *config,
	const struct scan *scan, struct json_writer *writer, struct err *err) {
	struct judgement judgement = {0};
	if (scan->last_event) {
		if (!judge(sources, config, scan->asked, scan->last_event, &judgement, err)) {
			return false;
		}
	} else if (scan->mapping && !scan->mapping->enabled) {
		conclude(&judgement, "disabled", "it is switched off (enabled = false)");
	} else if (scan->mapping) {
		conclude(&judgement, "no_event", "no event it listens to is in the journal");
	} else {
		conclude(&judgement, "disabled", "there is no mapping of this name any more");
	}
	json_begin_object(writer);
	json_member_str(writer, "asked", scan->asked);
	json_member_str(writer, "mapping", scan->asked);
	write_judgement(writer, &judgement);
	write_scan(writer, scan);
	json_end_object(writer);
	return true;
}

// The whole answer is about the last event of the kind: each mapping that listens, in file order.
static bool write_listeners(const struct why_sources *sources, struct why_config *config,
	const struct scan *scan, struct json_writer *writer, struct judgement *first,
	struct err *err) {
	why_config_read(sources, scan->last_event->generation, config);
	struct item_list mappings = why_config_mappings(sources, config);
	const struct mapping *mapping = mappings.items;
	json_begin_array(writer);
	for (size_t i = 0; i < mappings.n && i < 1000; i++, mapping++) {
		struct judgement judgement;
		if (!mapping_listens(mapping, scan->last_event->kind)) {
			continue;
		}
		if (!judge(sources, config, mapping->name, scan->last_event, &judgement, err)) {
			return false;
		}
		// An action that happened is the answer; else the first that stood in the way.
		if (!first->reason ||
			(strcmp(judgement.reason, "acted") == 0 &&
				strcmp(first->reason, "acted") != 0)) {
			*first = judgement;
		}
		json_begin_object(writer);
		json_member_str(writer, "mapping", mapping->name);
		write_judgement(writer, &judgement);
		json_end_object(writer);
	}
	json_end_array(writer);
	return true;
}

static bool answer_kind(const struct why_sources *sources, struct why_config *config,
	const struct scan *scan, struct json_writer *writer, struct err *err) {
	struct judgement judgement = {0};
	struct buf listeners = BUF_INIT;
	struct json_writer list;
	json_writer_init(&list, &listeners);
	bool ok = true;
	if (scan->last_event) {
		ok = write_listeners(sources, config, scan, &list, &judgement, err);
		if (ok && !judgement.reason) {
			conclude(&judgement, "no_mapping", "no mapping listens to it");
		}
	} else {
		const struct kind *kind = kinds_find(sources->kinds, scan->asked);
		conclude(&judgement, "no_event",
			"it has not occurred as far as the journal goes%s%s", kind ? ": " : "",
			kind ? kind->help : "");
	}
	if (ok) {
		json_begin_object(writer);
		json_member_str(writer, "asked", scan->asked);
		json_member_str(writer, "kind", scan->asked);
		write_judgement(writer, &judgement);
		write_scan(writer, scan);
		json_key(writer, "mappings");
		json_raw(writer, listeners.len ? buf_str(&listeners) : STR("[]"));
		json_end_object(writer);
	}
	buf_finish(&listeners);
	return ok;
}

// --- what is asked for ---

static const struct mapping *find_mapping(struct item_list mappings, struct str name) {
	const struct mapping *mapping = mappings.items;
	for (size_t i = 0; i < mappings.n; i++) {
		if (str_equal(mapping[i].name, name)) {
			return &mapping[i];
		}
	}
	return NULL;
}

// Named literally in some mapping's `on`: it exists, though none has come yet.
static bool is_listened_to(struct item_list mappings, struct str kind) {
	const struct mapping *mapping = mappings.items;
	for (size_t i = 0; i < mappings.n; i++) {
		for (size_t k = 0; k < mapping[i].on.n; k++) {
			if (str_equal(mapping[i].on.items[k], kind)) {
				return true;
			}
		}
	}
	return false;
}

static bool fail_unknown(struct item_list mappings, const struct scan *scan, struct err *err) {
	size_t n = 0;
	const char **names = xcalloc(KINDS_MAX * 2, sizeof(*names));
	struct map_entry *entry;
	for (size_t cursor = 0; n < KINDS_MAX && (entry = map_next(&scan->kinds, &cursor));) {
		names[n++] = entry->value;
	}
	const struct mapping *mapping = mappings.items;
	for (size_t i = 0; i < mappings.n && n < KINDS_MAX * 2; i++) {
		names[n++] = arena_copy(scan->arena, mapping[i].name);
	}
	const char *near = option_nearest(scan->asked, names, n);
	struct str shown = str_head(scan->asked, 100);
	err_set(err, ERR_NOT_FOUND,
		"there is no mapping \"%" STR_FMT
		"\" and no event of that kind in the journal%s%s%s",
		STR_ARG(shown), near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
	free(names);
	return false;
}

static bool answer(const struct why_sources *sources, struct item_list mappings, struct scan *scan,
	struct json_writer *writer, struct err *err) {
	struct why_config config = {0};
	bool ok;
	scan->mapping = find_mapping(mappings, scan->asked);
	if (!scan_journal(sources, scan, err)) {
		return false;
	}
	if (scan->mapping || (scan->has_run && !scan->last_event)) {
		ok = answer_mapping(sources, &config, scan, writer, err);
	} else if (scan->last_event || is_listened_to(mappings, scan->asked) ||
		kinds_find(sources->kinds, scan->asked)) {
		ok = answer_kind(sources, &config, scan, writer, err);
	} else {
		ok = fail_unknown(mappings, scan, err);
	}
	why_config_finish(&config);
	return ok;
}

bool why_not(const struct why_sources *sources, struct str asked, struct json_writer *writer,
	struct err *err) {
	struct why_config active = {0};
	struct scan scan = {.asked = asked, .arena = arena_create()};
	why_config_read(sources, 0, &active);
	bool ok = answer(sources, why_config_mappings(sources, &active), &scan, writer, err);
	event_unref(scan.last_event);
	map_finish(&scan.kinds);
	arena_destroy(scan.arena);
	why_config_finish(&active);
	return ok;
}
