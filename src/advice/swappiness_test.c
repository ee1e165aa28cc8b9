// SPDX-License-Identifier: Apache-2.0
// vm.swappiness against the swap there is.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(swappiness);

TEST(zero_with_swap_is_told) {
	fires(&rule_swappiness,
		TREE({"/proc/sys/vm/swappiness", "0\n"},
			{"/proc/swaps",
				"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sda2 "
				"partition 100 0 -2\n"}),
		"vm.swappiness is 0 and there is swap");
}

TEST(more_than_a_hundred_with_disk_swap_is_told) {
	fires(&rule_swappiness,
		TREE({"/proc/sys/vm/swappiness", "180\n"},
			{"/proc/swaps",
				"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/zram0 "
				"partition 100 0 100\n/dev/sda2 partition 100 0 -2\n"}),
		"vm.swappiness is 180 and swap is on a disk");
}

TEST(more_than_a_hundred_with_zram_alone_is_right) {
	is_silent(&rule_swappiness,
		TREE({"/proc/sys/vm/swappiness", "180\n"},
			{"/proc/swaps",
				"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/zram0 "
				"partition 100 0 100\n"}));
}

TEST(the_usual_is_silent) {
	is_silent(&rule_swappiness,
		TREE({"/proc/sys/vm/swappiness", "60\n"},
			{"/proc/swaps",
				"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sda2 "
				"partition 100 0 -2\n"}));
}

TEST(zero_without_swap_means_nothing) {
	is_silent(&rule_swappiness,
		TREE({"/proc/sys/vm/swappiness", "0\n"},
			{"/proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"}));
}

TEST(without_the_file_it_is_not_known) {
	is_unsure(&rule_swappiness, NULL, "/proc/sys/vm/swappiness: cannot open");
}

int main(void) {
	return TESTS(RUN(zero_with_swap_is_told), RUN(more_than_a_hundred_with_disk_swap_is_told),
		RUN(more_than_a_hundred_with_zram_alone_is_right), RUN(the_usual_is_silent),
		RUN(zero_without_swap_means_nothing), RUN(without_the_file_it_is_not_known));
}
