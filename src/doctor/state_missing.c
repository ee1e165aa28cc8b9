// SPDX-License-Identifier: Apache-2.0
// Whether the state folder is gone while the daemon runs.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "state.path"));
	bool exists = patient_is(patient, "state.exists");
	// Files that are saved later make the folder anew; the journal stays where it was opened.
	bool has_journal = !patient_has(patient, "state.has_journal") ||
		patient_is(patient, "state.has_journal");
	if (exists && has_journal && patient_says(patient, "state.type", "folder")) {
		return;
	}
	found(out, NULL, "the state folder is gone%s: nothing that happens now is kept",
		exists ? ", and another is in its place" : "");
	found_at(out, path, exists ? "it has no journal" : "not there");
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_restart(treatment, err);
}

static const struct remedy remedy = {
	.summary = "restarts the unit with systemctl",
	.lasting = "the new state folder begins empty",
	.apply = apply,
};

DEFINE_CHECK(state_missing) = {
	.id = "state-missing",
	.title = "whether the state folder is there",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("state", "status"),
	.examine = examine,
	.fix = "systemctl restart annad makes a new one; the old journal is lost unless you have "
	       "it",
	.remedy = &remedy,
};
