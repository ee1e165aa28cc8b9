// SPDX-License-Identifier: Apache-2.0
// Whether the daemon refused the file or somebody went back from it: what is written is then not what
// she does.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *reason = patient_reason(patient, "config");
	if (!reason ||
		(patient_has(patient, "config.is_valid") &&
			!patient_is(patient, "config.is_valid"))) { // config-invalid
		return;
	}
	found(out, NULL, "%" STR_FMT, STR_ARG(value_text(reason, "text")));
	found_at(out, "health", "generation %lld is in force",
		(long long)patient_int(patient, "status.generation", 0));
}

DEFINE_CHECK(config_not_in_force) = {
	.id = "config-not-in-force",
	.title = "whether the file was refused",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("health"),
	.examine = examine,
	.fix = "annactl config check; mend the file and annactl reload",
};
