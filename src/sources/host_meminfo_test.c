// SPDX-License-Identifier: Apache-2.0
// /proc/meminfo on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_meminfo;

TEST(every_line_of_meminfo_is_a_metric) {
	struct machine machine;
	machine_init(&machine, &host_collector_meminfo);
	machine_read(&machine, "/proc/meminfo",
		"MemTotal:       3742148 kB\nActive(anon):   2068484 kB\nHugePages_Total:  5\n"
		"bad name: 1 kB\nNoNumber: x kB\nTooMuch: 18446744073709551615 kB\n: 1\n\n");
	CHECK(machine_shows(&machine, "node_memory_MemTotal_bytes 3831959552"));
	CHECK(machine_shows(&machine, "node_memory_Active_anon_bytes 2118127616"));
	CHECK(machine_shows(&machine, "node_memory_HugePages_Total 5"));
	CHECK(str_find(buf_str(&machine.metrics), STR("bad")) < 0);
	CHECK(str_find(buf_str(&machine.metrics), STR("TooMuch")) < 0);
	machine_finish(&machine);
}

TEST(memory_in_use_is_what_is_not_available) {
	struct machine machine;
	machine_init(&machine, &host_collector_meminfo);
	machine_read(&machine, "/proc/meminfo",
		"MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\nSwapTotal: 200 kB\n"
		"SwapFree: 50 kB\n");
	CHECK_DOUBLE(machine_figure(&machine, "memory.used_percent", ""), 75);
	CHECK_DOUBLE(machine_figure(&machine, "memory.available_bytes", ""), 256000);
	CHECK_DOUBLE(machine_figure(&machine, "swap.used_percent", ""), 75);
	machine_finish(&machine);
}

TEST(without_swap_or_available_memory_their_figures_are_absent) {
	struct machine machine;
	machine_init(&machine, &host_collector_meminfo);
	machine_read(&machine, "/proc/meminfo",
		"MemTotal: 1000 kB\nMemFree: 1 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
	CHECK(isnan(machine_figure(&machine, "memory.used_percent", "")));
	CHECK(isnan(machine_figure(&machine, "memory.available_bytes", "")));
	CHECK(isnan(machine_figure(&machine, "swap.used_percent", "")));
	machine_read(&machine, "/proc/meminfo", "MemTotal: 10 kB\nMemAvailable: 20 kB\n");
	CHECK(isnan(machine_figure(&machine, "memory.used_percent", ""))); // more than all
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(every_line_of_meminfo_is_a_metric),
		RUN(memory_in_use_is_what_is_not_available),
		RUN(without_swap_or_available_memory_their_figures_are_absent));
}
