// SPDX-License-Identifier: Apache-2.0
// why: the causal chain of an event up to its root and down to its effects, with times, guard
// values and results; and why something did not happen. Both read the journal and, for guards,
// evaluate the recorded event with the configuration generation that handled it; they never guess:
// what retention has dropped is called "beyond retention". Blocking: run in a job.
#pragma once

#include "base/err.h"
#include "config/generations.h"
#include "flow/kind.h"
#include "formats/json.h"
#include "io/fs.h"

struct why_sources {
	struct fs *fs;
	const char *journal_folder;
	const char *state_folder;
	const struct schema *schema;	// to read old generations
	const struct section *mappings; // the schema's [[mappings]]
	const struct kinds *kinds;	// the declared ones
};

// Writes {event, causes: [root…parent], effects: [tree], beyond_retention, damaged} of event `id`.
// The tree: {event, effects}; at most 1,000 events and 24 levels (two JSON levels each, of the 64
// every reader accepts); `truncated` says when more.
_must_use_ bool why_event(const struct why_sources *sources, uint64_t id,
	struct json_writer *writer, struct err *err);

// Why a mapping did not act, or nothing came of a kind, lately: {asked, mapping | kind, reason, detail,
// guard, observed, last_event (id), event, generation, last_acted (id), truncated}, for
// a kind also mappings: [{mapping, reason, detail, guard, observed}] for each that listens to it.
// reason is one of no_event (no event of a kind it listens to is in the journal), guard, stopped_by
// (an earlier mapping with stop), disabled, refused (depth or budget, from mapping.refused), acted
// (it did), no_mapping (none listens to the kind), unknown; detail is a sentence. What exists
// neither in the configuration nor in the journal is NOT_FOUND.
_must_use_ bool why_not(const struct why_sources *sources, struct str asked,
	struct json_writer *writer, struct err *err);
