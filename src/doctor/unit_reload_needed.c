// SPDX-License-Identifier: Apache-2.0
// Whether unit files were changed and systemd was not told.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	if (!patient_says(patient, "systemd.NeedDaemonReload", "yes")) {
		return;
	}
	found(out, NULL, "the unit's files were changed; systemd still goes by the old ones");
	found_at(out, "systemctl show", "NeedDaemonReload=yes");
}

static bool apply(struct treatment *treatment, struct err *err) {
	const char *const argv[] = {"systemctl", "daemon-reload", NULL};
	treatment->before = "NeedDaemonReload=yes";
	treatment->after = "daemon-reload done";
	return treatment->run(treatment, argv, err);
}

static const struct remedy remedy = {
	.summary = "has systemd read its unit files again",
	.apply = apply,
};

DEFINE_CHECK(unit_reload_needed) = {
	.id = "unit-reload-needed",
	.title = "whether systemd knows the unit files",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("systemd"),
	.examine = examine,
	.fix = "systemctl daemon-reload, then systemctl restart annad",
	.remedy = &remedy,
};
