// SPDX-License-Identifier: Apache-2.0
// Whether a mount does not answer: whatever touches it hangs, a watched folder under it too.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str mount = patient_str(patient, "mounts.waiting_for");
	const char *path = arena_copy(out->arena, mount);
	if (mount.len == 0) {
		return;
	}
	found(out, path, "the mount %s does not answer", path);
	found_at(out, path, "statfs did not return; type %" STR_FMT,
		STR_ARG(patient_str(patient, "mounts.type")));
	found_fix(out, "mend its server, or umount -l %s", quoted(out->arena, path));
}

DEFINE_CHECK(mount_hangs) = {
	.id = "mount-hangs",
	.title = "whether mounts answer",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("mounts"),
	.examine = examine,
	.fix = "mend its server, or umount -l it",
};
