// SPDX-License-Identifier: Apache-2.0
// Mount tables, space and thresholds: tables of text and verdict.
#include "sources/host_filesystem.h"
#include "tests/check.h"

struct seen {
	size_t n;
	char points[8][64];
	char device[64];
	bool is_readonly[8];
	uint64_t number;
};

static void on_mount(void *arg, const struct mount_line *line) {
	struct seen *seen = arg;
	snprintf(seen->points[seen->n], 64, "%" STR_FMT, STR_ARG(line->point));
	snprintf(seen->device, 64, "%" STR_FMT, STR_ARG(line->device));
	seen->is_readonly[seen->n] = line->is_readonly;
	seen->number = line->number;
	seen->n++;
}

TEST(mountinfo_is_decoded) {
	struct seen seen = {0};
	mountinfo_parse(
		STR("36 35 98:1 /a /mnt\\040two rw,noatime master:1 - ext3 /dev/a\\134b rw\n"
		    "37 35 0:5 / /ro ro shared:1 master:2 - tmpfs  rw,size=4k\n"
		    "38 35 0:6 / /super rw - btrfs /dev/x ro\n"
		    "39 35 0:6 / /no-dash rw btrfs /dev/x ro\n"
		    "40 35 6 / /no-colon rw - btrfs /dev/x ro\n"
		    "41 35 0:6 / relative rw - btrfs /dev/x ro\n\nnonsense"),
		on_mount, &seen);
	CHECK_INT(seen.n, 3);
	CHECK_TEXT(seen.points[0], "/mnt two");
	CHECK(!seen.is_readonly[0] && seen.is_readonly[1] && seen.is_readonly[2]);
	CHECK_INT(seen.number, 6);
}

TEST(used_percent_counts_as_df_does) {
	struct space space = {.size_bytes = 1000, .free_bytes = 300, .avail_bytes = 200};
	CHECK_DOUBLE(space_used_percent(&space), 100.0 * 700 / 900);
	space = (struct space){0};
	CHECK_DOUBLE(space_used_percent(&space), -1);
	space = (struct space){.size_bytes = 1, .free_bytes = 2, .avail_bytes = 2};
	CHECK_DOUBLE(space_used_percent(&space), -1);
}

TEST(space_is_six_numbers) {
	struct space space;
	CHECK(space_parse(STR("4096 10 5 4 100 50"), &space));
	CHECK_INT(space.size_bytes, 40960);
	CHECK_INT(space.avail_bytes, 16384);
	CHECK_INT(space.files_free, 50);
	CHECK(!space_parse(STR("4096 10 5 4 100"), &space));
	CHECK(!space_parse(STR("4096 10 5 4 100 50 1"), &space));
	CHECK(!space_parse(STR("4096 10 5 4 100 -1"), &space));
	CHECK(space_parse(STR("4096 18446744073709551615 5 4 100 50"), &space));
	CHECK(space.size_bytes == UINT64_MAX);
}

TEST(a_threshold_is_crossed_once_with_hysteresis) {
	static const struct {
		bool is_above;
		double value;
		enum crossing expected;
	} rows[] = {{false, 89.9, CROSSING_NONE}, {false, 90, CROSSING_UP},
		{true, 95, CROSSING_NONE}, {true, 85, CROSSING_NONE}, {true, 84.9, CROSSING_DOWN},
		{false, 85, CROSSING_NONE}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_INT(
			threshold_judge(rows[i].is_above, rows[i].value, 90, 5), rows[i].expected);
	}
}

int main(void) {
	return TESTS(RUN(mountinfo_is_decoded), RUN(used_percent_counts_as_df_does),
		RUN(space_is_six_numbers), RUN(a_threshold_is_crossed_once_with_hysteresis));
}
