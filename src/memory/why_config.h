// SPDX-License-Identifier: Apache-2.0
// The mappings of a configuration generation, read beside a running daemon: nothing is tidied,
// created or written, whatever the folder looks like.
#pragma once

#include "memory/why.h"

// Kept while one question is answered: events in a row mostly have the same generation.
struct why_config {
	uint64_t generation;	   // 0: none was read yet
	struct snapshot *snapshot; // NULL: there is none (see problem)
	char problem[256];
};

// Reads generation `number` (0: the active one) unless it is there already.
void why_config_read(const struct why_sources *sources, uint64_t number, struct why_config *out);
void why_config_finish(struct why_config *config);
// Its mappings in file order; none without a snapshot.
struct item_list why_config_mappings(
	const struct why_sources *sources, const struct why_config *config);
