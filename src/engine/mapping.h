// SPDX-License-Identifier: Apache-2.0
// What a mapping listens to. A pattern is a glob over the whole kind ("host.*"); Anna's own reports
// (action.*, mapping.*) are matched only by patterns that begin with these very words, so `on = "*"`
// does not answer itself.
#pragma once

#include "engine/engine.h"

bool mapping_pattern_matches(struct str pattern, struct str kind);
// Whether any of its patterns matches; does not look at `enabled`.
bool mapping_listens(const struct mapping *mapping, struct str kind);
const char *mapping_class_name(int class);
// The action of a mapping; never NULL for one that passed its checks.
const struct action *mapping_action(const struct mapping *mapping);
// The set of variants named "action" for the schema, made in the arena from a table of actions.
struct variants mapping_action_variants(
	struct arena *arena, const struct action *const *actions, size_t n);
