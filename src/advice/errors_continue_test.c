// SPDX-License-Identifier: Apache-2.0
// What the root does on errors, by option and by super block.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(errors_continue);

TEST(the_option_is_told) {
	fires(&rule_errors_continue,
		TREE({"/proc/self/mountinfo",
			"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=continue\n"}),
		"/ is ext4 on /dev/sda2 with errors=continue");
}

TEST(what_the_super_block_says_is_told) {
	fires(&rule_errors_continue,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"},
			{"/proc/fs/ext4/sda2/options", "rw\nbsddf\nerrors=continue\ncommit=5\n"}),
		"/ is ext4 on /dev/sda2 with errors=continue");
}

TEST(remount_ro_is_silent) {
	is_silent(&rule_errors_continue,
		TREE({"/proc/self/mountinfo",
			"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			"rw,errors=remount-ro\n"}));
}

TEST(another_file_system_is_silent) {
	is_silent(&rule_errors_continue,
		TREE({"/proc/self/mountinfo", "36 1 8:2 / / rw - xfs /dev/sda2 rw\n"}));
}

TEST(when_neither_says_it_is_not_known) {
	is_unsure(&rule_errors_continue,
		TREE({"/proc/self/mountinfo",
			"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"}),
		"neither the mount table nor /proc/fs/ext4");
}

int main(void) {
	return TESTS(RUN(the_option_is_told), RUN(what_the_super_block_says_is_told),
		RUN(remount_ro_is_silent), RUN(another_file_system_is_silent),
		RUN(when_neither_says_it_is_not_known));
}
