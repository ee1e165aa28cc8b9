// SPDX-License-Identifier: Apache-2.0
// The clock source in force.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(clock_source);

TEST(a_slow_one_is_told_with_the_others) {
	fires(&rule_clock_source,
		TREE({"/sys/devices/system/clocksource/clocksource0/current_clocksource",
			     "acpi_pm\n"},
			{"/sys/devices/system/clocksource/clocksource0/available_clocksource",
				"hpet acpi_pm \n"}),
		"current_clocksource is acpi_pm, available are hpet acpi_pm");
}

TEST(tsc_is_silent) {
	is_silent(&rule_clock_source,
		TREE({"/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
			{"/sys/devices/system/clocksource/clocksource0/available_clocksource",
				"tsc hpet acpi_pm \n"}));
}

TEST(kvm_clock_is_silent) {
	is_silent(&rule_clock_source,
		TREE({"/sys/devices/system/clocksource/clocksource0/current_clocksource",
			"kvm-clock\n"}));
}

int main(void) {
	return TESTS(RUN(a_slow_one_is_told_with_the_others), RUN(tsc_is_silent),
		RUN(kvm_clock_is_silent));
}
