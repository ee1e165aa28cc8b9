// SPDX-License-Identifier: Apache-2.0
// Rounds of the main loop that took too long in the last minute.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *reason = patient_reason(patient, "loop");
	if (!reason) {
		return;
	}
	found(out, NULL, "%" STR_FMT, STR_ARG(value_text(reason, "text")));
	found_at(out, "health", "loop_lag p99 %.1f ms since the start",
		patient_number(patient, "health.loop_lag.p99_us", 0) / 1e3);
}

DEFINE_CHECK(loop_slow) = {
	.id = "loop-slow",
	.title = "how long the loop's rounds take",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("health"),
	.examine = examine,
	.fix = "kill -USR1 PID logs what the loop does",
};
