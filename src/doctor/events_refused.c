// SPDX-License-Identifier: Apache-2.0
// Events refused as busy: more than one of a hundred since the start.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t refused = patient_int(patient, "health.queue.refused", 0);
	int64_t accepted = patient_int(patient, "health.queue.accepted", 0);
	if (refused < 10 || refused * 100 < accepted) {
		return;
	}
	found(out, NULL, "%lld events were refused since the start, %lld accepted",
		(long long)refused, (long long)accepted);
	found_at(out, "health", "queue.refused");
}

DEFINE_CHECK(events_refused) = {
	.id = "events-refused",
	.title = "events that were refused",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("health.queue.refused"),
	.examine = examine,
	.fix = "annactl events shows what publishes so much; a faster disk, or journal.queue",
};
