// SPDX-License-Identifier: Apache-2.0
// Globs over lines, and how often each may speak; see line_pattern.h.
#include "sources/line_pattern.h"

#define WINDOW (60 * NS_PER_SECOND)

const struct option line_pattern_rows[] = {
	{"name", OPTION_STRING, offsetof(struct line_pattern, name), .min = 1, .max = 100,
		.is_required = true, .help = "Its name, as `pattern` in its events."},
	{"match", OPTION_STRING, offsetof(struct line_pattern, match), .min = 1, .max = 1000,
		.is_required = true,
		.help = "Lines it is about: text that stands anywhere in them, or with * and ? a "
			"glob over all of the line."},
	{"limit", OPTION_INT, offsetof(struct line_pattern, limit), "10", .min = 1, .max = 6000,
		.unit = "events per minute",
		.help = "More are counted, and told with the next that is let through."},
	{NULL},
};

bool line_pattern_matches(const struct line_pattern *pattern, struct str line) {
	bool is_glob = str_find_char(pattern->match, '*') >= 0 ||
		str_find_char(pattern->match, '?') >= 0;
	return is_glob ? str_glob(pattern->match, line) : str_find(line, pattern->match) >= 0;
}

bool line_limit_allows(
	struct line_limit *limit, int64_t per_minute, int64_t now_ns, int64_t *out_held) {
	if (!limit->window_ns || now_ns - limit->window_ns >= WINDOW) {
		limit->window_ns = now_ns;
		limit->said = 0;
	}
	if (limit->said >= per_minute) {
		limit->held++;
		return false;
	}
	limit->said++;
	*out_held = limit->held;
	limit->held = 0;
	return true;
}
