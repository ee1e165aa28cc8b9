// SPDX-License-Identifier: Apache-2.0
// Whether others may change the configuration: whoever can makes annad run commands.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "config.path"));
	int64_t mode = patient_int(patient, "config.mode", 0);
	if (!patient_says(patient, "config.type", "file") || !(mode & 02)) {
		return;
	}
	found(out, NULL, "everybody may change the configuration, and so have annad run commands");
	found_at(out, path, "mode %04llo", (long long)mode);
	found_fix(out, "chmod o-w %s", quoted(out->arena, path));
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_chmod(treatment, treatment_text(treatment, "config.path"), 02, 0, err);
}

static const struct remedy remedy = {
	.summary = "takes the right to write from others",
	.apply = apply,
};

DEFINE_CHECK(config_writable) = {
	.id = "config-writable",
	.title = "who may change the configuration",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("config.mode"),
	.examine = examine,
	.fix = "chmod o-w it",
	.remedy = &remedy,
};
