// SPDX-License-Identifier: Apache-2.0
// Whether annactl is of the same build as the installed annad: half an upgrade changes one of them.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str client = patient_str(patient, "client.build");
	struct str installed = patient_str(patient, "installed.build");
	if (str_equal(client, installed)) {
		return;
	}
	found(out, NULL, "annactl is build %" STR_FMT ", the installed annad %" STR_FMT,
		STR_ARG(client), STR_ARG(installed));
	found_at(out, arena_copy(out->arena, patient_str(patient, "installed.path")), "%" STR_FMT,
		STR_ARG(patient_str(patient, "installed.says")));
}

DEFINE_CHECK(client_differs) = {
	.id = "client-differs",
	.title = "annactl against the installed annad",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("client", "installed.build"),
	.examine = examine,
	.fix = "install both from the same package",
};
