// SPDX-License-Identifier: Apache-2.0
// Whether the installed annad runs at all: an upgrade cut short leaves one that does not.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "installed.path"));
	bool is_strange = patient_is(patient, "installed.runs") &&
		patient_str(patient, "installed.version").len == 0;
	if (patient_is(patient, "installed.runs") && !is_strange) {
		return;
	}
	found(out, NULL, "the installed annad does not run: the next start will fail");
	found_at(out, path, "%" STR_FMT,
		STR_ARG(patient_str(patient, is_strange ? "installed.says" : "installed.error")));
}

DEFINE_CHECK(binary_broken) = {
	.id = "binary-broken",
	.title = "whether the installed annad runs",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("installed"),
	.examine = examine,
	.fix = "install the package again: apt install --reinstall anna",
};
