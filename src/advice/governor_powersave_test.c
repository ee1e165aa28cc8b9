// SPDX-License-Identifier: Apache-2.0
// Governor, driver and battery.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(governor_powersave);

TEST(powersave_on_mains_is_told) {
	fires(&rule_governor_powersave,
		TREE({"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"},
			{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "acpi-cpufreq\n"}),
		"the governor of cpu0 is powersave with the driver acpi-cpufreq, and there is no "
		"battery");
}

TEST(with_a_battery_it_is_silent) {
	is_silent(&rule_governor_powersave,
		TREE({"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"},
			{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "acpi-cpufreq\n"},
			{"/sys/class/power_supply/BAT0/type", "Battery\n"}));
}

TEST(the_battery_of_a_mouse_is_none) {
	fires(&rule_governor_powersave,
		TREE({"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"},
			{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "acpi-cpufreq\n"},
			{"/sys/class/power_supply/hid-0/type", "Battery\n"},
			{"/sys/class/power_supply/hid-0/scope", "Device\n"}),
		"the governor of cpu0 is powersave with the driver acpi-cpufreq, and there is no "
		"battery");
}

TEST(of_intel_pstate_it_follows_the_load) {
	is_silent(&rule_governor_powersave,
		TREE({"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"},
			{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "intel_pstate\n"}));
}

TEST(another_governor_is_silent) {
	is_silent(&rule_governor_powersave,
		TREE({"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "schedutil\n"},
			{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "acpi-cpufreq\n"}));
}

int main(void) {
	return TESTS(RUN(powersave_on_mains_is_told), RUN(with_a_battery_it_is_silent),
		RUN(the_battery_of_a_mouse_is_none), RUN(of_intel_pstate_it_follows_the_load),
		RUN(another_governor_is_silent));
}
