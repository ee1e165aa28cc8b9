// SPDX-License-Identifier: Apache-2.0
// /proc/loadavg and the CPUs that are online, on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_loadavg;

TEST(load_is_three_averages_and_a_share_of_each_cpu) {
	struct machine machine;
	machine_init(&machine, &host_collector_loadavg);
	machine_write(&machine, "/sys/devices/system/cpu/online", "0-2,5\n");
	machine_read(&machine, "/proc/loadavg", "1.50 0.75 0.25 2/345 6789\n");
	CHECK(machine_shows(&machine, "node_load1 1.5"));
	CHECK(machine_shows(&machine, "node_load5 0.75"));
	CHECK(machine_shows(&machine, "node_load15 0.25"));
	CHECK_DOUBLE(machine_figure(&machine, "load.per_cpu", ""), 1.5 / 4);
	machine_finish(&machine);
}

TEST(what_is_no_load_is_absent) {
	const char *const texts[] = {"", "1.5 0.5", "1 2 x", "-1 2 3", "nan 1 2"};
	struct machine machine;
	machine_init(&machine, &host_collector_loadavg);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		machine_read(&machine, "/proc/loadavg", texts[i]);
		CHECK_TEXT(buf_text(&machine.metrics), "\n");
		CHECK(isnan(machine_figure(&machine, "load.per_cpu", "")));
	}
	machine_finish(&machine);
}

TEST(without_the_number_of_cpus_there_is_no_share) {
	const char *const texts[] = {"", "x", "3-1", "0-99999999999", "0,,1"};
	struct machine machine;
	machine_init(&machine, &host_collector_loadavg);
	machine_read(&machine, "/proc/loadavg", "1 1 1 1/2 3\n");
	CHECK(isnan(machine_figure(&machine, "load.per_cpu", "")));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		machine_read(&machine, "/sys/devices/system/cpu/online", texts[i]);
		CHECK(isnan(machine_figure(&machine, "load.per_cpu", "")));
		CHECK(machine_shows(&machine, "node_load1 1"));
	}
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(load_is_three_averages_and_a_share_of_each_cpu),
		RUN(what_is_no_load_is_absent), RUN(without_the_number_of_cpus_there_is_no_share));
}
