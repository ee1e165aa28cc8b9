// SPDX-License-Identifier: Apache-2.0
// Nobody who keeps the clock right.
#include "advice/rule.h"

static void look(struct survey *survey) {
	// As /proc shows them: at most 15 bytes.
	static const char *const keepers[] = {"systemd-timesyn", "chronyd", "ntpd", "openntpd",
		"ntpsec", "ptp4l", "phc2sys", "timemaster", NULL};
	const struct survey_process *processes;
	if (survey_is_container(survey)) {
		return; // the clock is the host's
	}
	if (!survey_processes(survey, &processes)) {
		survey_unknown(survey, "no process can be seen in /proc");
		return;
	}
	bool is_kept = survey_find_process(survey, keepers) != NULL;
	if (!is_kept && !root_has(&survey->root, "/proc/1/comm")) {
		survey_unknown(survey, "not every process can be seen: /proc hides the first");
	} else if (!is_kept) {
		survey_find(survey,
			"of systemd-timesyncd, chronyd, ntpd, openntpd, ntpsec, ptp4l, "
			"phc2sys and timemaster none runs");
	}
}

DEFINE_RULE(time_sync) = {
	.id = "time-unsynchronised",
	.level = ADVICE_WARN,
	.category = "system",
	.title = "Nothing keeps the clock right",
	.reads = "/proc/*/comm",
	.reason = "A clock drifts by seconds a week. Certificates, logs of several machines, cron "
		  "and databases then disagree.",
	.fix = "apt install systemd-timesyncd",
	.risk = "A clock that is far off jumps once.",
	.references = (const char *const[]){"systemd-timesyncd.service(8)",
		"https://chrony-project.org/", NULL},
	.explain = "Fires when none of the known programs runs. A virtual machine whose hypervisor "
		   "sets the clock by an agent of its own may be left alone; containers are not "
		   "looked at.",
	.look = look,
};
