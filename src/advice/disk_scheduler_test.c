// SPDX-License-Identifier: Apache-2.0
// The scheduler in force against the kind of disk.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(disk_scheduler);

TEST(bfq_on_nvme_is_told) {
	fires(&rule_disk_scheduler,
		TREE({"/sys/block/nvme0n1/queue/scheduler", "none mq-deadline [bfq]\n"},
			{"/sys/block/nvme0n1/queue/rotational", "0\n"}),
		"/sys/block/nvme0n1/queue/scheduler is \"none mq-deadline [bfq]\" and the disk is "
		"NVMe");
}

TEST(none_on_a_rotating_disk_is_told) {
	fires(&rule_disk_scheduler,
		TREE({"/sys/block/sda/queue/scheduler", "[none] mq-deadline\n"},
			{"/sys/block/sda/queue/rotational", "1\n"}),
		"/sys/block/sda/queue/scheduler is \"[none] mq-deadline\" and the disk is "
		"rotating");
}

TEST(what_fits_is_silent) {
	is_silent(&rule_disk_scheduler,
		TREE({"/sys/block/nvme0n1/queue/scheduler", "[none] mq-deadline bfq\n"},
			{"/sys/block/nvme0n1/queue/rotational", "0\n"},
			{"/sys/block/sda/queue/scheduler", "none [mq-deadline]\n"},
			{"/sys/block/sda/queue/rotational", "1\n"},
			{"/sys/block/sdb/queue/scheduler", "[none] mq-deadline\n"},
			{"/sys/block/sdb/queue/rotational", "0\n"}));
}

TEST(a_scheduler_that_is_not_offered_is_not_asked_for) {
	is_silent(&rule_disk_scheduler,
		TREE({"/sys/block/sda/queue/scheduler", "[none]\n"},
			{"/sys/block/sda/queue/rotational", "1\n"}));
}

TEST(virtual_disks_are_left_alone) {
	is_silent(&rule_disk_scheduler,
		TREE({"/proc/cpuinfo",
			     "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu "
			     "hypervisor\n"},
			{"/sys/block/sda/queue/scheduler", "[none] mq-deadline\n"},
			{"/sys/block/sda/queue/rotational", "1\n"}));
}

int main(void) {
	return TESTS(RUN(bfq_on_nvme_is_told), RUN(none_on_a_rotating_disk_is_told),
		RUN(what_fits_is_silent), RUN(a_scheduler_that_is_not_offered_is_not_asked_for),
		RUN(virtual_disks_are_left_alone));
}
