// SPDX-License-Identifier: Apache-2.0
// Units that systemd could not keep running.
#include "advice/rule.h"

static void look(struct survey *survey) {
	if (survey->failed_units < 0) {
		if (survey_runs_systemd(survey)) {
			survey_unknown(survey, "systemd is not watched now: annactl capabilities");
		}
		return;
	}
	if (survey->failed_units > 0) {
		survey_find(survey, "%.0f failed, the last of them is %s", survey->failed_units,
			survey->failed_unit ? survey->failed_unit : "not known");
	}
}

DEFINE_RULE(failed_units) = {
	.id = "units-failed",
	.level = ADVICE_WARN,
	.category = "system",
	.title = "systemd units have failed",
	.reads = "what the source units knows of systemd",
	.reason = "What the unit is there for is not done, and nothing will try again by itself.",
	.fix = "systemctl --failed",
	.risk = "The command only looks; systemctl reset-failed forgets a failure without "
		"mending it.",
	.references = (const char *const[]){"systemctl(1)", NULL},
	.explain = "Fires when the source units counts at least one failed unit that is not "
		   "ignored in [units].",
	.look = look,
};
