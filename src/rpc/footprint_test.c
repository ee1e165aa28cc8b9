// SPDX-License-Identifier: Apache-2.0
#include "rpc/footprint.h"

#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

static void put(struct sim_fs *sim, const char *path, const char *text) {
	sim_fs_put(sim, path, text, strlen(text));
}

TEST(the_files_of_proc_are_read_with_their_units) {
	struct sim_fs *sim = sim_fs_create(1);
	struct footprint footprint;
	put(sim, "/r/proc/self/status",
		"Name:\tannad\nVmPeak:\t 9 kB\nVmSize:\t    8192 kB\nVmHWM:\t    2048 kB\n"
		"VmRSS:\t    1024 kB\nThreads:\t5\n");

	footprint_read(sim_fs(sim), "/r", true, &footprint);

	CHECK_INT(footprint.rss_bytes, 1024 * 1024);
	CHECK_INT(footprint.peak_bytes, 2048 * 1024);
	CHECK_INT(footprint.virtual_bytes, 8192 * 1024);
	CHECK_INT(footprint.threads, 5);
	CHECK(footprint.cpu_user_us >= 0);
	sim_fs_destroy(sim);
}

TEST(the_tightest_limit_of_the_groups_above_counts) {
	struct sim_fs *sim = sim_fs_create(1);
	struct footprint footprint;
	put(sim, "/r/proc/self/cgroup", "0::/system.slice/annad.service/main\n");
	put(sim, "/r/sys/fs/cgroup/system.slice/annad.service/main/memory.max", "max\n");
	put(sim, "/r/sys/fs/cgroup/system.slice/annad.service/memory.max", "83886080\n");
	put(sim, "/r/sys/fs/cgroup/system.slice/memory.max", "1073741824\n");

	footprint_read(sim_fs(sim), "/r", true, &footprint);

	CHECK_INT(footprint.limit_bytes, 83886080);
	sim_fs_destroy(sim);
}

TEST(groups_of_version_1_are_understood_and_their_no_limit_is_none) {
	struct sim_fs *sim = sim_fs_create(1);
	struct footprint footprint;
	put(sim, "/r/proc/self/cgroup", "5:memory:/a\n1:name=systemd:/a\n");
	put(sim, "/r/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
	footprint_read(sim_fs(sim), "/r", true, &footprint);
	CHECK_INT(footprint.limit_bytes, -1);

	put(sim, "/r/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4096\n");
	footprint_read(sim_fs(sim), "/r", true, &footprint);
	CHECK_INT(footprint.limit_bytes, 4096);
	sim_fs_destroy(sim);
}

TEST(what_is_missing_or_nonsense_is_unknown) {
	struct sim_fs *sim = sim_fs_create(1);
	struct footprint footprint;
	put(sim, "/r/proc/self/status",
		"VmRSS:\nVmHWM: x kB\nVmSize: 99999999999999999999 kB\nThreads: "
		"9223372036854775807\n");
	put(sim, "/r/proc/self/cgroup", "0\n0:\n0::\n::::\n");

	footprint_read(sim_fs(sim), "/r", true, &footprint);

	CHECK_INT(footprint.rss_bytes, -1);
	CHECK_INT(footprint.peak_bytes, -1);
	CHECK_INT(footprint.virtual_bytes, -1);
	CHECK_INT(footprint.limit_bytes, -1);
	sim_fs_destroy(sim);
}

TEST(what_can_be_dropped_at_once_is_not_counted_against_our_own_groups_limit) {
	struct sim_fs *sim = sim_fs_create(1);
	struct footprint footprint;
	put(sim, "/r/proc/self/cgroup", "0::/system.slice/annad.service/annad\n");
	put(sim, "/r/sys/fs/cgroup/system.slice/annad.service/memory.max", "83886080\n");
	put(sim, "/r/sys/fs/cgroup/system.slice/annad.service/memory.high", "70000000\n");
	put(sim, "/r/sys/fs/cgroup/system.slice/annad.service/memory.current", "50000000\n");
	put(sim, "/r/sys/fs/cgroup/system.slice/annad.service/memory.stat",
		"anon 1\ninactive_file 20000000\nactive_file 7\n");

	footprint_read(sim_fs(sim), "/r", false, &footprint);

	CHECK_INT(footprint.limit_bytes, 70000000); // from there on the kernel slows us down
	CHECK_TEXT(footprint.limit_of, "memory.high of /system.slice/annad.service");
	CHECK_INT(footprint.counted_bytes, 30000000);
	sim_fs_destroy(sim);
}

TEST(a_limit_shared_with_other_groups_says_nothing_of_our_own_use) {
	struct sim_fs *sim = sim_fs_create(1);
	struct footprint footprint;
	put(sim, "/r/proc/self/cgroup", "0::/a/b/c/d\n");
	put(sim, "/r/sys/fs/cgroup/a/memory.max", "4096\n");
	put(sim, "/r/sys/fs/cgroup/a/memory.current", "4000\n");

	footprint_read(sim_fs(sim), "/r", false, &footprint);

	CHECK_INT(footprint.limit_bytes, 4096);
	CHECK_INT(footprint.counted_bytes, -1);
	sim_fs_destroy(sim);
}

TEST(in_a_container_the_limit_stands_at_the_root_of_what_is_mounted) {
	struct sim_fs *sim = sim_fs_create(1);
	struct footprint footprint;
	put(sim, "/r/proc/self/cgroup", "4:cpu,memory:/docker/0123\n0::/\n");
	put(sim, "/r/sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n");
	put(sim, "/r/sys/fs/cgroup/memory/memory.usage_in_bytes", "900\n");
	put(sim, "/r/sys/fs/cgroup/memory.max", "2000\n");

	footprint_read(sim_fs(sim), "/r", false, &footprint);

	CHECK_INT(footprint.limit_bytes, 1000);
	CHECK_TEXT(footprint.limit_of, "memory.limit_in_bytes of /");
	sim_fs_destroy(sim);
}

TEST(swap_is_read_and_the_proportional_share_only_when_asked_for) {
	struct sim_fs *sim = sim_fs_create(1);
	struct footprint footprint;
	put(sim, "/r/proc/self/status", "VmSwap:\t       4 kB\n");
	put(sim, "/r/proc/self/smaps_rollup",
		"55f8-7ffd ---p 00000000 00:00 0    [rollup]\nRss:   9 kB\nPss:   7 kB\n");

	footprint_read(sim_fs(sim), "/r", false, &footprint);
	CHECK_INT(footprint.swap_bytes, 4096);
	CHECK_INT(footprint.pss_bytes, -1);

	footprint_read(sim_fs(sim), "/r", true, &footprint);
	CHECK_INT(footprint.pss_bytes, 7168);
	sim_fs_destroy(sim);
}

int main(void) {
	return TESTS(RUN(the_files_of_proc_are_read_with_their_units),
		RUN(the_tightest_limit_of_the_groups_above_counts),
		RUN(groups_of_version_1_are_understood_and_their_no_limit_is_none),
		RUN(what_can_be_dropped_at_once_is_not_counted_against_our_own_groups_limit),
		RUN(a_limit_shared_with_other_groups_says_nothing_of_our_own_use),
		RUN(in_a_container_the_limit_stands_at_the_root_of_what_is_mounted),
		RUN(swap_is_read_and_the_proportional_share_only_when_asked_for),
		RUN(what_is_missing_or_nonsense_is_unknown));
}
