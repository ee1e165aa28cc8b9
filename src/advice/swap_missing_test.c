// SPDX-License-Identifier: Apache-2.0
// Memory and swap in /proc/meminfo.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(swap_missing);

TEST(two_gigabytes_without_swap_are_told) {
	fires(&rule_swap_missing,
		TREE({"/proc/meminfo",
			"MemTotal:        2097152 kB\nMemFree: 1 kB\nSwapTotal:             0 "
			"kB\n"}),
		"MemTotal is 2048 MiB, SwapTotal is 0");
}

TEST(with_swap_or_much_memory_it_is_silent) {
	is_silent(&rule_swap_missing,
		TREE({"/proc/meminfo",
			"MemTotal:        2097152 kB\nSwapTotal:       1048576 kB\n"}));
}

TEST(four_gigabytes_are_enough) {
	is_silent(&rule_swap_missing,
		TREE({"/proc/meminfo", "MemTotal:        4194304 kB\nSwapTotal:       0 kB\n"}));
}

TEST(without_the_file_it_is_not_known) {
	is_unsure(&rule_swap_missing, NULL, "/proc/meminfo: cannot open");
}

int main(void) {
	return TESTS(RUN(two_gigabytes_without_swap_are_told),
		RUN(with_swap_or_much_memory_it_is_silent), RUN(four_gigabytes_are_enough),
		RUN(without_the_file_it_is_not_known));
}
