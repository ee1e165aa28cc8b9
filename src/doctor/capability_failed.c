// SPDX-License-Identifier: Apache-2.0
// Parts of Anna that failed or work only in part, by their own word.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *part;
	for (size_t i = 0; (part = patient_item(patient, "capabilities.capabilities", i)); i++) {
		struct str state = value_text(part, "state");
		const char *name = arena_copy(out->arena, value_text(part, "name"));
		if ((!str_is(state, "failed") && !str_is(state, "degraded")) ||
			(str_is(state, "failed") && strcmp(name, "http") == 0)) { // http-off
			continue;
		}
		found(out, name, "%s is %" STR_FMT, name, STR_ARG(state));
		if (value_text(part, "next_step").len > 0) {
			found_fix(out, "%" STR_FMT, STR_ARG(value_text(part, "next_step")));
		}
		found_at(out, "capabilities", "%" STR_FMT, STR_ARG(value_text(part, "reason")));
	}
}

DEFINE_CHECK(capability_failed) = {
	.id = "capability-failed",
	.title = "her capabilities",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("capabilities.capabilities"),
	.examine = examine,
	.fix = "annactl capabilities says more; mend what the reason names, or switch it off in "
	       "the config",
};
