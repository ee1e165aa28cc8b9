// SPDX-License-Identifier: Apache-2.0
// Whether the daemon knows the methods this annactl needs: an older one cannot be examined fully.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct fact *fact = patient_find(patient, "diagnosis");
	if (!fact || fact->value ||
		!str_starts(str_from(fact->missing), STR("the running daemon does not know"))) {
		return;
	}
	found(out, NULL, "the running annad is older than this annactl: not all can be examined");
	found_at(out, "diagnosis", "%s", fact->missing);
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_restart(treatment, err);
}

static const struct remedy remedy = {
	.summary = "restarts the unit with systemctl",
	.lasting = "running actions are ended with the process",
	.apply = apply,
};

DEFINE_CHECK(methods_missing) = {
	.id = "methods-missing",
	.title = "whether she is as new as annactl",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("status"),
	.examine = examine,
	.fix = "systemctl restart annad runs the installed one",
	.remedy = &remedy,
};
