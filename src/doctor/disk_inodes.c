// SPDX-License-Identifier: Apache-2.0
// Room for new files where the state folder lies: segments and generations are files.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t free = patient_int(patient, "state.files_available", 0);
	int64_t total = patient_int(patient, "state.files_total", 0);
	const char *path = arena_copy(out->arena, patient_str(patient, "state.path"));
	if (total <= 0 || free >= 1000) { // 0: the file system has no fixed number
		return;
	}
	found(out, NULL, "%lld more files can be made where the state folder lies",
		(long long)free);
	if (free < 50) {
		found_severity(out, SEVERITY_CRITICAL);
	}
	found_at(out, path, "%lld of %lld inodes free", (long long)free, (long long)total);
}

DEFINE_CHECK(disk_inodes) = {
	.id = "disk-inodes",
	.title = "free inodes of the state folder's disk",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("state.files_available"),
	.examine = examine,
	.fix = "remove files there: df -i shows which file system",
};
