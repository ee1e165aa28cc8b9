// SPDX-License-Identifier: Apache-2.0
// Where swap lies.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(swap_slow);

TEST(a_partition_on_a_rotating_disk_is_told) {
	fires(&rule_swap_slow,
		TREE({"/sys/block/sda/queue/rotational", "1\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/sys/block/sda/sda3/partition", "3\n"},
			{"/sys/block/nvme0n1/queue/rotational", "0\n"},
			{"/sys/block/nvme0n1/nvme0n1p1/partition", "1\n"},
			{"/proc/swaps",
				"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sda3 "
				"partition 100 0 -2\n"}),
		"swap /dev/sda3 lies on sda, which rotates");
}

TEST(a_file_on_one_is_told) {
	fires(&rule_swap_slow,
		TREE({"/sys/block/sda/queue/rotational", "1\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/sys/block/sda/sda3/partition", "3\n"},
			{"/sys/block/nvme0n1/queue/rotational", "0\n"},
			{"/sys/block/nvme0n1/nvme0n1p1/partition", "1\n"},
			{"/proc/self/mountinfo",
				"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
				"rw,errors=remount-ro\n"},
			{"/proc/swaps",
				"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/swapfile file "
				"100 0 -2\n"}),
		"swap /swapfile lies on sda, which rotates");
}

TEST(a_file_on_the_other_disk_is_silent) {
	is_silent(&rule_swap_slow,
		TREE({"/sys/block/sda/queue/rotational", "1\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/sys/block/sda/sda3/partition", "3\n"},
			{"/sys/block/nvme0n1/queue/rotational", "0\n"},
			{"/sys/block/nvme0n1/nvme0n1p1/partition", "1\n"},
			{"/proc/self/mountinfo",
				"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
				"rw,errors=remount-ro\n37 36 259:1 / /swap rw - ext4 "
				"/dev/nvme0n1p1 rw\n"},
			{"/proc/swaps",
				"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/swap/file file "
				"100 0 -2\n"}));
}

TEST(an_ssd_is_silent) {
	is_silent(&rule_swap_slow,
		TREE({"/sys/block/sda/queue/rotational", "1\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/sys/block/sda/sda3/partition", "3\n"},
			{"/sys/block/nvme0n1/queue/rotational", "0\n"},
			{"/sys/block/nvme0n1/nvme0n1p1/partition", "1\n"},
			{"/proc/swaps",
				"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/nvme0n1p1 "
				"partition 100 0 -2\n"}));
}

TEST(a_virtual_disk_is_not_believed) {
	is_silent(&rule_swap_slow,
		TREE({"/sys/block/sda/queue/rotational", "1\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/sys/block/sda/sda3/partition", "3\n"},
			{"/sys/block/nvme0n1/queue/rotational", "0\n"},
			{"/sys/block/nvme0n1/nvme0n1p1/partition", "1\n"},
			{"/proc/cpuinfo",
				"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu "
				"hypervisor\n"},
			{"/proc/swaps",
				"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sda3 "
				"partition 100 0 -2\n"}));
}

int main(void) {
	return TESTS(RUN(a_partition_on_a_rotating_disk_is_told), RUN(a_file_on_one_is_told),
		RUN(a_file_on_the_other_disk_is_silent), RUN(an_ssd_is_silent),
		RUN(a_virtual_disk_is_not_believed));
}
