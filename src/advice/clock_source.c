// SPDX-License-Identifier: Apache-2.0
// A slow clock source.
#include "advice/rule.h"

static void look(struct survey *survey) {
	static const char folder[] = "/sys/devices/system/clocksource/clocksource0";
	static const char *const slow[] = {
		"hpet", "acpi_pm", "pit", "jiffies", "refined-jiffies", NULL};
	struct str current, available;
	if (!root_read(&survey->root, &current, "%s/current_clocksource", folder)) {
		return;
	}
	if (!root_read(&survey->root, &available, "%s/available_clocksource", folder)) {
		available = (struct str){NULL, 0};
	}
	for (size_t i = 0; slow[i]; i++) {
		if (str_is(current, slow[i])) {
			survey_find(survey,
				"current_clocksource is %" STR_FMT ", available are %" STR_FMT,
				STR_ARG(current), STR_ARG(available));
		}
	}
}

DEFINE_RULE(clock_source) = {
	.id = "clock-source-slow",
	.level = ADVICE_WARN,
	.category = "cpu",
	.title = "The kernel reads the time from a slow device",
	.reads = "/sys/devices/system/clocksource/clocksource0",
	.reason = "Each question for the time becomes a system call of a microsecond or more: "
		  "databases and everything that measures are slower by several percent.",
	.fix = "dmesg | grep -i -e tsc -e clocksource",
	.risk = "The command only looks. Forcing tsc where the kernel refused it makes time "
		"jump.",
	.references = (const char *const[]){"https://docs.kernel.org/timers/timekeeping.html",
		NULL},
	.explain = "Fires for hpet, acpi_pm, pit and jiffies. The kernel leaves the TSC when it "
		   "found it unstable: a firmware update or another clock source of the hypervisor "
		   "may mend that.",
	.look = look,
};
