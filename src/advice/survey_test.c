// SPDX-License-Identifier: Apache-2.0
// The questions that several rules ask.
#include "advice/advice_fixture.h"

#include "advice/survey_facts.h"

static void open_bench(struct bench *bench, const struct tree_file *files) {
	bench_init(bench, files);
	bench->survey.facts = ARENA_NEW(bench->arena, struct survey_facts);
}

TEST(an_option_is_a_whole_word_with_or_without_a_value) {
	struct str options = STR("rw,nodiscard,errors=continue,ssd"), value = {NULL, 0};
	CHECK(survey_has_option(options, "rw", NULL));
	CHECK(!survey_has_option(options, "discard", NULL));
	CHECK(survey_has_option(options, "errors", &value));
	CHECK_STR(value, "continue");
	CHECK(!survey_has_option(STR(""), "rw", NULL));
}

TEST(versions_are_compared_as_people_count) {
	CHECK(survey_compare_versions("6.1.0-9-amd64", "6.1.0-40-amd64") < 0);
	CHECK(survey_compare_versions("6.10.1", "6.9.12") > 0);
	CHECK_INT(survey_compare_versions("6.1", "6.1"), 0);
}

TEST(mounts_are_read_with_their_escapes_and_both_options) {
	struct bench bench;
	const struct survey_mount *mounts;
	open_bench(&bench,
		TREE({"/proc/self/mountinfo",
			"36 1 8:2 / /with\\040blank rw,noatime shared:1 master:2 - ext4 /dev/sda2 "
			"rw,errors=continue\nbroken line\n37 1 8:3 / /b rw - xfs\n"}));
	CHECK_INT(survey_mounts(&bench.survey, &mounts), 1);
	CHECK_STR(mounts[0].point, "/with blank");
	CHECK_STR(mounts[0].options, "rw,noatime,rw,errors=continue");
	CHECK(survey_mount_at(&bench.survey, "/with blank") == &mounts[0]);
	CHECK(survey_mount_at(&bench.survey, "/") == NULL);
	bench_finish(&bench);
}

TEST(the_mounts_of_the_first_process_win) {
	struct bench bench;
	open_bench(&bench,
		TREE({"/proc/1/mountinfo", "36 1 8:2 / / rw - ext4 /dev/sda2 rw\n"},
			{"/proc/self/mountinfo",
				"36 1 8:2 / / ro - ext4 /dev/sda2 rw\n37 36 8:2 /t /tmp rw - ext4 "
				"/dev/sda2 rw\n"}));
	CHECK(survey_mount_at(&bench.survey, "/") != NULL);
	CHECK(survey_mount_at(&bench.survey, "/tmp") == NULL);
	bench_finish(&bench);
}

TEST(a_disk_is_found_below_partitions_and_maps) {
	struct bench bench;
	struct str disk;
	open_bench(&bench,
		TREE({"/sys/block/sda/sda1/partition", "1"}, {"/sys/block/dm-1/dm/name", "home"},
			{"/sys/block/dm-1/slaves/dm-0/x", ""}, {"/sys/block/dm-0/dm/name", "crypt"},
			{"/sys/block/dm-0/slaves/sda1/x", ""}, {"/sys/block/md0/slaves/sda1/x", ""},
			{"/sys/block/md0/slaves/sdb1/x", ""}));
	CHECK(survey_disk_of(&bench.survey, STR("/dev/sda1"), &disk));
	CHECK_STR(disk, "sda");
	CHECK(survey_disk_of(&bench.survey, STR("/dev/mapper/home"), &disk));
	CHECK_STR(disk, "sda");
	CHECK(!survey_disk_of(&bench.survey, STR("/dev/md0"), &disk)); // on two disks
	CHECK(!survey_disk_of(&bench.survey, STR("/dev/mapper/none"), &disk));
	CHECK(!survey_disk_of(&bench.survey, STR("server:/export"), &disk));
	bench_finish(&bench);
}

TEST(a_package_is_known_by_its_whole_name) {
	static const char *const bash[] = {"bash", NULL};
	static const char *const bas[] = {"bas", "ash", NULL};
	struct bench bench;
	open_bench(&bench,
		TREE({"/var/lib/dpkg/status",
			"Package: libbash\nStatus: install ok installed\n\nPackage: bash\nStatus: "
			"install ok installed\n"}));
	CHECK_INT(survey_has_package(&bench.survey, bash), KNOWN_YES);
	CHECK_INT(survey_has_package(&bench.survey, bas), KNOWN_NO);
	bench_finish(&bench);
	open_bench(&bench, NULL);
	CHECK_INT(survey_has_package(&bench.survey, bash), NOT_KNOWN);
	bench_finish(&bench);
}

TEST(a_path_is_one_word_for_a_shell) {
	struct bench bench;
	open_bench(&bench, NULL);
	CHECK_TEXT(survey_quote(&bench.survey, STR("/var/log")), "/var/log");
	CHECK_TEXT(survey_quote(&bench.survey, STR("/a b;$(x)")), "'/a b;$(x)'");
	CHECK_TEXT(survey_quote(&bench.survey, STR("/it's")), "'/it'\\''s'");
	CHECK_TEXT(survey_quote(&bench.survey, STR("-rf")), "'-rf'");
	bench_finish(&bench);
}

TEST(space_that_a_record_tells_wrongly_is_not_known) {
	struct bench bench;
	struct survey_space space;
	open_bench(&bench,
		TREE({"/proc/self/mountinfo", "36 1 8:2 / / rw - ext4 /dev/sda2 rw\n"},
			{"/statfs", "/ 4096 100 200 1 1 1\n"}));
	CHECK(!survey_space(&bench.survey, survey_mount_at(&bench.survey, "/"), &space));
	bench_finish(&bench);
}

int main(void) {
	return TESTS(RUN(an_option_is_a_whole_word_with_or_without_a_value),
		RUN(versions_are_compared_as_people_count),
		RUN(mounts_are_read_with_their_escapes_and_both_options),
		RUN(the_mounts_of_the_first_process_win),
		RUN(a_disk_is_found_below_partitions_and_maps),
		RUN(a_package_is_known_by_its_whole_name), RUN(a_path_is_one_word_for_a_shell),
		RUN(space_that_a_record_tells_wrongly_is_not_known));
}
