// SPDX-License-Identifier: Apache-2.0
// A full root and what lies on it.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(root_full);

TEST(a_full_root_with_everything_on_it_is_told) {
	fires(&rule_root_full,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 1000 80 50 1000 900\n"}),
		"/ is 94.8 % full and holds /tmp and /var");
}

TEST(what_is_elsewhere_is_not_blamed) {
	fires(&rule_root_full,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n37 36 0:31 / /tmp rw - tmpfs tmpfs rw\n"},
			{"/statfs", "/ 4096 1000 80 50 1000 900\n"}),
		"/ is 94.8 % full and holds /var");
}

TEST(with_both_elsewhere_it_is_silent) {
	is_silent(&rule_root_full,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n37 36 0:31 / /tmp rw - tmpfs tmpfs rw\n38 36 "
			     "8:3 / /var rw - ext4 /dev/sda3 rw\n"},
			{"/statfs", "/ 4096 1000 80 50 1000 900\n"}));
}

TEST(half_full_is_silent) {
	is_silent(&rule_root_full,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 1000 500 450 1000 900\n"}));
}

int main(void) {
	return TESTS(RUN(a_full_root_with_everything_on_it_is_told),
		RUN(what_is_elsewhere_is_not_blamed), RUN(with_both_elsewhere_it_is_silent),
		RUN(half_full_is_silent));
}
