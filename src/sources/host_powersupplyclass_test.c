// SPDX-License-Identifier: Apache-2.0
// Batteries on a recorded machine.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_powersupplyclass;

#define SUPPLY "/sys/class/power_supply/"

TEST(a_battery_tells_its_charge_by_capacity_energy_or_charge) {
	struct machine machine;
	machine_init(&machine, &host_collector_powersupplyclass);
	machine_write(&machine, SUPPLY "A/type", "Battery\n");
	machine_write(&machine, SUPPLY "A/capacity", "81\n");
	machine_write(&machine, SUPPLY "B/type", "Battery\n");
	machine_write(&machine, SUPPLY "B/energy_now", "10000000\n");
	machine_write(&machine, SUPPLY "B/energy_full", "40000000\n");
	machine_write(&machine, SUPPLY "C/type", "Battery\n");
	machine_write(&machine, SUPPLY "C/charge_now", "3\n");
	machine_write(&machine, SUPPLY "C/charge_full", "4\n");
	machine_write(&machine, SUPPLY "D/type", "Battery\n");
	machine_write(&machine, SUPPLY "D/charge_now", "3\n");
	machine_read(&machine, SUPPLY "D/charge_full", "0\n");
	CHECK_DOUBLE(machine_figure(&machine, "battery.percent", "A"), 81);
	CHECK_DOUBLE(machine_figure(&machine, "battery.percent", "B"), 25);
	CHECK_DOUBLE(machine_figure(&machine, "battery.percent", "C"), 75);
	CHECK(isnan(machine_figure(&machine, "battery.percent", "D")));
	CHECK(machine_shows(&machine, "node_power_supply_energy_watthour{power_supply=\"B\"} 10"));
	machine_finish(&machine);
}

TEST(a_charger_a_mouse_and_an_empty_bay_are_no_battery_of_the_machine) {
	struct machine machine;
	machine_init(&machine, &host_collector_powersupplyclass);
	machine_write(&machine, SUPPLY "AC/type", "Mains\n");
	machine_write(&machine, SUPPLY "AC/online", "1\n");
	machine_write(&machine, SUPPLY "mouse/type", "Battery\n");
	machine_write(&machine, SUPPLY "mouse/scope", "Device\n");
	machine_write(&machine, SUPPLY "mouse/capacity", "1\n");
	machine_write(&machine, SUPPLY "bay/type", "Battery\n");
	machine_write(&machine, SUPPLY "bay/present", "0\n");
	machine_read(&machine, SUPPLY "bay/capacity", "0\n");
	CHECK(isnan(machine_figure(&machine, "battery.percent", "AC")));
	CHECK(isnan(machine_figure(&machine, "battery.percent", "mouse")));
	CHECK(isnan(machine_figure(&machine, "battery.percent", "bay")));
	CHECK(machine_shows(&machine, "node_power_supply_capacity{power_supply=\"mouse\"} 1"));
	CHECK(machine_shows(
		&machine, "node_power_supply_info{power_supply=\"AC\",type=\"Mains\"} 1"));
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(a_battery_tells_its_charge_by_capacity_energy_or_charge),
		RUN(a_charger_a_mouse_and_an_empty_bay_are_no_battery_of_the_machine));
}
