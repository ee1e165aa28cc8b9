// SPDX-License-Identifier: Apache-2.0
// Whether looking at the state folder ends at all: a dead disk or mount under it hangs whoever touches
// it.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct fact *fact = patient_find(patient, "state");
	const char *path = arena_copy(out->arena, patient_str(patient, "places.state_folder"));
	if (!fact || !fact->timed_out) {
		return;
	}
	found(out, NULL, "the file system of the state folder does not answer");
	found_at(out, path, "%s", fact->missing);
}

DEFINE_CHECK(state_unreachable) = {
	.id = "state-unreachable",
	.title = "whether the state folder answers",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("places"),
	.examine = examine,
	.fix = "dmesg and findmnt show the disk or mount; unmount it lazily (umount -l) if it is "
	       "dead",
};
