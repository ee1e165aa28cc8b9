// SPDX-License-Identifier: Apache-2.0
// Which of many mappings listen to a kind, found without looking at the others: patterns without
// a wildcard by hash, each different pattern with one once per kind, and the answer remembered.
#pragma once

#include "engine/engine.h"

struct listeners;

// The mappings that listen to one kind, as positions in file order.
struct match_list {
	bool is_cached;
	uint32_t n;
	uint32_t items[];
};

// Reads the mappings; keeps nothing borrowed. Disabled ones are left out.
_must_use_ struct listeners *listeners_create(const struct mapping *mappings, size_t n);
struct listeners *listeners_ref(struct listeners *listeners);
void listeners_unref(struct listeners *listeners); // NULL is fine
// Valid until listeners_done; lookups may nest.
const struct match_list *listeners_find(struct listeners *listeners, struct str kind);
void listeners_done(struct listeners *listeners, const struct match_list *list);
