// SPDX-License-Identifier: Apache-2.0
// Whether the journal keeps events: by the daemon's own word.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *reason = patient_reason(patient, "journal");
	bool is_failing = patient_is(patient, "health.journal.is_failing");
	if (!is_failing && !reason) {
		return;
	}
	found(out, NULL,
		is_failing ? "the journal cannot keep events: nothing is acknowledged now"
			   : "the journal is not well");
	if (!is_failing && !str_is(value_text(reason, "level"), "critical")) {
		found_severity(out, SEVERITY_WARNING);
	}
	found_at(out, "health", "%" STR_FMT,
		STR_ARG(reason ? value_text(reason, "text")
			       : patient_str(patient, "health.journal.reason")));
}

DEFINE_CHECK(journal_failing) = {
	.id = "journal-failing",
	.title = "whether the journal keeps events",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("health"),
	.examine = examine,
	.fix = "free space on, or mend, the disk of the state folder; she goes on by herself",
};
