// SPDX-License-Identifier: Apache-2.0
// The file that packages leave.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(reboot_required);

TEST(it_is_told_with_the_first_package) {
	fires(&rule_reboot_required,
		TREE({"/run/reboot-required", "*** System restart required ***\n"},
			{"/run/reboot-required.pkgs", "linux-image-6.1.0-40-amd64\nlibc6\n"}),
		"/run/reboot-required is there, for linux-image-6.1.0-40-amd64 and others");
}

TEST(it_is_told_without_a_list) {
	fires(&rule_reboot_required, TREE({"/run/reboot-required", "x"}),
		"/run/reboot-required is there");
}

TEST(without_the_file_it_is_silent) {
	is_silent(&rule_reboot_required, NULL);
}

int main(void) {
	return TESTS(RUN(it_is_told_with_the_first_package), RUN(it_is_told_without_a_list),
		RUN(without_the_file_it_is_silent));
}
