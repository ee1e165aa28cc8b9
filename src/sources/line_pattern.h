// SPDX-License-Identifier: Apache-2.0
// Patterns over lines of text from outside (the kernel's, the journal's), with a limit on how
// often each may speak: a flood of one must not hide the others or fill the journal.
#pragma once

#include "config/option.h"
#include "sources/outbox.h"

struct line_pattern {
	struct str name;
	struct str match; // a glob over the whole line; text without * is found anywhere in it
	int64_t limit;	  // events per minute
};

// Rows of a list `patterns` of these; ends with an all-zero row.
extern const struct option line_pattern_rows[];

// What one pattern has said lately. Zeroed memory has said nothing.
struct line_limit {
	int64_t window_ns; // monotonic: since when it counts
	int64_t said, held;
};

bool line_pattern_matches(const struct line_pattern *pattern, struct str line);
// Whether it may speak now; else it is counted. When it may, the number held back since the last
// time is written to *out_held.
bool line_limit_allows(
	struct line_limit *limit, int64_t per_minute, int64_t now_ns, int64_t *out_held);
