// SPDX-License-Identifier: Apache-2.0
// The age of apt's lists.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(apt_lists_old);

TEST(lists_of_two_months_ago_are_told) {
	fires(&rule_apt_lists_old,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease", "",
				NULL, 0, 1761955200}),
		"the newest list in /var/lib/apt/lists is 61 days old");
}

TEST(lists_of_last_week_are_silent) {
	is_silent(&rule_apt_lists_old,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease", "",
				NULL, 0, 1766707200}));
}

TEST(a_stamp_of_yesterday_is_enough) {
	is_silent(&rule_apt_lists_old,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease", "",
				NULL, 0, 1761955200},
			{"/var/lib/apt/periodic/update-success-stamp", "", NULL, 0, 1767139200}));
}

TEST(without_lists_it_is_not_known) {
	is_unsure(&rule_apt_lists_old,
		TREE({"/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n"},
			{"/var/lib/apt/lists/lock", ""}),
		"there is no list");
}

TEST(other_distributions_have_none) {
	is_silent(&rule_apt_lists_old, TREE({"/etc/os-release", "NAME=\"Arch Linux\"\nID=arch\n"}));
}

int main(void) {
	return TESTS(RUN(lists_of_two_months_ago_are_told), RUN(lists_of_last_week_are_silent),
		RUN(a_stamp_of_yesterday_is_enough), RUN(without_lists_it_is_not_known),
		RUN(other_distributions_have_none));
}
