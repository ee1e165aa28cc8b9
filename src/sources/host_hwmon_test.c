// SPDX-License-Identifier: Apache-2.0
// Sensors on a recorded machine.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_hwmon;

#define CHIP "/sys/class/hwmon/hwmon0/"

TEST(a_temperature_is_measured_against_its_critical_mark) {
	struct machine machine;
	machine_init(&machine, &host_collector_hwmon);
	machine_write(&machine, CHIP "name", "coretemp\n");
	machine_write(&machine, CHIP "temp1_input", "50000\n");
	machine_write(&machine, CHIP "temp1_crit", "100000\n");
	machine_write(&machine, CHIP "temp1_label", "Core 0\n");
	machine_write(&machine, CHIP "temp2_input", "20000\n");
	machine_read(&machine, CHIP "temp2_crit", "0\n");
	CHECK_DOUBLE(machine_figure(&machine, "temperature.celsius", "coretemp Core 0"), 50);
	CHECK_DOUBLE(
		machine_figure(&machine, "temperature.of_critical_percent", "coretemp Core 0"), 50);
	CHECK_DOUBLE(machine_figure(&machine, "temperature.celsius", "coretemp temp2"), 20);
	CHECK(isnan(machine_figure(&machine, "temperature.of_critical_percent", "coretemp temp2")));
	machine_finish(&machine);
}

TEST(a_chip_is_named_by_what_it_hangs_at) {
	struct machine machine;
	machine_init(&machine, &host_collector_hwmon);
	machine_write(&machine, "/sys/devices/platform/Core-Temp.0/hwmon/hwmon0/name", "X\n");
	machine_link(&machine, "/sys/devices/platform/Core-Temp.0/hwmon/hwmon0/device",
		"../../../Core-Temp.0");
	machine_link(&machine, "/sys/class/hwmon/hwmon0",
		"../../devices/platform/Core-Temp.0/hwmon/hwmon0");
	machine_gather(&machine, 1);
	CHECK(machine_shows(&machine,
		"node_hwmon_chip_names{chip=\"platform_core_temp_0\",chip_name=\"x\"} 1"));
	machine_finish(&machine);
}

TEST(two_chips_of_one_name_stay_apart) {
	struct machine machine;
	machine_init(&machine, &host_collector_hwmon);
	machine_write(&machine, "/sys/class/hwmon/hwmon1/name", "chip\n");
	machine_write(&machine, "/sys/class/hwmon/hwmon1/temp1_input", "1000\n");
	machine_write(&machine, "/sys/class/hwmon/hwmon2/name", "chip\n");
	machine_read(&machine, "/sys/class/hwmon/hwmon2/temp1_input", "2000\n");
	CHECK(machine_shows(&machine, "node_hwmon_temp_celsius{chip=\"chip\",sensor=\"temp1\"} 1"));
	CHECK(machine_shows(
		&machine, "node_hwmon_temp_celsius{chip=\"chip_hwmon2\",sensor=\"temp1\"} 2"));
	machine_finish(&machine);
}

TEST(an_old_driver_keeps_its_attributes_with_the_device) {
	struct machine machine;
	machine_init(&machine, &host_collector_hwmon);
	machine_write(&machine, CHIP "device/name", "old\n");
	machine_read(&machine, CHIP "device/temp1_input", "7000\n");
	CHECK(machine_shows(
		&machine, "node_hwmon_temp_celsius{chip=\"hwmon0_device\",sensor=\"temp1\"} 7"));
	machine_finish(&machine);
}

TEST(units_are_those_of_the_kernels_interface) {
	static const struct {
		const char *file, *text, *line;
	} rows[] = {
		{"in0_input", "896", "node_hwmon_in_volts{chip=\"c\",sensor=\"in0\"} 0.896"},
		{"curr1_max", "9000", "node_hwmon_curr_max_amps{chip=\"c\",sensor=\"curr1\"} 9"},
		{"power1_average", "44000000",
			"node_hwmon_power_average_watt{chip=\"c\",sensor=\"power1\"} 44"},
		{"energy1_input", "1500000",
			"node_hwmon_energy_joule_total{chip=\"c\",sensor=\"energy1\"} 1.5"},
		{"humidity1_input", "45500",
			"node_hwmon_humidity{chip=\"c\",sensor=\"humidity1\"} 0.455"},
		{"fan1_input", "1200", "node_hwmon_fan_rpm{chip=\"c\",sensor=\"fan1\"} 1200"},
		{"fan1_pulses", "2", "node_hwmon_fan_pulses{chip=\"c\",sensor=\"fan1\"} 2"},
		{"fan1_alarm", "1", "node_hwmon_fan_alarm{chip=\"c\",sensor=\"fan1\"} 1"},
		{"pwm1", "128", "node_hwmon_pwm{chip=\"c\",sensor=\"pwm1\"} 128"},
		{"update_interval", "1000",
			"node_hwmon_update_interval_seconds{chip=\"c\",sensor=\"update_interval0\"}"
			" 1"},
	};
	struct machine machine;
	machine_init(&machine, &host_collector_hwmon);
	machine_write(&machine, CHIP "name", "c\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(freep) char *path = xasprintf(CHIP "%s", rows[i].file);
		machine_write(&machine, path, rows[i].text);
	}
	machine_gather(&machine, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(machine_shows(&machine, rows[i].line));
	}
	machine_finish(&machine);
}

TEST(a_sensor_without_a_number_is_absent_and_comes_back) {
	struct machine machine;
	machine_init(&machine, &host_collector_hwmon);
	machine_write(&machine, CHIP "name", "c\n");
	machine_read(&machine, CHIP "temp1_input", "\n");
	CHECK(str_find(buf_str(&machine.metrics), STR("celsius")) < 0);
	CHECK(isnan(machine_figure(&machine, "temperature.celsius", "c temp1")));
	machine_read(&machine, CHIP "temp1_input", "1000\n");
	CHECK_DOUBLE(machine_figure(&machine, "temperature.celsius", "c temp1"), 1);
	machine_remove(&machine, "/sys/class/hwmon/hwmon0");
	machine_gather(&machine, 1);
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	CHECK(isnan(machine_figure(&machine, "temperature.celsius", "c temp1")));
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(a_temperature_is_measured_against_its_critical_mark),
		RUN(a_chip_is_named_by_what_it_hangs_at), RUN(two_chips_of_one_name_stay_apart),
		RUN(an_old_driver_keeps_its_attributes_with_the_device),
		RUN(units_are_those_of_the_kernels_interface),
		RUN(a_sensor_without_a_number_is_absent_and_comes_back));
}
