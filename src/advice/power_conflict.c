// SPDX-License-Identifier: Apache-2.0
// Two programs that set the same power settings.
#include "advice/rule.h"

static void look(struct survey *survey) {
	static const char *const units[] = {"tlp.service", "power-profiles-daemon.service",
		"auto-cpufreq.service", "laptop-mode.service", "tuned.service"};
	const char *found[5];
	size_t n = 0;
	for (size_t i = 0; i < 5; i++) {
		if (survey_is_unit_enabled(survey, units[i])) {
			found[n++] = units[i];
		}
	}
	if (n >= 2) {
		survey_find_fix(survey, ADVICE_WARN,
			survey_text(survey, "systemctl disable --now %s", found[1]),
			"%s and %s are both enabled%s", found[0], found[1],
			n > 2 ? ", and others" : "");
	}
}

DEFINE_RULE(power_conflict) = {
	.id = "power-conflict",
	.level = ADVICE_WARN,
	.category = "power",
	.title = "Two programs manage power and undo each other",
	.reads = "/etc/systemd/system/*.wants, /usr/lib/systemd/system/*.wants",
	.reason = "Each sets governor, disks and USB after the other, and what is in force "
		  "depends on who came last.",
	.risk = "The settings of the program that is switched off are not applied any more.",
	.references = (const char *const[]){"https://linrunner.de/tlp/faq/ppd.html", "systemctl(1)",
		NULL},
	.explain = "Fires when two of TLP, power-profiles-daemon, auto-cpufreq, laptop-mode and "
		   "tuned are enabled at boot.",
	.look = look,
};
