// SPDX-License-Identifier: Apache-2.0
// What the source units knows.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(failed_units);

TEST(failed_units_are_told_with_the_last) {
	struct bench bench;
	bench_init(&bench, NULL);
	bench.survey.failed_units = 2;
	bench.survey.failed_unit = "backup.service";
	advice_run(&bench.survey, &rule_failed_units);
	CHECK_INT(bench.survey.n, 1);
	CHECK_TEXT(
		bench.survey.findings[0].evidence, "2 failed, the last of them is backup.service");
	bench_finish(&bench);
}

TEST(none_failed_is_silent) {
	struct bench bench;
	bench_init(&bench, NULL);
	bench.survey.failed_units = 0;
	advice_run(&bench.survey, &rule_failed_units);
	CHECK_INT(bench.survey.n + bench.survey.unjudged_count, 0);
	bench_finish(&bench);
}

TEST(a_systemd_that_is_not_watched_is_not_known) {
	is_unsure(&rule_failed_units, TREE({"/run/systemd/system/x", ""}),
		"systemd is not watched now");
}

TEST(without_systemd_there_is_nothing_to_say) {
	is_silent(&rule_failed_units, NULL);
}

int main(void) {
	return TESTS(RUN(failed_units_are_told_with_the_last), RUN(none_failed_is_silent),
		RUN(a_systemd_that_is_not_watched_is_not_known),
		RUN(without_systemd_there_is_nothing_to_say));
}
