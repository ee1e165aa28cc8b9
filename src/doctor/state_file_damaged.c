// SPDX-License-Identifier: Apache-2.0
// The state file, verified by its checksum as at the next start.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str error = patient_str(patient, "state_file.error");
	const char *path = arena_copy(out->arena, patient_str(patient, "state_file.path"));
	bool has_previous = patient_says(patient, "state_file.source", "previous");
	if (error.len == 0) {
		return;
	}
	found(out, NULL, "the state file is damaged; %s",
		has_previous ? "the one before would be used" : "its counters would begin anew");
	found_at(out, path, "%" STR_FMT, STR_ARG(error));
	found_fix(out, "mv %s %s.aside; a running annad writes a new one within 30 s",
		quoted(out->arena, path), quoted(out->arena, path));
}

static bool apply(struct treatment *treatment, struct err *err) {
	const char *path = treatment_text(treatment, "state_file.path");
	if (str_find(patient_str(treatment->patient, "state_file.error"), STR(".previous")) >= 0 &&
		patient_says(treatment->patient, "state_file.source", "none") &&
		access(path, F_OK) < 0) {
		path = arena_printf(treatment->arena, "%s.previous", path);
	}
	return treatment_move_aside(treatment, path, err);
}

static const struct remedy remedy = {
	.summary = "moves the damaged state file aside",
	.apply = apply,
};

DEFINE_CHECK(state_file_damaged) = {
	.id = "state-file-damaged",
	.title = "the state file",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("state_file"),
	.examine = examine,
	.fix = "move it aside; a running annad writes a new one within 30 s",
	.remedy = &remedy,
};
