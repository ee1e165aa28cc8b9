// SPDX-License-Identifier: Apache-2.0
// States of packages in dpkg's database.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(packages_half);

TEST(half_configured_ones_are_told) {
	fires(&rule_packages_half,
		TREE({"/var/lib/dpkg/status",
			"Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: install "
			"ok half-configured\nVersion: 1\n\nPackage: c\nStatus: install reinstreq "
			"half-installed\n"}),
		"b is half-configured\nc is half-installed");
}

TEST(installed_and_removed_ones_are_silent) {
	is_silent(&rule_packages_half,
		TREE({"/var/lib/dpkg/status",
			"Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: deinstall "
			"ok config-files\n"}));
}

TEST(many_are_told_by_the_first_and_a_count) {
	struct buf status = BUF_INIT;
	struct bench bench;
	for (int i = 0; i < 20; i++) {
		buf_appendf(&status, "Package: p%d\nStatus: install ok unpacked\n\n", i);
	}
	bench_init(&bench, TREE({"/var/lib/dpkg/status", buf_text(&status)}));
	advice_run(&bench.survey, &rule_packages_half);
	CHECK_INT(bench.survey.n, FINDINGS_OF_RULE_MAX);
	CHECK_TEXT(bench.survey.findings[FINDINGS_OF_RULE_MAX - 1].evidence,
		"p15 is unpacked; and 4 more like it");
	bench_finish(&bench);
	buf_finish(&status);
}

int main(void) {
	return TESTS(RUN(half_configured_ones_are_told), RUN(installed_and_removed_ones_are_silent),
		RUN(many_are_told_by_the_first_and_a_count));
}
