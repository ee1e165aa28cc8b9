// SPDX-License-Identifier: Apache-2.0
// Events that were accepted and that the disk then lost, since the daemon started.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t failed = patient_int(patient, "health.queue.failed", 0);
	if (failed == 0) {
		return;
	}
	found(out, NULL, "%lld accepted events were lost since the start", (long long)failed);
	found_at(out, "health", "queue.failed; annactl events --kind source.gap names them");
}

DEFINE_CHECK(events_lost) = {
	.id = "events-lost",
	.title = "events that were lost",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("health.queue.failed"),
	.examine = examine,
	.fix = "mend what made the disk refuse; the count begins anew with the next start",
};
