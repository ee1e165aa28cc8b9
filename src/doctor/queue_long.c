// SPDX-License-Identifier: Apache-2.0
// Events that wait for the disk, by the thresholds of [health].
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *reason = patient_reason(patient, "queue");
	if (!reason) {
		return;
	}
	found(out, NULL, "%" STR_FMT, STR_ARG(value_text(reason, "text")));
	if (str_is(value_text(reason, "level"), "critical")) {
		found_severity(out, SEVERITY_CRITICAL);
	}
	found_at(out, "health", "queue.depth %lld",
		(long long)patient_int(patient, "health.queue.depth", 0));
}

DEFINE_CHECK(queue_long) = {
	.id = "queue-long",
	.title = "events that wait",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("health"),
	.examine = examine,
	.fix = "annactl events shows what publishes so much; iostat shows how fast the disk is",
};
