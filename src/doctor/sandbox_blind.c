// SPDX-License-Identifier: Apache-2.0
// What the sandbox hides from the daemon, tried from inside: what she cannot see she cannot report.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *hidden = patient_item(patient, "diagnosis.hidden", 0);
	if (!hidden) {
		return;
	}
	found(out, NULL, "annad cannot see parts of the machine: what depends on them is missing");
	for (size_t i = 0; (hidden = patient_item(patient, "diagnosis.hidden", i)); i++) {
		found_at(out, arena_copy(out->arena, value_text(hidden, "path")),
			"%" STR_FMT "; without it: %" STR_FMT, STR_ARG(value_text(hidden, "error")),
			STR_ARG(value_text(hidden, "costs")));
	}
}

DEFINE_CHECK(sandbox_blind) = {
	.id = "sandbox-blind",
	.title = "what the sandbox hides from her",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("diagnosis.hidden"),
	.examine = examine,
	.fix = "systemctl cat annad: no ProcSubset=pid, ProtectProc=invisible or PrivateUsers=yes",
};
