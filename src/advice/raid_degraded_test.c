// SPDX-License-Identifier: Apache-2.0
// The marks in /proc/mdstat.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(raid_degraded);

TEST(a_missing_disk_is_told_with_its_array) {
	fires(&rule_raid_degraded,
		TREE({"/proc/mdstat",
			"Personalities : [raid1] [raid6]\nmd0 : active raid1 sda1[0] sdb1[1]\n     "
			" 2096128 blocks super 1.2 [2/2] [UU]\n      \nmd127 : active raid5 "
			"sdc1[0] sde1[3]\n      4188160 blocks level 5, 512k chunk, algorithm 2 "
			"[3/2] [U_U]\n      bitmap: 0/1 pages [0KB], 65536KB chunk\n\nunused "
			"devices: <none>\n"}),
		"/proc/mdstat says [U_U] of md127");
}

TEST(whole_arrays_are_silent) {
	is_silent(&rule_raid_degraded,
		TREE({"/proc/mdstat",
			"Personalities : [raid1] [raid6]\nmd0 : active raid1 sda1[0] sdb1[1]\n     "
			" 2096128 blocks super 1.2 [2/2] [UU]\n      \nmd127 : active raid5 "
			"sdc1[0] sde1[3]\n      4188160 blocks level 5, 512k chunk, algorithm 2 "
			"[3/3] [UUU]\n      bitmap: 0/1 pages [0KB], 65536KB chunk\n\nunused "
			"devices: <none>\n"}));
}

TEST(without_arrays_it_is_silent) {
	is_silent(&rule_raid_degraded,
		TREE({"/proc/mdstat", "Personalities : \nunused devices: <none>\n"}));
}

int main(void) {
	return TESTS(RUN(a_missing_disk_is_told_with_its_array), RUN(whole_arrays_are_silent),
		RUN(without_arrays_it_is_silent));
}
