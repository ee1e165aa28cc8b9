// SPDX-License-Identifier: Apache-2.0
// Whether a generation waits for its confirmation, and is undone when nobody gives it.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str by = patient_str(patient, "status.confirm_by");
	if (by.len == 0) {
		return;
	}
	found(out, NULL, "generation %lld is undone at %" STR_FMT " unless it is confirmed",
		(long long)patient_int(patient, "status.generation", 0), STR_ARG(by));
	found_at(out, "status", "confirm_by");
}

DEFINE_CHECK(config_pending) = {
	.id = "config-pending",
	.title = "generations on trial",
	.severity = SEVERITY_INFO,
	.needs = NEEDS("status"),
	.examine = examine,
	.fix = "annactl reload confirm keeps it, annactl undo takes it back now",
};
