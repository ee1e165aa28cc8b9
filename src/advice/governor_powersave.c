// SPDX-License-Identifier: Apache-2.0
// A machine on mains that runs at its lowest speed.
#include "advice/rule.h"

static void look(struct survey *survey) {
	static const char folder[] = "/sys/devices/system/cpu/cpu0/cpufreq";
	struct root *root = &survey->root;
	struct str governor, driver;
	if (!root_read(root, &governor, "%s/scaling_governor", folder) ||
		!root_read(root, &driver, "%s/scaling_driver", folder)) {
		return; // the frequency is not ours to set
	}
	// Of these drivers powersave is the one that follows the load.
	bool is_own = str_is(driver, "intel_pstate") || str_is(driver, "amd-pstate-epp") ||
		str_is(driver, "amd-pstate");
	if (str_is(governor, "powersave") && !is_own && !survey_has_battery(survey)) {
		survey_find(survey,
			"the governor of cpu0 is powersave with the driver %" STR_FMT
			", and there is no battery",
			STR_ARG(driver));
	}
}

DEFINE_RULE(governor_powersave) = {
	.id = "governor-powersave",
	.level = ADVICE_INFO,
	.category = "power",
	.title = "The CPU is held at its lowest speed",
	.reads = "/sys/devices/system/cpu/cpu0/cpufreq, /sys/class/power_supply",
	.reason = "With this driver the governor powersave means the lowest frequency at any "
		  "load.",
	.fix = "cpupower frequency-set -g schedutil",
	.risk = "It draws more power, and gets warmer, under load.",
	.references = (const char *const[]){"https://docs.kernel.org/admin-guide/pm/cpufreq.html",
		NULL},
	.explain = "Fires without a battery when the governor is powersave and the driver is not "
		   "intel_pstate or amd-pstate, whose governor of that name follows the load.",
	.look = look,
};
