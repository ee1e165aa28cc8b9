// SPDX-License-Identifier: Apache-2.0
// The kernel that runs against those installed.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(kernel_old);

TEST(a_newer_one_is_told) {
	fires(&rule_kernel_old,
		TREE({"/proc/sys/kernel/osrelease", "6.1.0-9-amd64\n"},
			{"/usr/lib/modules/6.1.0-9-amd64/x", ""},
			{"/usr/lib/modules/6.1.0-40-amd64/x", ""},
			{"/boot/vmlinuz-6.1.0-9-amd64", ""}, {"/boot/vmlinuz-6.1.0-40-amd64", ""}),
		"6.1.0-9-amd64 runs, 6.1.0-40-amd64 is installed");
}

TEST(the_newest_is_silent) {
	is_silent(&rule_kernel_old,
		TREE({"/proc/sys/kernel/osrelease", "6.1.0-40-amd64\n"},
			{"/usr/lib/modules/6.1.0-9-amd64/x", ""},
			{"/usr/lib/modules/6.1.0-40-amd64/x", ""},
			{"/boot/vmlinuz-6.1.0-9-amd64", ""}, {"/boot/vmlinuz-6.1.0-40-amd64", ""}));
}

TEST(another_flavour_is_not_newer) {
	is_silent(&rule_kernel_old,
		TREE({"/proc/sys/kernel/osrelease", "6.1.0-40-amd64\n"},
			{"/usr/lib/modules/6.1.0-40-amd64/x", ""},
			{"/usr/lib/modules/6.6.9-rt-amd64x/x", ""},
			{"/boot/vmlinuz-6.6.9-rt-amd64x", ""}));
}

TEST(left_over_modules_are_no_kernel) {
	is_silent(&rule_kernel_old,
		TREE({"/proc/sys/kernel/osrelease", "6.1.0-40-amd64\n"},
			{"/usr/lib/modules/6.1.0-40-amd64/x", ""},
			{"/usr/lib/modules/6.1.0-50-amd64/x", ""}));
}

TEST(modules_that_are_gone_are_a_warning) {
	fires(&rule_kernel_old,
		TREE({"/proc/sys/kernel/osrelease", "6.9.1-arch1-1\n"},
			{"/usr/lib/modules/6.8.0-arch1-1/vmlinuz", ""}),
		"warn: 6.9.1-arch1-1 runs, and its modules are not in /usr/lib/modules any more");
}

TEST(without_the_release_it_is_not_known) {
	is_unsure(&rule_kernel_old, NULL, "the kernel that runs: cannot open");
}

int main(void) {
	return TESTS(RUN(a_newer_one_is_told), RUN(the_newest_is_silent),
		RUN(another_flavour_is_not_newer), RUN(left_over_modules_are_no_kernel),
		RUN(modules_that_are_gone_are_a_warning), RUN(without_the_release_it_is_not_known));
}
