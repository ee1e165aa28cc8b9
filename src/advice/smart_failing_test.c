// SPDX-License-Identifier: Apache-2.0
// What smartd wrote down.
#include <errno.h>

#include "advice/advice_fixture.h"

extern DEFINE_RULE(smart_failing);

TEST(reallocated_sectors_are_a_warning) {
	fires(&rule_smart_failing,
		TREE({"/var/lib/smartmontools/smartd.WDC_WD10-ABC.ata.state",
			"# smartd state file\ntemperature-min = 20\nata-smart-attribute.0.id = "
			"1\nata-smart-attribute.0.raw = 4711\nata-smart-attribute.3.id = "
			"5\nata-smart-attribute.3.val = 100\nata-smart-attribute.3.raw = "
			"8\nata-smart-attribute.9.id = 197\nata-smart-attribute.9.raw = "
			"0\nata-smart-attribute.10.id = 198\nata-smart-attribute.10.raw = 0\n"}),
		"smartd.WDC_WD10-ABC.ata.state: 8 reallocated sectors");
}

TEST(pending_sectors_are_an_error) {
	fires(&rule_smart_failing,
		TREE({"/var/lib/smartmontools/smartd.WDC_WD10-ABC.ata.state",
			"# smartd state file\ntemperature-min = 20\nata-smart-attribute.0.id = "
			"1\nata-smart-attribute.0.raw = 4711\nata-smart-attribute.3.id = "
			"5\nata-smart-attribute.3.val = 100\nata-smart-attribute.3.raw = "
			"0\nata-smart-attribute.9.id = 197\nata-smart-attribute.9.raw = "
			"3\nata-smart-attribute.10.id = 198\nata-smart-attribute.10.raw = 1\n"}),
		"error: smartd.WDC_WD10-ABC.ata.state: 3 sectors that cannot be read\nerror: "
		"smartd.WDC_WD10-ABC.ata.state: 1 sectors that could not be mended");
}

TEST(a_sound_disk_is_silent) {
	is_silent(&rule_smart_failing,
		TREE({"/var/lib/smartmontools/smartd.WDC_WD10-ABC.ata.state",
			"# smartd state file\ntemperature-min = 20\nata-smart-attribute.0.id = "
			"1\nata-smart-attribute.0.raw = 4711\nata-smart-attribute.3.id = "
			"5\nata-smart-attribute.3.val = 100\nata-smart-attribute.3.raw = "
			"0\nata-smart-attribute.9.id = 197\nata-smart-attribute.9.raw = "
			"0\nata-smart-attribute.10.id = 198\nata-smart-attribute.10.raw = 0\n"}));
}

TEST(without_smartd_nothing_is_said) {
	is_silent(&rule_smart_failing, NULL);
}

TEST(other_files_of_smartd_are_not_read) {
	is_silent(&rule_smart_failing,
		TREE({"/var/lib/smartmontools/attrlog.X.ata.csv",
			"# smartd state file\ntemperature-min = 20\nata-smart-attribute.0.id = "
			"1\nata-smart-attribute.0.raw = 4711\nata-smart-attribute.3.id = "
			"5\nata-smart-attribute.3.val = 100\nata-smart-attribute.3.raw = "
			"9\nata-smart-attribute.9.id = 197\nata-smart-attribute.9.raw = "
			"9\nata-smart-attribute.10.id = 198\nata-smart-attribute.10.raw = 9\n"}));
}

static int refuse_list(
	struct fs *fs, const char *path, void (*on_name)(void *arg, const char *name), void *arg) {
	(void)fs, (void)path, (void)on_name, (void)arg;
	return -EACCES;
}

TEST(a_folder_that_may_not_be_read_is_not_known) {
	struct bench bench;
	struct fs refusing = *fs_system();
	refusing.list = refuse_list;
	bench_init(&bench, TREE({"/x", ""}));
	bench.survey.root.fs = &refusing;
	advice_run(&bench.survey, &rule_smart_failing);
	CHECK_INT(bench.survey.n, 0);
	CHECK_INT(bench.survey.unjudged_count, 1);
	bench_finish(&bench);
}

int main(void) {
	return TESTS(RUN(a_folder_that_may_not_be_read_is_not_known),
		RUN(reallocated_sectors_are_a_warning), RUN(pending_sectors_are_an_error),
		RUN(a_sound_disk_is_silent), RUN(without_smartd_nothing_is_said),
		RUN(other_files_of_smartd_are_not_read));
}
