// SPDX-License-Identifier: Apache-2.0
// Whether the daemon can read the file: a folder, a file of another user, or too large.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "config.path"));
	int64_t mode = patient_int(patient, "config.mode", 0);
	int64_t owner = patient_int(patient, "config.uid", -1);
	int64_t user = patient_int(patient, "processes.daemon.uid", -1);
	int64_t size = patient_int(patient, "config.size", 0);
	if (!patient_says(patient, "config.type", "file")) {
		found(out, NULL, "the configuration is a %" STR_FMT " and not a file",
			STR_ARG(patient_str(patient, "config.type")));
	} else if (size > INT64_C(8) << 20) {
		found(out, NULL, "the configuration file has %lld bytes; annad takes 8 MiB",
			(long long)size);
	} else if (user > 0 && owner != user && !(mode & 04) && !(mode & 040)) {
		found(out, NULL, "annad (uid %lld) may not read the configuration file",
			(long long)user);
	} else {
		return;
	}
	found_at(out, path, "mode %04llo, owner %" STR_FMT, (long long)mode,
		STR_ARG(patient_str(patient, "config.owner")));
}

DEFINE_CHECK(config_unreadable) = {
	.id = "config-unreadable",
	.title = "whether the configuration file can be read",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("config.mode"),
	.examine = examine,
	.fix = "put a readable file there; chmod and chgrp it for annad's user",
};
