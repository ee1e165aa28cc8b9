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

	footprint_read(sim_fs(sim), "/r", &footprint);

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

	footprint_read(sim_fs(sim), "/r", &footprint);

	CHECK_INT(footprint.limit_bytes, 83886080);
	sim_fs_destroy(sim);
}

TEST(groups_of_version_1_are_understood_and_their_no_limit_is_none) {
	struct sim_fs *sim = sim_fs_create(1);
	struct footprint footprint;
	put(sim, "/r/proc/self/cgroup", "5:memory:/a\n1:name=systemd:/a\n");
	put(sim, "/r/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
	footprint_read(sim_fs(sim), "/r", &footprint);
	CHECK_INT(footprint.limit_bytes, -1);

	put(sim, "/r/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4096\n");
	footprint_read(sim_fs(sim), "/r", &footprint);
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

	footprint_read(sim_fs(sim), "/r", &footprint);

	CHECK_INT(footprint.rss_bytes, -1);
	CHECK_INT(footprint.peak_bytes, -1);
	CHECK_INT(footprint.virtual_bytes, -1);
	CHECK_INT(footprint.limit_bytes, -1);
	sim_fs_destroy(sim);
}

int main(void) {
	return TESTS(RUN(the_files_of_proc_are_read_with_their_units),
		RUN(the_tightest_limit_of_the_groups_above_counts),
		RUN(groups_of_version_1_are_understood_and_their_no_limit_is_none),
		RUN(what_is_missing_or_nonsense_is_unknown));
}
