// SPDX-License-Identifier: Apache-2.0
// Whether the file the daemon was told to read is there.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "config.path"));
	if (patient_is(patient, "config.exists") ||
		!patient_is(patient, "places.config_is_in_use")) {
		return;
	}
	found(out, NULL, "the configuration file is gone; annad goes on with the last one");
	found_at(out, path, "not there");
}

DEFINE_CHECK(config_missing) = {
	.id = "config-missing",
	.title = "whether the configuration file is there",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("config"),
	.examine = examine,
	.fix = "put it back: annactl config show prints what is in force",
};
