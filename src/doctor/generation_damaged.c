// SPDX-License-Identifier: Apache-2.0
// Files of kept generations that do not read back.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *damaged;
	for (size_t i = 0; (damaged = patient_item(patient, "generations.damaged", i)); i++) {
		const char *file = arena_copy(out->arena, value_text(damaged, "file"));
		found(out, file, "a kept generation of the configuration is damaged");
		found_at(out, file, "%" STR_FMT, STR_ARG(value_text(damaged, "text")));
		found_fix(out, "mv %s %s.aside: it cannot be gone back to",
			quoted(out->arena, file), quoted(out->arena, file));
	}
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_move_aside(treatment, treatment->finding->subject, err);
}

static const struct remedy remedy = {
	.summary = "moves the damaged file aside",
	.apply = apply,
};

DEFINE_CHECK(generation_damaged) = {
	.id = "generation-damaged",
	.title = "the kept generations",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("generations"),
	.examine = examine,
	.fix = "move the damaged file aside",
	.remedy = &remedy,
};
