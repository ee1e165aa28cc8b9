// SPDX-License-Identifier: Apache-2.0
// What the files of the snapshot share among themselves; nobody outside config/ includes it.
#pragma once

#include <stdatomic.h>

#include "config/option_parts.h"
#include "config/snapshot.h"

// One section as it was filled.
struct part {
	void *config;		    // of a table
	struct item_list list;	    // of a list
	uint64_t hash;		    // of all that was given
	uint64_t *hashes;	    // of a list, by item
	const struct value *source; // NULL: all default
};

struct snapshot {
	atomic_uint references;
	struct arena *arena;
	const struct schema *schema;
	struct part *parts; // as the schema's sections
	char hash[65];
	size_t counted_bytes; // of its arena, in snapshot_bytes
};

const struct part *snapshot_part(const struct snapshot *snapshot, const struct section *section);
// "[host]" or "[[mappings]]".
const char *section_title(struct arena *arena, const struct section *section);

// The given items of a list (may be NULL) with the section's presets.
const struct value *presets_join(
	struct arena *arena, const struct section *section, const struct value *given);

// Joins the roots of several files: tables member by member, lists of tables one after the other.
// What two files both give otherwise is a problem at the second place.
const struct value *merge_roots(
	struct arena *arena, const struct value *const *roots, size_t n, struct problems *problems);
