// SPDX-License-Identifier: Apache-2.0
// Programs for power that are enabled together.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(power_conflict);

TEST(two_that_are_enabled_are_told) {
	fires(&rule_power_conflict,
		TREE({"/etc/systemd/system/multi-user.target.wants/tlp.service", NULL,
			     "/usr/lib/systemd/system/tlp.service"},
			{"/etc/systemd/system/graphical.target.wants/power-profiles-daemon.service",
				NULL, "/usr/lib/systemd/system/power-profiles-daemon.service"}),
		"tlp.service and power-profiles-daemon.service are both enabled");
}

TEST(one_is_silent) {
	is_silent(&rule_power_conflict,
		TREE({"/etc/systemd/system/multi-user.target.wants/tlp.service", NULL,
			     "/usr/lib/systemd/system/tlp.service"},
			{"/usr/lib/systemd/system/tuned.service", ""}));
}

int main(void) {
	return TESTS(RUN(two_that_are_enabled_are_told), RUN(one_is_silent));
}
