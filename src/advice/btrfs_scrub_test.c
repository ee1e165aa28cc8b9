// SPDX-License-Identifier: Apache-2.0
// The last scrub that was written down.
#include <errno.h>

#include "advice/advice_fixture.h"

extern DEFINE_RULE(btrfs_scrub);

TEST(one_of_two_months_ago_is_told) {
	fires(&rule_btrfs_scrub,
		TREE({"/proc/self/mountinfo", "36 1 0:30 / / rw - btrfs /dev/sda2 rw,ssd\n"},
			{"/var/lib/btrfs/scrub.status.1234-abcd",
				"scrub "
				"status:1\n1234-abcd:1|data_extents_scrubbed:5|t_start:1762041600|"
				"t_resumed:0|duration:60|canceled:0|finished:1\n"}),
		"scrub.status.1234-abcd: the last scrub began 60 days ago");
}

TEST(one_of_last_week_is_silent) {
	is_silent(&rule_btrfs_scrub,
		TREE({"/proc/self/mountinfo", "36 1 0:30 / / rw - btrfs /dev/sda2 rw,ssd\n"},
			{"/var/lib/btrfs/scrub.status.1234-abcd",
				"scrub "
				"status:1\n1234-abcd:1|data_extents_scrubbed:5|t_start:1766620800|"
				"t_resumed:0|duration:60|canceled:0|finished:1\n"}));
}

TEST(the_newest_of_its_devices_counts) {
	is_silent(&rule_btrfs_scrub,
		TREE({"/proc/self/mountinfo", "36 1 0:30 / / rw - btrfs /dev/sda2 rw,ssd\n"},
			{"/var/lib/btrfs/scrub.status.1234-abcd",
				"scrub "
				"status:1\n1234-abcd:1|data_extents_scrubbed:5|t_start:1762041600|"
				"t_resumed:0|duration:60|canceled:0|finished:1\n1234-abcd:2|t_"
				"start:1767000000|finished:1\n"}));
}

TEST(when_nothing_was_written_down_nothing_is_said) {
	is_silent(&rule_btrfs_scrub,
		TREE({"/proc/self/mountinfo", "36 1 0:30 / / rw - btrfs /dev/sda2 rw,ssd\n"}));
}

TEST(without_a_btrfs_old_files_do_not_matter) {
	is_silent(&rule_btrfs_scrub,
		TREE({"/proc/self/mountinfo",
			     "36 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 "
			     "rw,errors=remount-ro\n"},
			{"/var/lib/btrfs/scrub.status.1234-abcd",
				"scrub "
				"status:1\n1234-abcd:1|data_extents_scrubbed:5|t_start:1600000000|"
				"t_resumed:0|duration:60|canceled:0|finished:1\n"}));
}

static int refuse_list(
	struct fs *fs, const char *path, void (*on_name)(void *arg, const char *name), void *arg) {
	(void)fs, (void)path, (void)on_name, (void)arg;
	return -EACCES;
}

TEST(a_folder_that_may_not_be_read_is_not_known) {
	struct bench bench;
	struct fs refusing = *fs_system();
	refusing.list = refuse_list;
	bench_init(&bench,
		TREE({"/proc/self/mountinfo", "36 1 0:30 / / rw - btrfs /dev/sda2 rw,ssd\n"}));
	bench.survey.root.fs = &refusing;
	advice_run(&bench.survey, &rule_btrfs_scrub);
	CHECK_INT(bench.survey.n, 0);
	CHECK_INT(bench.survey.unjudged_count, 1);
	bench_finish(&bench);
}

int main(void) {
	return TESTS(RUN(a_folder_that_may_not_be_read_is_not_known),
		RUN(one_of_two_months_ago_is_told), RUN(one_of_last_week_is_silent),
		RUN(the_newest_of_its_devices_counts),
		RUN(when_nothing_was_written_down_nothing_is_said),
		RUN(without_a_btrfs_old_files_do_not_matter));
}
