// SPDX-License-Identifier: Apache-2.0
// Open files against the limit: at the limit no connection is taken and no file opened.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	// Another user's are not shown: then by the daemon's own word.
	int64_t open = patient_int(
		patient, "processes.daemon.fds", patient_int(patient, "diagnosis.fds", -1));
	int64_t limit = patient_int(
		patient, "processes.daemon.nofile", patient_int(patient, "diagnosis.nofile", -1));
	if (open < 0 || limit <= 0) {
		not_made(out, "your user may not see which files annad has open");
		return;
	}
	if (open * 100 < limit * 80) {
		return;
	}
	found(out, NULL, "annad has %lld of %lld possible files open", (long long)open,
		(long long)limit);
	if (open * 100 >= limit * 95) {
		found_severity(out, SEVERITY_CRITICAL);
	}
	found_at(out, "/proc/PID/fd", "pid %lld",
		(long long)patient_int(patient, "processes.daemon.pid", 0));
}

DEFINE_CHECK(descriptors_short) = {
	.id = "descriptors-short",
	.title = "open files against the limit",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("processes.daemon"),
	.examine = examine,
	.fix = "ss -xp | grep annad shows connections; raise LimitNOFILE of the unit",
};
