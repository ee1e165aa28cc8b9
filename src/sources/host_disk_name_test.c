// SPDX-License-Identifier: Apache-2.0
// Which names are disks.
#include "sources/host_fixture.h"

#include "sources/host_disk_name.h"

TEST(what_node_exporter_leaves_out_is_left_out) {
	static const struct {
		const char *name;
		bool is_counted;
	} rows[] = {{"sda", true}, {"sda1", false}, {"sda12", false}, {"sdaa", true},
		{"sdaa1", true}, {"vdb", true}, {"vdb3", false}, {"xvda1", false}, {"hdc2", false},
		{"nvme0n1", true}, {"nvme0n1p1", false}, {"nvme10n2p15", false}, {"nvme0n1p", true},
		{"loop0", false}, {"loop", true}, {"ram15", false}, {"fd0", false}, {"md0", true},
		{"dm-0", true}, {"sr0", true}, {"mmcblk0p1", true}, {"zram0", true}, {"sd1", true},
		{"sda1x", true}, {"nvme", true}, {"nvmen1p1", true}};
	struct host_config config = {.has_all_disks = false};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (is_disk_counted(&config, str_from(rows[i].name)) != rows[i].is_counted) {
			fail_msg("%s", rows[i].name);
		}
	}
}

TEST(all_disks_and_globs_have_their_way) {
	struct str globs[] = {STR("dm-*")};
	struct host_config config = {.has_all_disks = true, .ignored_disks = {globs, 1}};
	CHECK(is_disk_counted(&config, STR("loop0")));
	CHECK(is_disk_counted(&config, STR("sda1")));
	CHECK(!is_disk_counted(&config, STR("dm-0")));
}

int main(void) {
	return TESTS(RUN(what_node_exporter_leaves_out_is_left_out),
		RUN(all_disks_and_globs_have_their_way));
}
