// SPDX-License-Identifier: Apache-2.0
// One threshold over a row of values, a second apart.
#include "sources/threshold_state.h"

#include "base/clock.h"
#include "tests/check.h"

#define SECOND NS_PER_SECOND
#define START (1000 * SECOND)

// Judges and settles, as when every event is published.
static enum threshold_news step(const struct threshold_rule *rule, struct threshold_state *state,
	double value, int64_t second) {
	enum threshold_news news = threshold_state_judge(
		rule, state, value, START + second * SECOND);
	threshold_state_settle(state, news, START + second * SECOND);
	return news;
}

static enum threshold_news step_absent(struct threshold_state *state, int64_t second) {
	enum threshold_news news = threshold_state_judge_absent(state, START + second * SECOND);
	threshold_state_settle(state, news, START + second * SECOND);
	return news;
}

TEST(the_limit_itself_is_neither_above_nor_below) {
	const struct threshold_rule above = {.limit = 90}, below = {.is_below = true, .limit = 90};
	struct threshold_state a = {0}, b = {0};
	CHECK_INT(step(&above, &a, 90, 0), NEWS_NONE);
	CHECK_INT(step(&below, &b, 90, 0), NEWS_NONE);
	CHECK_INT(step(&above, &a, 90.01, 1), NEWS_RAISED);
	CHECK_INT(step(&below, &b, 89.99, 1), NEWS_RAISED);
	CHECK_INT(step(&above, &a, 90, 2), NEWS_CLEARED);
	CHECK_INT(step(&below, &b, 90, 2), NEWS_CLEARED);
}

TEST(a_value_inside_the_hysteresis_neither_clears_nor_raises_again) {
	const struct threshold_rule rule = {.limit = 90, .hysteresis = 5};
	struct threshold_state state = {0};
	CHECK_INT(step(&rule, &state, 91, 0), NEWS_RAISED);
	for (int i = 1; i < 20; i++) {
		CHECK_INT(step(&rule, &state, i % 2 ? 85.1 : 95, i), NEWS_NONE);
	}
	CHECK_INT(step(&rule, &state, 85, 20), NEWS_CLEARED);
	CHECK_INT(step(&rule, &state, 88, 21), NEWS_NONE);
}

TEST(the_hysteresis_of_a_lower_limit_is_above_it) {
	const struct threshold_rule rule = {.is_below = true, .limit = 5, .hysteresis = 5};
	struct threshold_state state = {0};
	CHECK_INT(step(&rule, &state, 4, 0), NEWS_RAISED);
	CHECK_INT(step(&rule, &state, 9.9, 1), NEWS_NONE);
	CHECK_INT(step(&rule, &state, 10, 2), NEWS_CLEARED);
}

TEST(a_flapping_value_never_is_over_for_long_enough) {
	const struct threshold_rule rule = {.limit = 90, .for_ns = 10 * SECOND};
	struct threshold_state state = {0};
	for (int i = 0; i < 100; i++) {
		CHECK_INT(step(&rule, &state, i % 10 == 9 ? 90 : 99, i), NEWS_NONE);
	}
}

TEST(for_is_reached_exactly) {
	const struct threshold_rule rule = {.limit = 90, .for_ns = 10 * SECOND};
	struct threshold_state state = {0};
	for (int i = 0; i < 10; i++) {
		CHECK_INT(step(&rule, &state, 99, i), NEWS_NONE);
	}
	CHECK_INT(step(&rule, &state, 99, 10), NEWS_RAISED);
	CHECK_INT(state.since_ns, START);
}

TEST(while_raised_it_is_told_again_every_so_often) {
	const struct threshold_rule rule = {.limit = 0, .every_ns = 60 * SECOND};
	struct threshold_state state = {0};
	int told = 0;
	CHECK_INT(step(&rule, &state, 1, 0), NEWS_RAISED);
	for (int i = 1; i <= 180; i++) {
		told += step(&rule, &state, 1, i) == NEWS_REPEATED;
	}
	CHECK_INT(told, 3);
	CHECK_INT(state.repeats, 3);
	CHECK_INT(step(&rule, &state, 0, 181), NEWS_CLEARED);
	CHECK_INT(step(&rule, &state, 0, 400), NEWS_NONE);
}

TEST(what_was_not_told_stays_news) {
	const struct threshold_rule rule = {.limit = 0};
	struct threshold_state state = {0};
	CHECK_INT(threshold_state_judge(&rule, &state, 1, START), NEWS_RAISED);
	CHECK_INT(threshold_state_judge(&rule, &state, 1, START + SECOND), NEWS_RAISED);
	threshold_state_settle(&state, NEWS_RAISED, START + SECOND);
	CHECK_INT(threshold_state_judge(&rule, &state, 0, START + 2 * SECOND), NEWS_CLEARED);
	CHECK_INT(threshold_state_judge(&rule, &state, 0, START + 3 * SECOND), NEWS_CLEARED);
}

TEST(an_absent_figure_keeps_its_state_for_a_minute_and_is_unknown_then) {
	const struct threshold_rule rule = {.limit = 90, .for_ns = 10 * SECOND};
	struct threshold_state state = {0};
	CHECK_INT(step(&rule, &state, 99, 0), NEWS_NONE);
	CHECK_INT(step_absent(&state, 5), NEWS_NONE);
	CHECK_INT(step(&rule, &state, 99, 10), NEWS_RAISED); // the way to `for` went on
	CHECK_INT(step_absent(&state, 69), NEWS_NONE);
	CHECK_INT(state.level, LEVEL_RAISED);
	CHECK_INT(step_absent(&state, 70), NEWS_UNKNOWN);
	CHECK_INT(state.level, LEVEL_QUIET);
}

TEST(an_absent_figure_that_was_not_raised_is_no_news) {
	const struct threshold_rule rule = {.limit = 90, .for_ns = 10 * SECOND};
	struct threshold_state state = {0};
	CHECK_INT(step(&rule, &state, 99, 0), NEWS_NONE);
	CHECK_INT(step_absent(&state, 59), NEWS_NONE);
	CHECK_INT(step_absent(&state, 60), NEWS_FORGOTTEN);
}

int main(void) {
	return TESTS(RUN(the_limit_itself_is_neither_above_nor_below),
		RUN(a_value_inside_the_hysteresis_neither_clears_nor_raises_again),
		RUN(the_hysteresis_of_a_lower_limit_is_above_it),
		RUN(a_flapping_value_never_is_over_for_long_enough), RUN(for_is_reached_exactly),
		RUN(while_raised_it_is_told_again_every_so_often),
		RUN(what_was_not_told_stays_news),
		RUN(an_absent_figure_keeps_its_state_for_a_minute_and_is_unknown_then),
		RUN(an_absent_figure_that_was_not_raised_is_no_news));
}
