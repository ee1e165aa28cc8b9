// SPDX-License-Identifier: Apache-2.0
// Who keeps the clock, by the names of processes.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(time_sync);

TEST(a_machine_without_a_keeper_is_told) {
	fires(&rule_time_sync, TREE({"/proc/1/comm", "systemd\n"}, {"/proc/9/comm", "sshd\n"}),
		"of systemd-timesyncd, chronyd, ntpd, openntpd, ntpsec, ptp4l, phc2sys and "
		"timemaster none runs");
}

TEST(timesyncd_is_known_by_its_short_name) {
	is_silent(&rule_time_sync,
		TREE({"/proc/1/comm", "systemd\n"}, {"/proc/9/comm", "systemd-timesyn\n"}));
}

TEST(chrony_is_enough) {
	is_silent(&rule_time_sync, TREE({"/proc/9/comm", "chronyd\n"}));
}

TEST(a_container_has_its_hosts_clock) {
	is_silent(&rule_time_sync,
		TREE({"/proc/1/comm", "sh\n"}, {"/run/systemd/container", "docker\n"}));
}

TEST(where_processes_are_hidden_it_is_not_known) {
	is_unsure(&rule_time_sync, TREE({"/proc/9/comm", "annad\n"}),
		"not every process can be seen");
}

TEST(without_processes_it_is_not_known) {
	is_unsure(&rule_time_sync, NULL, "no process can be seen");
}

int main(void) {
	return TESTS(RUN(a_machine_without_a_keeper_is_told),
		RUN(timesyncd_is_known_by_its_short_name), RUN(chrony_is_enough),
		RUN(a_container_has_its_hosts_clock),
		RUN(where_processes_are_hidden_it_is_not_known),
		RUN(without_processes_it_is_not_known));
}
