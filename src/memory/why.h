// SPDX-License-Identifier: Apache-2.0
// why: the causal chain of an event up to its root and down to its effects, with times, guard
// values and results; and why something did not happen. Both read the journal and, for guards,
// evaluate the recorded event with the configuration generation that handled it; they never guess:
// what retention has dropped is called "beyond retention". Blocking: run in a job.
#pragma once

#include "base/err.h"
#include "config/generations.h"
#include "formats/json.h"
#include "io/fs.h"

struct why_sources {
	struct fs *fs;
	const char *journal_folder;
	const char *state_folder;
	const struct schema *schema;     // to read old generations
	const struct section *mappings;  // the schema's [[mappings]]
};

// Writes {event, causes: [root…parent], effects: [tree], beyond_retention, damaged} of event `id`.
// The tree: {event, effects}; at most 1,000 events and 32 levels, `truncated` says when more.
_must_use_ bool why_event(const struct why_sources *sources, uint64_t id,
	struct json_writer *writer, struct err *err);

// Why a mapping did not act, or a kind did not occur, lately: {asked, mapping | kind, last_event,
// guard, observed, reason, generation, last_acted, events_seen}. reason is one of no_event (no
// event of a kind it listens to is in the journal), guard, stopped_by (an earlier mapping with
// stop), disabled, refused (depth or budget, from mapping.refused), acted (it did), unknown.
_must_use_ bool why_not(const struct why_sources *sources, struct str asked,
	struct json_writer *writer, struct err *err);
