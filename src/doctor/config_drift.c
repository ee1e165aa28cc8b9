// SPDX-License-Identifier: Apache-2.0
// Whether the file says something else than what is in force: edited and not reloaded, or undone.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *change;
	int64_t n = 0;
	if (!patient_is(patient, "drift.changed") || patient_reason(patient, "config")) {
		return;
	}
	while (patient_item(patient, "drift.changes", (size_t)n)) {
		n++;
	}
	found(out, NULL,
		"%lld options of the file are not in force: it was changed after "
		"generation %lld",
		(long long)n, (long long)patient_int(patient, "drift.generation", 0));
	for (size_t i = 0; (change = patient_item(patient, "drift.changes", i)); i++) {
		found_at(out, "config.diff", "%" STR_FMT, STR_ARG(value_text(change, "path")));
	}
}

static bool apply(struct treatment *treatment, struct err *err) {
	treatment->before = arena_printf(treatment->arena, "generation %lld",
		(long long)patient_int(treatment->patient, "drift.generation", 0));
	treatment->after = "reloaded";
	treatment->undo = arena_printf(treatment->arena, "annactl undo %lld",
		(long long)patient_int(treatment->patient, "drift.generation", 0));
	return treatment->call(treatment, "reload", "", err);
}

static const struct remedy remedy = {
	.summary = "reloads the configuration",
	.apply = apply,
};

DEFINE_CHECK(config_drift) = {
	.id = "config-drift",
	.title = "whether the file is in force",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("drift"),
	.examine = examine,
	.fix = "annactl config diff shows it; annactl reload takes it on",
	.remedy = &remedy,
};
