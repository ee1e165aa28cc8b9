// SPDX-License-Identifier: Apache-2.0
// What the files of policies share among themselves; nobody outside config/ includes it.
#pragma once

#include "base/problems.h"
#include "formats/value.h"

#define POLICY_TESTS_MAX 16 // in one `when`

// What a `when` says: a figure over a limit, or an event by its kind; and tests of attributes.
struct policy_when {
	struct str figure; // at NULL: none
	struct str label;  // of the figure: "sda", a glob; empty: any
	bool is_below;
	double limit;
	struct place place; // of the figure's test
	struct str kind;    // of the event, when there is no figure
	// Tests of attributes as a mapping's `where`: {name = {gt = 90}}.
	struct value where;
};
// False, and told: it is not in the grammar.
_must_use_ bool policy_parse_when(struct arena *arena, const struct value *text,
	struct policy_when *out, struct problems *problems);

// What a `then` says, as the action of a mapping: {type = "log", …}.
_must_use_ bool policy_parse_then(struct arena *arena, const struct value *text, struct str rule,
	const struct policy_when *when, struct value *out, struct problems *problems);

// The place n bytes into a text; exact when the text stands as it was written.
static inline struct place policy_place(const struct value *text, size_t at) {
	struct place place = text->place;
	for (size_t i = 0; i < at && i < text->string.len; i++) {
		place.column += ((unsigned char)text->string.at[i] & 0xc0) != 0x80;
	}
	return place;
}

// Tables built by hand: room for `most` members.
struct value policy_table(struct arena *arena, size_t most, struct place place);
// name is a literal, or lives in the arena.
void policy_add(struct value *table, struct str name, struct value value, struct place place);
