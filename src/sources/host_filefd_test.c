// SPDX-License-Identifier: Apache-2.0
// /proc/sys/fs/file-nr on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_filefd;

TEST(open_files_are_a_share_of_their_limit) {
	struct machine machine;
	machine_init(&machine, &host_collector_filefd);
	machine_read(&machine, "/proc/sys/fs/file-nr", "4096\t0\t16384\n");
	CHECK(machine_shows(&machine, "node_filefd_allocated 4096"));
	CHECK(machine_shows(&machine, "node_filefd_maximum 16384"));
	CHECK_DOUBLE(machine_figure(&machine, "files.used_percent", ""), 25);
	machine_read(&machine, "/proc/sys/fs/file-nr", "4096 0\n");
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	CHECK(isnan(machine_figure(&machine, "files.used_percent", "")));
	machine_read(&machine, "/proc/sys/fs/file-nr", "4096 0 0\n");
	CHECK(isnan(machine_figure(&machine, "files.used_percent", "")));
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(open_files_are_a_share_of_their_limit));
}
