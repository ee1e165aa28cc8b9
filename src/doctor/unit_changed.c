// SPDX-License-Identifier: Apache-2.0
// Whether the unit in force is the one that was shipped. Drop-ins are the operator's and no finding.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "unit.path"));
	if (patient_is(patient, "unit.is_same")) {
		return;
	}
	found(out, NULL, "the unit in force is not the one that was shipped");
	found_at(out, path, "has: %" STR_FMT, STR_ARG(patient_str(patient, "unit.in_force")));
	found_at(out, arena_copy(out->arena, patient_str(patient, "unit.shipped")),
		"has: %" STR_FMT, STR_ARG(patient_str(patient, "unit.in_package")));
}

DEFINE_CHECK(unit_changed) = {
	.id = "unit-changed",
	.title = "the unit against the shipped one",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("unit"),
	.examine = examine,
	.fix = "keep changes in a drop-in: systemctl revert annad, systemctl edit annad",
};
