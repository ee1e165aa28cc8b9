// SPDX-License-Identifier: Apache-2.0
// /proc/net/softnet_stat on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_softnet;

#define ZEROS " 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000"

TEST(a_line_is_a_cpu_named_by_column_twelve) {
	struct machine machine;
	machine_init(&machine, &host_collector_softnet);
	machine_read(&machine, "/proc/net/softnet_stat",
		"000000ff 00000001 00000002" ZEROS " 00000005\n00000010 00000000 00000000" ZEROS
		" 00000007\n");
	CHECK(machine_shows(&machine, "node_softnet_processed_total{cpu=\"5\"} 255"));
	CHECK(machine_shows(&machine, "node_softnet_dropped_total{cpu=\"5\"} 1"));
	CHECK(machine_shows(&machine, "node_softnet_times_squeezed_total{cpu=\"5\"} 2"));
	CHECK(machine_shows(&machine, "node_softnet_processed_total{cpu=\"7\"} 16"));
	machine_finish(&machine);
}

TEST(an_older_kernel_names_cpus_by_their_line) {
	struct machine machine;
	machine_init(&machine, &host_collector_softnet);
	machine_read(
		&machine, "/proc/net/softnet_stat", "1 2 3 4 5 6 7 8 9\nzz\na 0 0 0 0 0 0 0 0\n");
	CHECK(machine_shows(&machine, "node_softnet_processed_total{cpu=\"0\"} 1"));
	CHECK(machine_shows(&machine, "node_softnet_processed_total{cpu=\"2\"} 10"));
	CHECK(str_find(buf_str(&machine.metrics), STR("cpu=\"1\"")) < 0);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(a_line_is_a_cpu_named_by_column_twelve),
		RUN(an_older_kernel_names_cpus_by_their_line));
}
