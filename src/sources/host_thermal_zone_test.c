// SPDX-License-Identifier: Apache-2.0
// Thermal zones and cooling devices on a recorded machine.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_thermal_zone;

TEST(zones_are_celsius_and_devices_have_states) {
	struct machine machine;
	machine_init(&machine, &host_collector_thermal_zone);
	machine_write(&machine, "/sys/class/thermal/thermal_zone0/type", "acpitz\n");
	machine_write(&machine, "/sys/class/thermal/thermal_zone0/temp", "-27800\n");
	machine_write(&machine, "/sys/class/thermal/thermal_zone1/type", "silent\n");
	machine_write(&machine, "/sys/class/thermal/thermal_zone1/temp", "\n");
	machine_write(&machine, "/sys/class/thermal/cooling_device3/type", "Fan\n");
	machine_read(&machine, "/sys/class/thermal/cooling_device3/max_state", "10\n");
	CHECK(machine_shows(&machine, "node_thermal_zone_temp{type=\"acpitz\",zone=\"0\"} -27.8"));
	CHECK(machine_shows(&machine, "node_cooling_device_max_state{name=\"3\",type=\"Fan\"} 10"));
	CHECK(str_find(buf_str(&machine.metrics), STR("silent")) < 0);
	CHECK(str_find(buf_str(&machine.metrics), STR("cur_state")) < 0);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(zones_are_celsius_and_devices_have_states));
}
