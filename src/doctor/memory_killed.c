// SPDX-License-Identifier: Apache-2.0
// Whether the kernel killed the daemon, or something in her control group, for its memory.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t kills = patient_int(patient, "diagnosis.cgroup.oom_kill", 0);
	// Another's group tells of the kills of others.
	if (kills > 0 &&
		str_find(patient_str(patient, "diagnosis.cgroup.path"), STR("anna")) >= 0) {
		found(out, NULL,
			"the kernel killed %lld processes of annad's control group for "
			"their memory",
			(long long)kills);
		found_at(out, "memory.events", "oom_kill %lld in %" STR_FMT, (long long)kills,
			STR_ARG(patient_str(patient, "diagnosis.cgroup.path")));
	}
}

DEFINE_CHECK(memory_killed) = {
	.id = "memory-killed",
	.title = "kills for memory",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("diagnosis"),
	.examine = examine,
	.fix = "raise MemoryMax of the unit, or let actions run elsewhere; dmesg names what was "
	       "killed",
};
