// SPDX-License-Identifier: Apache-2.0
// Core files in the state folder: annad crashed there. She asks the kernel for none, so these are of a
// program she started, or of a changed limit.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *core = patient_item(patient, "state.cores", 0);
	const char *path = arena_copy(out->arena, patient_str(patient, "state.path"));
	if (core) {
		found(out, NULL, "a program crashed in the state folder and left a core file");
		for (size_t i = 0; (core = patient_item(patient, "state.cores", i)); i++) {
			const char *name = arena_copy(out->arena, core->string);
			found_at(out, path, "%s", name);
		}
	}
	if (patient_says(patient, "systemd.Result", "core-dump")) {
		found(out, NULL, "annad crashed and left a core dump");
		found_severity(out, SEVERITY_CRITICAL);
		found_at(out, "systemctl show", "Result=core-dump");
	}
}

DEFINE_CHECK(core_dumps) = {
	.id = "core-dumps",
	.title = "core files",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("state"),
	.examine = examine,
	.fix = "keep it for a report (annactl doctor report), coredumpctl info annad, then remove "
	       "it",
};
