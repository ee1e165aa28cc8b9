// SPDX-License-Identifier: Apache-2.0
// The kernel has killed programs for want of memory since boot.
#include "advice/rule.h"

static void look(struct survey *survey) {
	struct str text, line, name, number;
	int64_t kills;
	if (!root_read(&survey->root, &text, "/proc/vmstat")) {
		survey_unread(survey, "/proc/vmstat");
		return;
	}
	while (str_split(&text, '\n', &line)) {
		if (str_word(&line, &name) && str_is(name, "oom_kill") &&
			str_word(&line, &number) && str_to_int64(number, &kills) && kills > 0) {
			survey_find(survey, "oom_kill in /proc/vmstat is %lld", (long long)kills);
		}
	}
}

DEFINE_RULE(oom_kills) = {
	.id = "oom-kills",
	.level = ADVICE_WARN,
	.category = "memory",
	.title = "Programs were killed for want of memory since boot",
	.reads = "/proc/vmstat",
	.reason = "What was killed may not have come back, and what took the memory is probably "
		  "still there.",
	.fix = "journalctl -k -g \"Out of memory\"",
	.risk = "The command only looks.",
	.references = (const char *const[]){"proc_vmstat(5)", "systemd-oomd.service(8)", NULL},
	.explain = "Fires when the kernel counted at least one kill since boot, those inside a "
		   "memory limit of a group included: in a container the number is the whole "
		   "machine's.",
	.look = look,
};
