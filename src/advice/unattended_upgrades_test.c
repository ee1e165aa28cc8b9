// SPDX-License-Identifier: Apache-2.0
// The package and its switch.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(unattended_upgrades);

TEST(a_missing_package_is_told) {
	fires(&rule_unattended_upgrades,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/var/lib/dpkg/status",
				"Package: bash\nStatus: install ok installed\nVersion: 5\n\n"}),
		"the package unattended-upgrades is not installed");
}

TEST(one_that_is_switched_off_is_told) {
	fires(&rule_unattended_upgrades,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/var/lib/dpkg/status",
				"Package: bash\nStatus: install ok installed\nVersion: "
				"5\n\nPackage: unattended-upgrades\nStatus: install ok "
				"installed\nVersion: 1\n\n"},
			{"/etc/apt/apt.conf.d/20auto-upgrades",
				"APT::Periodic::Update-Package-Lists "
				"\"1\";\nAPT::Periodic::Unattended-Upgrade \"0\";\n"}),
		"unattended-upgrades is installed, and APT::Periodic::Unattended-Upgrade is not "
		"set in /etc/apt/apt.conf.d");
}

TEST(one_that_is_switched_on_is_silent) {
	is_silent(&rule_unattended_upgrades,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/var/lib/dpkg/status",
				"Package: bash\nStatus: install ok installed\nVersion: "
				"5\n\nPackage: unattended-upgrades\nStatus: install ok "
				"installed\nVersion: 1\n\n"},
			{"/etc/apt/apt.conf.d/20auto-upgrades",
				"APT::Periodic::Unattended-Upgrade \"1\";\n"}));
}

TEST(other_distributions_are_not_asked) {
	is_silent(&rule_unattended_upgrades,
		TREE({"/etc/os-release", "NAME=\"Arch Linux\"\nID=arch\n"}));
}

TEST(without_the_database_it_is_not_known) {
	is_unsure(&rule_unattended_upgrades,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"}),
		"dpkg's database cannot be read");
}

int main(void) {
	return TESTS(RUN(a_missing_package_is_told), RUN(one_that_is_switched_off_is_told),
		RUN(one_that_is_switched_on_is_silent), RUN(other_distributions_are_not_asked),
		RUN(without_the_database_it_is_not_known));
}
