// SPDX-License-Identifier: Apache-2.0
// Whether others may write to the state folder, or read the journal in it. annad refuses to start
// with the first.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t mode = patient_int(patient, "state.mode", 0);
	const char *path = arena_copy(out->arena, patient_str(patient, "state.path"));
	if (!(mode & 022) && (mode & 0700) == 0700) {
		return;
	}
	if (mode & 022) {
		found(out, NULL,
			"others may write to the state folder: annad will not start again");
		found_severity(out, SEVERITY_CRITICAL);
	} else {
		found(out, NULL, "the owner of the state folder lacks rights on it");
	}
	found_at(out, path, "mode %04llo", (long long)mode);
	found_fix(out, "chmod u+rwx,go-w %s", quoted(out->arena, path));
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_chmod(treatment, treatment_text(treatment, "state.path"), 022, 0700, err);
}

static const struct remedy remedy = {
	.summary = "takes the right to write from others and gives the owner his",
	.apply = apply,
};

DEFINE_CHECK(state_mode) = {
	.id = "state-mode",
	.title = "the state folder's mode",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("state.mode"),
	.examine = examine,
	.fix = "chmod u+rwx,go-w it",
	.remedy = &remedy,
};
