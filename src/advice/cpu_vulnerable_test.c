// SPDX-License-Identifier: Apache-2.0
// Vulnerabilities as the kernel words them.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(cpu_vulnerable);

TEST(each_vulnerability_is_told_as_the_kernel_says) {
	fires(&rule_cpu_vulnerable,
		TREE({"/sys/devices/system/cpu/vulnerabilities/meltdown", "Mitigation: PTI\n"},
			{"/sys/devices/system/cpu/vulnerabilities/mds",
				"Vulnerable: Clear CPU buffers attempted, no microcode; SMT "
				"vulnerable\n"},
			{"/sys/devices/system/cpu/vulnerabilities/spectre_v2", "Vulnerable\n"},
			{"/sys/devices/system/cpu/vulnerabilities/tsx", "Not affected\n"}),
		"mds: Vulnerable: Clear CPU buffers attempted, no microcode; SMT "
		"vulnerable\nspectre_v2: Vulnerable");
}

TEST(mitigated_and_not_affected_is_well) {
	is_silent(&rule_cpu_vulnerable,
		TREE({"/sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n"},
			{"/sys/devices/system/cpu/vulnerabilities/mds",
				"Mitigation: Clear CPU buffers; SMT vulnerable\n"}));
}

TEST(a_kernel_that_says_nothing_is_not_known) {
	is_unsure(&rule_cpu_vulnerable, NULL,
		"there is nothing in /sys/devices/system/cpu/vulnerabilities");
}

int main(void) {
	return TESTS(RUN(each_vulnerability_is_told_as_the_kernel_says),
		RUN(mitigated_and_not_affected_is_well),
		RUN(a_kernel_that_says_nothing_is_not_known));
}
