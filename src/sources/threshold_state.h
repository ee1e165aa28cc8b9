// SPDX-License-Identifier: Apache-2.0
// What one threshold makes of one figure over time, pure: quiet, over its limit but not for long
// enough yet, or raised. Private to `threshold`. Times are monotonic, so a wall clock that is set
// changes nothing. News stays news until it is settled: what could not be published is told later.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define THRESHOLD_ABSENT_NS INT64_C(60000000000) // a figure that is absent so long is unknown

struct threshold_rule {
	bool is_below; // raised by values below the limit; else by values above it
	double limit;
	double hysteresis;
	int64_t for_ns;	  // how long it must be over before it is raised
	int64_t every_ns; // how often it is told again while raised; 0: never
};

enum threshold_level {
	LEVEL_QUIET,
	LEVEL_OVER,  // over since since_ns; leaves to RAISED after `for`, to QUIET when not over
	LEVEL_RAISED // told; leaves when the value is back by the hysteresis, or is unknown
};

enum threshold_news {
	NEWS_NONE,
	NEWS_RAISED,
	NEWS_REPEATED,
	NEWS_CLEARED,
	NEWS_UNKNOWN,  // it was raised and is not measured any more
	NEWS_FORGOTTEN // it was not, and is not measured any more
};

// Zeroed memory is a quiet state that has seen nothing.
struct threshold_state {
	enum threshold_level level;
	int64_t since_ns; // over (or raised) since
	int64_t seen_ns;  // the last value
	int64_t told_ns;  // the last event about it
	uint64_t repeats;
	double value;
};

// Takes a value that is finite.
enum threshold_news threshold_state_judge(const struct threshold_rule *rule,
	struct threshold_state *state, double value, int64_t now_ns);
// There is no value now: the state stays for a minute.
enum threshold_news threshold_state_judge_absent(struct threshold_state *state, int64_t now_ns);
// The news was told.
void threshold_state_settle(
	struct threshold_state *state, enum threshold_news news, int64_t now_ns);
