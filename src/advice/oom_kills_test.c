// SPDX-License-Identifier: Apache-2.0
// The kernel's count of kills.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(oom_kills);

TEST(kills_are_told) {
	fires(&rule_oom_kills,
		TREE({"/proc/vmstat", "nr_free_pages 5\noom_kill 3\noom_kill_other 9\n"}),
		"oom_kill in /proc/vmstat is 3");
}

TEST(none_is_silent) {
	is_silent(&rule_oom_kills, TREE({"/proc/vmstat", "nr_free_pages 5\noom_kill 0\n"}));
}

TEST(a_kernel_that_does_not_count_is_silent) {
	is_silent(&rule_oom_kills, TREE({"/proc/vmstat", "nr_free_pages 5\n"}));
}

TEST(without_the_file_it_is_not_known) {
	is_unsure(&rule_oom_kills, NULL, "/proc/vmstat: cannot open");
}

int main(void) {
	return TESTS(RUN(kills_are_told), RUN(none_is_silent),
		RUN(a_kernel_that_does_not_count_is_silent), RUN(without_the_file_it_is_not_known));
}
