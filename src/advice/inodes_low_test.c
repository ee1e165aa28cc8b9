// SPDX-License-Identifier: Apache-2.0
// Inodes of local file systems.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(inodes_low);

TEST(ninety_percent_is_told) {
	fires(&rule_inodes_low,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 1000 900 850 1000 90\n"}),
		"/ has 910 of 1000 inodes in use");
}

TEST(less_is_silent) {
	is_silent(&rule_inodes_low,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 1000 10 5 1000 110\n"}));
}

TEST(a_file_system_that_does_not_count_is_silent) {
	is_silent(&rule_inodes_low,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - btrfs /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 1000 10 5 0 0\n"}));
}

TEST(a_network_mount_is_not_asked) {
	is_silent(&rule_inodes_low,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - nfs4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 1000 900 850 1000 1\n"}));
}

int main(void) {
	return TESTS(RUN(ninety_percent_is_told), RUN(less_is_silent),
		RUN(a_file_system_that_does_not_count_is_silent),
		RUN(a_network_mount_is_not_asked));
}
