// SPDX-License-Identifier: Apache-2.0
// Whether the running daemon and the installed annad are of the same build, by what each says.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str running = patient_str(patient, "status.build");
	struct str installed = patient_str(patient, "installed.build");
	if (str_equal(running, installed) || running.len == 0) {
		return;
	}
	found(out, NULL, "annad runs as build %" STR_FMT ", installed is %" STR_FMT,
		STR_ARG(running), STR_ARG(installed));
	found_at(out, "status", "%" STR_FMT " (%" STR_FMT ")",
		STR_ARG(patient_str(patient, "status.version")), STR_ARG(running));
	found_at(out, arena_copy(out->arena, patient_str(patient, "installed.path")),
		"%" STR_FMT " (%" STR_FMT ")", STR_ARG(patient_str(patient, "installed.version")),
		STR_ARG(installed));
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_restart(treatment, err);
}

static const struct remedy remedy = {
	.summary = "restarts the unit with systemctl",
	.lasting = "running actions are ended with the process",
	.apply = apply,
};

DEFINE_CHECK(version_differs) = {
	.id = "version-differs",
	.title = "running against installed build",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("status", "installed.build"),
	.examine = examine,
	.fix = "systemctl restart annad",
	.remedy = &remedy,
};
