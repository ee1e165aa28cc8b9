// SPDX-License-Identifier: Apache-2.0
// Whether the file system of the state folder can be written to.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "state.path"));
	if (!patient_is(patient, "state.is_read_only")) {
		return;
	}
	found(out, NULL, "the state folder is on a file system mounted read-only");
	found_at(out, path, "statvfs says read-only");
	found_fix(out, "dmesg shows why; then mount -o remount,rw the file system of %s",
		quoted(out->arena, path));
}

DEFINE_CHECK(state_read_only) = {
	.id = "state-read-only",
	.title = "whether the state folder can be written",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("state.is_read_only"),
	.examine = examine,
	.fix = "mount -o remount,rw",
};
