// SPDX-License-Identifier: Apache-2.0
// Resident memory against the control group's limit and the thresholds of [health]: the warning must
// come before the kernel's kill.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *reason = patient_reason(patient, "memory");
	int64_t used = patient_int(patient, "health.memory.rss_bytes", 0);
	int64_t limit = patient_int(patient, "health.memory.limit_bytes", 0);
	bool is_near = limit > 0 && used >= limit / 100 * 85;
	if (!is_near && !reason) {
		return;
	}
	found(out, NULL, "annad uses %.1f MB of memory", (double)used / 1e6);
	if ((limit > 0 && used >= limit / 100 * 95) ||
		(reason && str_is(value_text(reason, "level"), "critical"))) {
		found_severity(out, SEVERITY_CRITICAL);
	}
	if (limit > 0) {
		found_at(out, "cgroup", "%.0f %% of its limit of %.1f MB",
			100.0 * (double)used / (double)limit, (double)limit / 1e6);
	}
	if (reason) {
		found_at(out, "health", "%" STR_FMT, STR_ARG(value_text(reason, "text")));
	}
}

DEFINE_CHECK(memory_high) = {
	.id = "memory-high",
	.title = "her memory",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("health.memory.rss_bytes"),
	.examine = examine,
	.fix = "annactl health shows what is queued; systemctl restart annad frees it; report it",
};
