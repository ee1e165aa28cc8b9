// SPDX-License-Identifier: Apache-2.0
// An SSD, its mounts and the weekly timer.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(trim);

TEST(an_ssd_without_either_is_told) {
	fires(&rule_trim,
		TREE({"/run/systemd/system/x", ""}, {"/sys/block/sda/queue/rotational", "0\n"},
			{"/sys/block/sda/queue/discard_max_bytes", "2147450880\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/proc/self/mountinfo",
				"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
				"rw,errors=remount-ro\n"}),
		"/ on sda is mounted without discard, and fstrim.timer is not enabled");
}

TEST(the_timer_is_enough) {
	is_silent(&rule_trim,
		TREE({"/run/systemd/system/x", ""}, {"/sys/block/sda/queue/rotational", "0\n"},
			{"/sys/block/sda/queue/discard_max_bytes", "2147450880\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/proc/self/mountinfo",
				"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
				"rw,errors=remount-ro\n"},
			{"/etc/systemd/system/timers.target.wants/fstrim.timer", NULL,
				"/usr/lib/systemd/system/fstrim.timer"}));
}

TEST(the_option_is_enough) {
	is_silent(&rule_trim,
		TREE({"/run/systemd/system/x", ""}, {"/sys/block/sda/queue/rotational", "0\n"},
			{"/sys/block/sda/queue/discard_max_bytes", "2147450880\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/proc/self/mountinfo",
				"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
				"rw,discard,errors=remount-ro\n"}));
}

TEST(discard_async_is_one_too) {
	is_silent(&rule_trim,
		TREE({"/run/systemd/system/x", ""}, {"/sys/block/sda/queue/rotational", "0\n"},
			{"/sys/block/sda/queue/discard_max_bytes", "2147450880\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/proc/self/mountinfo",
				"36 1 0:30 / / rw - btrfs /dev/sda2 rw,ssd,discard=async\n"}));
}

TEST(a_rotating_disk_needs_none) {
	is_silent(&rule_trim,
		TREE({"/run/systemd/system/x", ""}, {"/sys/block/sda/queue/rotational", "1\n"},
			{"/sys/block/sda/queue/discard_max_bytes", "0\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/proc/self/mountinfo",
				"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
				"rw,errors=remount-ro\n"}));
}

TEST(a_mapped_device_on_an_ssd_is_found) {
	fires(&rule_trim,
		TREE({"/run/systemd/system/x", ""}, {"/sys/block/sda/queue/rotational", "0\n"},
			{"/sys/block/sda/queue/discard_max_bytes", "2147450880\n"},
			{"/sys/block/sda/sda2/partition", "2\n"},
			{"/sys/block/dm-0/dm/name", "root\n"},
			{"/sys/block/dm-0/slaves/sda2/x", ""},
			{"/proc/self/mountinfo",
				"36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/mapper/root "
				"rw,errors=remount-ro\n"}),
		"/ on sda is mounted without discard, and fstrim.timer is not enabled");
}

int main(void) {
	return TESTS(RUN(an_ssd_without_either_is_told), RUN(the_timer_is_enough),
		RUN(the_option_is_enough), RUN(discard_async_is_one_too),
		RUN(a_rotating_disk_needs_none), RUN(a_mapped_device_on_an_ssd_is_found));
}
