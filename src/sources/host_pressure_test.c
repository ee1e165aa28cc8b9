// SPDX-License-Identifier: Apache-2.0
// /proc/pressure on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_pressure;

#define LINES \
	"some avg10=1.50 avg60=2.25 avg300=3.00 total=4000000\n" \
	"full avg10=0.25 avg60=0.00 avg300=0.00 total=500000\n"

TEST(pressure_is_seconds_waited_and_the_share_of_the_last_ten) {
	struct machine machine;
	machine_init(&machine, &host_collector_pressure);
	machine_write(&machine, "/proc/pressure/cpu", LINES);
	machine_write(&machine, "/proc/pressure/io", LINES);
	machine_read(&machine, "/proc/pressure/memory", LINES);
	CHECK(machine_shows(&machine, "node_pressure_cpu_waiting_seconds_total 4"));
	CHECK(machine_shows(&machine, "node_pressure_memory_stalled_seconds_total 0.5"));
	CHECK_DOUBLE(machine_figure(&machine, "pressure.cpu_some_percent", ""), 1.5);
	CHECK_DOUBLE(machine_figure(&machine, "pressure.memory_some_percent", ""), 1.5);
	CHECK_DOUBLE(machine_figure(&machine, "pressure.memory_full_percent", ""), 0.25);
	CHECK_DOUBLE(machine_figure(&machine, "pressure.io_some_percent", ""), 1.5);
	CHECK_DOUBLE(machine_figure(&machine, "pressure.io_full_percent", ""), 0.25);
	machine_finish(&machine);
}

TEST(a_kernel_without_psi_shows_nothing_and_is_no_complaint) {
	struct machine machine;
	machine_init(&machine, &host_collector_pressure);
	machine_gather(&machine, 1);
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	CHECK_INT(machine.turn.complaint.code, ERR_NONE);
	CHECK(isnan(machine_figure(&machine, "pressure.io_full_percent", "")));
	machine_finish(&machine);
}

TEST(what_is_no_pressure_is_absent) {
	const char *const texts[] = {"", "some", "some avg10=x total=1", "some avg10=1",
		"some avg10=-1 total=5", "other avg10=1 total=5"};
	struct machine machine;
	machine_init(&machine, &host_collector_pressure);
	machine_read(&machine, "/proc/pressure/cpu", LINES);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		machine_read(&machine, "/proc/pressure/cpu", texts[i]);
		CHECK_TEXT(buf_text(&machine.metrics), "\n");
	}
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(pressure_is_seconds_waited_and_the_share_of_the_last_ten),
		RUN(a_kernel_without_psi_shows_nothing_and_is_no_complaint),
		RUN(what_is_no_pressure_is_absent));
}
