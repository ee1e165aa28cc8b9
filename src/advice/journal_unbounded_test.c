// SPDX-License-Identifier: Apache-2.0
// The journal against the disk it is on.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(journal_unbounded);

TEST(much_of_a_small_disk_is_told) {
	fires(&rule_journal_unbounded,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 2097152 1000000 900000 100 50\n"},
			{"/var/log/journal/0123/system.journal", "", NULL, 1073741824}),
		"/var/log/journal holds 1024 MiB of the 8192 MiB of /, and SystemMaxUse is not "
		"set");
}

TEST(with_a_bound_it_is_silent) {
	is_silent(&rule_journal_unbounded,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 2097152 1000000 900000 100 50\n"},
			{"/var/log/journal/0123/system.journal", "", NULL, 1073741824},
			{"/etc/systemd/journald.conf.d/a.conf", "[Journal]\nSystemMaxUse=2G\n"}));
}

TEST(a_bound_that_is_commented_out_is_none) {
	fires(&rule_journal_unbounded,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 2097152 1000000 900000 100 50\n"},
			{"/var/log/journal/0123/system.journal", "", NULL, 1073741824},
			{"/etc/systemd/journald.conf", "[Journal]\n#SystemMaxUse=\n"}),
		"/var/log/journal holds 1024 MiB of the 8192 MiB of /, and SystemMaxUse is not "
		"set");
}

TEST(a_large_disk_is_silent) {
	is_silent(&rule_journal_unbounded,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 20971520 1000000 900000 100 50\n"},
			{"/var/log/journal/0123/system.journal", "", NULL, 1073741824}));
}

TEST(a_small_journal_is_silent) {
	is_silent(&rule_journal_unbounded,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/statfs", "/ 4096 2097152 1000000 900000 100 50\n"},
			{"/var/log/journal/0123/system.journal", "x"}));
}

int main(void) {
	return TESTS(RUN(much_of_a_small_disk_is_told), RUN(with_a_bound_it_is_silent),
		RUN(a_bound_that_is_commented_out_is_none), RUN(a_large_disk_is_silent),
		RUN(a_small_journal_is_silent));
}
