// SPDX-License-Identifier: Apache-2.0
// Microcode on Debian and Arch, for both vendors, and where it is another's business.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(microcode_missing);

TEST(an_intel_cpu_on_debian_without_it_is_told) {
	fires(&rule_microcode_missing,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/proc/cpuinfo",
				"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu aes\n"},
			{"/var/lib/dpkg/status",
				"Package: bash\nStatus: install ok installed\nVersion: 5\n\n"}),
		"the CPU is GenuineIntel and no package intel-microcode is installed");
}

TEST(an_amd_cpu_on_arch_without_it_is_told) {
	fires(&rule_microcode_missing,
		TREE({"/etc/os-release", "NAME=\"Arch Linux\"\nID=arch\n"},
			{"/proc/cpuinfo",
				"processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu svm\n"},
			{"/var/lib/pacman/local/bash-5.2-1/desc", "x"},
			{"/var/lib/pacman/local/amd-ucode-tools-1-1/desc", "x"}),
		"the CPU is AuthenticAMD and no package amd-ucode is installed");
}

TEST(an_installed_package_is_enough) {
	is_silent(&rule_microcode_missing,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/proc/cpuinfo",
				"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu aes\n"},
			{"/var/lib/dpkg/status",
				"Package: bash\nStatus: install ok installed\nVersion: "
				"5\n\nPackage: intel-microcode\nStatus: install ok "
				"installed\nVersion: 1\n\n"}));
}

TEST(on_arch_it_has_another_name) {
	is_silent(&rule_microcode_missing,
		TREE({"/etc/os-release", "NAME=\"Arch Linux\"\nID=arch\n"},
			{"/proc/cpuinfo",
				"processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu svm\n"},
			{"/var/lib/pacman/local/amd-ucode-20240909.552ed9b8-1/desc", "x"}));
}

TEST(a_removed_package_is_not_installed) {
	fires(&rule_microcode_missing,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/proc/cpuinfo",
				"processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu svm\n"},
			{"/var/lib/dpkg/status",
				"Package: bash\nStatus: install ok installed\nVersion: "
				"5\n\nPackage: amd64-microcode\nStatus: deinstall ok "
				"config-files\nVersion: 1\n\n"}),
		"the CPU is AuthenticAMD and no package amd64-microcode is installed");
}

TEST(a_virtual_machine_has_none_to_load) {
	is_silent(&rule_microcode_missing,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/proc/cpuinfo",
				"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu "
				"hypervisor\n"},
			{"/var/lib/dpkg/status",
				"Package: bash\nStatus: install ok installed\nVersion: 5\n\n"}));
}

TEST(a_container_has_none_to_load) {
	is_silent(&rule_microcode_missing,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/proc/cpuinfo",
				"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu aes\n"},
			{"/var/lib/dpkg/status",
				"Package: bash\nStatus: install ok installed\nVersion: 5\n\n"},
			{"/.dockerenv", ""}));
}

TEST(without_a_database_it_is_not_known) {
	is_unsure(&rule_microcode_missing,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/proc/cpuinfo",
				"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu aes\n"}),
		"no database of installed packages");
}

int main(void) {
	return TESTS(RUN(an_intel_cpu_on_debian_without_it_is_told),
		RUN(an_amd_cpu_on_arch_without_it_is_told), RUN(an_installed_package_is_enough),
		RUN(on_arch_it_has_another_name), RUN(a_removed_package_is_not_installed),
		RUN(a_virtual_machine_has_none_to_load), RUN(a_container_has_none_to_load),
		RUN(without_a_database_it_is_not_known));
}
