// SPDX-License-Identifier: Apache-2.0
// Whether the state folder is in memory: the journal is then gone with a reboot.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str type = patient_str(patient, "state.file_system");
	const char *path = arena_copy(out->arena, patient_str(patient, "state.path"));
	if (!str_is(type, "tmpfs") && !str_is(type, "ramfs")) {
		return;
	}
	found(out, NULL, "the state folder is in memory: the journal does not survive a reboot");
	found_at(out, path, "%" STR_FMT, STR_ARG(type));
}

DEFINE_CHECK(state_on_tmpfs) = {
	.id = "state-on-tmpfs",
	.title = "what the state folder lies on",
	.severity = SEVERITY_INFO,
	.needs = NEEDS("state.file_system"),
	.examine = examine,
	.fix = "give annad a --state-dir on a disk",
};
