// SPDX-License-Identifier: Apache-2.0
// A limit of open files so low that it will be reached: 128 connections and the journal need 256.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t limit = patient_int(patient, "processes.daemon.nofile", 0);
	if (limit <= 0 || limit >= 256) {
		return;
	}
	found(out, NULL, "annad may open %lld files only", (long long)limit);
	found_at(out, "/proc/PID/limits", "Max open files %lld", (long long)limit);
}

DEFINE_CHECK(descriptor_limit) = {
	.id = "descriptor-limit",
	.title = "the limit of open files",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("processes.daemon.nofile"),
	.examine = examine,
	.fix = "LimitNOFILE=1024 in the unit, or ulimit -n 1024 before starting annad",
};
