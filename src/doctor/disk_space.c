// SPDX-License-Identifier: Apache-2.0
// Room for the journal: she needs a segment of 4 MiB per stream, and stops keeping events without.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t free = patient_int(patient, "state.available_bytes", 0);
	int64_t total = patient_int(patient, "state.total_bytes", 0);
	const char *path = arena_copy(out->arena, patient_str(patient, "state.path"));
	// 64 MiB: four streams of two segments, twice. 8 MiB: one segment and one in reserve.
	if (free >= INT64_C(64) << 20 || patient_is(patient, "state.is_read_only")) {
		return;
	}
	found(out, NULL, "%.1f MiB are free where the state folder lies", (double)free / 1048576);
	if (free < INT64_C(8) << 20) {
		found_severity(out, SEVERITY_CRITICAL);
	}
	found_at(out, path, "%lld of %lld bytes available", (long long)free, (long long)total);
}

DEFINE_CHECK(disk_space) = {
	.id = "disk-space",
	.title = "room on the disk of the state folder",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("state.available_bytes"),
	.examine = examine,
	.fix = "free some space there, or give the journal smaller budgets ([journal])",
};
