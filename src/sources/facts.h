// SPDX-License-Identifier: Apache-2.0
// A set of facts about the machine, each a key with a value, and the difference of two such sets:
// what sources tell that look again when something changed. Pure; all text lives in the set.
#pragma once

#include "base/buf.h"

struct fact {
	uint32_t key_at, key_len, value_at, value_len; // in text
};

struct facts {
	struct buf text;
	struct fact *items;
	size_t n, cap;
	bool is_cut; // there were more than FACTS_MAX, or more text than FACTS_TEXT_MAX
};

#define FACTS_MAX 100000
#define FACTS_TEXT_MAX (32 * 1024 * 1024)

// Zeroed memory is the empty set.
void facts_finish(struct facts *facts);
void facts_add(struct facts *facts, struct str key, struct str value);
// Once, after the last add: brings it into order of key; of equal keys the first added stays.
void facts_sort(struct facts *facts);
struct str facts_key(const struct facts *facts, size_t i);
struct str facts_value(const struct facts *facts, size_t i);
// The value of a key; at NULL when there is none. Of a sorted set.
struct str facts_find(const struct facts *facts, struct str key);

struct fact_change {
	struct str key;
	struct str before, after; // at NULL: was not there, is not there
};

struct fact_changes {
	struct fact_change *items; // the texts are those of the two sets
	size_t n, cap;
};

// Appends, in order of key, what is different between two sorted sets.
void facts_diff(const struct facts *before, const struct facts *after, struct fact_changes *out);
void fact_changes_finish(struct fact_changes *changes);
