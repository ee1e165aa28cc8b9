// SPDX-License-Identifier: Apache-2.0
// The clock's state, recorded and live.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_timex;

TEST(a_recorded_clock_in_nanoseconds_is_synchronised) {
	struct machine machine;
	machine_init(&machine, &host_collector_timex);
	machine_read(&machine, "/timex",
		"status 8193\noffset -1500000\nfreq 6553600\nmaxerror 250000\ntai 37\nunknown 1\n");
	CHECK(machine_shows(&machine, "node_timex_sync_status 1"));
	CHECK(machine_shows(&machine, "node_timex_offset_seconds -0.0015"));
	CHECK(machine_shows(&machine, "node_timex_frequency_adjustment_ratio 1.0001"));
	CHECK(machine_shows(&machine, "node_timex_maxerror_seconds 0.25"));
	CHECK(machine_shows(&machine, "node_timex_tai_offset_seconds 37"));
	CHECK_DOUBLE(machine_figure(&machine, "clock.is_synchronised", ""), 1);
	CHECK_DOUBLE(machine_figure(&machine, "clock.offset_ms", ""), 1.5); // how far, not where
	machine_finish(&machine);
}

TEST(a_clock_in_microseconds_that_is_not_synchronised) {
	struct machine machine;
	machine_init(&machine, &host_collector_timex);
	machine_read(&machine, "/timex", "offset 250\nstatus 64\n");
	CHECK_DOUBLE(machine_figure(&machine, "clock.is_synchronised", ""), 0);
	CHECK_DOUBLE(machine_figure(&machine, "clock.offset_ms", ""), 0.25);
	machine_finish(&machine);
}

TEST(below_a_sysroot_without_a_record_nothing_is_known) {
	struct machine machine;
	machine_init(&machine, &host_collector_timex);
	machine_gather(&machine, 1);
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	CHECK(isnan(machine_figure(&machine, "clock.is_synchronised", "")));
	machine_read(&machine, "/timex", "offset 1\n"); // a record without a status is none
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(a_recorded_clock_in_nanoseconds_is_synchronised),
		RUN(a_clock_in_microseconds_that_is_not_synchronised),
		RUN(below_a_sysroot_without_a_record_nothing_is_known));
}
