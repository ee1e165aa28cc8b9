// SPDX-License-Identifier: Apache-2.0
// Lines of the log that nobody read in time: the reader of standard error is stuck or gone.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t dropped = patient_int(patient, "diagnosis.log_dropped", 0);
	if (dropped == 0) {
		return;
	}
	found(out, NULL, "%lld lines of the log were dropped: its reader does not take them",
		(long long)dropped);
	found_at(out, "diagnosis", "log_dropped");
}

DEFINE_CHECK(log_dropped) = {
	.id = "log-dropped",
	.title = "lines of the log that were dropped",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("diagnosis.log_dropped"),
	.examine = examine,
	.fix = "see what reads annad's standard error (systemd-journald?), and restart that",
};
