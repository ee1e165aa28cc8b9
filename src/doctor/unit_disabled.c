// SPDX-License-Identifier: Apache-2.0
// Whether a unit that runs will be started at the next boot.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	if (!patient_says(patient, "systemd.ActiveState", "active") ||
		!patient_says(patient, "systemd.UnitFileState", "disabled")) {
		return;
	}
	found(out, NULL, "annad runs now, but is not started at boot");
	found_at(out, "systemctl show", "UnitFileState=disabled");
}

static bool apply(struct treatment *treatment, struct err *err) {
	const char *unit = treatment_text(treatment, "systemd.unit");
	const char *const argv[] = {"systemctl", "enable", unit, NULL};
	treatment->before = "disabled";
	treatment->after = "enabled";
	treatment->undo = arena_printf(treatment->arena, "systemctl disable %s", unit);
	return treatment->run(treatment, argv, err);
}

static const struct remedy remedy = {
	.summary = "enables the unit",
	.apply = apply,
};

DEFINE_CHECK(unit_disabled) = {
	.id = "unit-disabled",
	.title = "whether the unit starts at boot",
	.severity = SEVERITY_INFO,
	.needs = NEEDS("systemd"),
	.examine = examine,
	.fix = "systemctl enable annad",
	.remedy = &remedy,
};
