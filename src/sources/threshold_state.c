// SPDX-License-Identifier: Apache-2.0
// The three levels and the ways between them; see threshold_state.h.
#include "sources/threshold_state.h"

static bool is_over(const struct threshold_rule *rule, double value) {
	return rule->is_below ? value < rule->limit : value > rule->limit;
}

static bool is_back(const struct threshold_rule *rule, double value) {
	return rule->is_below ? value >= rule->limit + rule->hysteresis
			      : value <= rule->limit - rule->hysteresis;
}

enum threshold_news threshold_state_judge(const struct threshold_rule *rule,
	struct threshold_state *state, double value, int64_t now_ns) {
	state->value = value;
	state->seen_ns = now_ns;
	if (state->level == LEVEL_RAISED) {
		if (is_back(rule, value)) {
			return NEWS_CLEARED;
		}
		bool is_due = rule->every_ns && now_ns - state->told_ns >= rule->every_ns;
		return is_due ? NEWS_REPEATED : NEWS_NONE;
	}
	if (!is_over(rule, value)) {
		state->level = LEVEL_QUIET;
		return NEWS_NONE;
	}
	if (state->level == LEVEL_QUIET) {
		state->level = LEVEL_OVER;
		state->since_ns = now_ns;
	}
	return now_ns - state->since_ns >= rule->for_ns ? NEWS_RAISED : NEWS_NONE;
}

enum threshold_news threshold_state_judge_absent(struct threshold_state *state, int64_t now_ns) {
	if (now_ns - state->seen_ns < THRESHOLD_ABSENT_NS) {
		return NEWS_NONE;
	}
	return state->level == LEVEL_RAISED ? NEWS_UNKNOWN : NEWS_FORGOTTEN;
}

void threshold_state_settle(
	struct threshold_state *state, enum threshold_news news, int64_t now_ns) {
	switch (news) {
	case NEWS_RAISED:
		state->level = LEVEL_RAISED;
		state->repeats = 0;
		state->told_ns = now_ns;
		break;
	case NEWS_REPEATED:
		state->repeats++;
		state->told_ns = now_ns;
		break;
	case NEWS_CLEARED:
	case NEWS_UNKNOWN:
		state->level = LEVEL_QUIET;
		break;
	case NEWS_NONE:
	case NEWS_FORGOTTEN:
		break;
	}
}
