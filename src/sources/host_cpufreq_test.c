// SPDX-License-Identifier: Apache-2.0
// Frequencies and throttling on a recorded machine.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_cpufreq;

#define CPU "/sys/devices/system/cpu/"

TEST(frequencies_are_hertz_and_a_core_is_counted_once) {
	struct machine machine;
	machine_init(&machine, &host_collector_cpufreq);
	for (int i = 0; i < 3; i++) {
		char path[96], text[16];
		snprintf(text, sizeof(text), "%d\n", i / 2);
		snprintf(path, sizeof(path), CPU "cpu%d/topology/core_id", i);
		machine_write(&machine, path, text);
		snprintf(path, sizeof(path), CPU "cpu%d/topology/physical_package_id", i);
		machine_write(&machine, path, "0\n");
		snprintf(path, sizeof(path), CPU "cpu%d/thermal_throttle/core_throttle_count", i);
		machine_write(&machine, path, i == 2 ? "6\n" : "5\n");
		snprintf(
			path, sizeof(path), CPU "cpu%d/thermal_throttle/package_throttle_count", i);
		machine_write(&machine, path, "9\n");
	}
	machine_write(&machine, CPU "cpufreq/policy0/scaling_cur_freq", "1\n");
	machine_write(&machine, CPU "cpu1/cpufreq/scaling_max_freq", "-5\n");
	machine_read(&machine, CPU "cpu1/cpufreq/scaling_cur_freq", "2000001\n");
	CHECK(machine_shows(&machine, "node_cpu_scaling_frequency_hertz{cpu=\"1\"} 2000001000"));
	CHECK(machine_shows(&machine, "node_cpu_core_throttles_total{core=\"0\",package=\"0\"} 5"));
	CHECK(machine_shows(&machine, "node_cpu_core_throttles_total{core=\"1\",package=\"0\"} 6"));
	CHECK(machine_shows(&machine, "node_cpu_package_throttles_total{package=\"0\"} 9"));
	CHECK(str_find(buf_str(&machine.metrics), STR("max_hertz")) < 0);
	struct str first = str_head(buf_str(&machine.metrics),
		(size_t)str_find(buf_str(&machine.metrics), STR("package_throttles")));
	CHECK(str_find(first, STR("core=\"0\"")) > 0); // and no second line of it
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(frequencies_are_hertz_and_a_core_is_counted_once));
}
