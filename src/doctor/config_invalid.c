// SPDX-License-Identifier: Apache-2.0
// Whether the configuration file is valid, by the installed annad's word: what a reload or a restart
// would meet.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "config.path"));
	const struct value *problem;
	int64_t errors = patient_int(patient, "config.errors", 0);
	if (patient_is(patient, "config.is_valid")) {
		return;
	}
	found(out, NULL,
		errors ? "the configuration file has %lld mistakes%s"
		       : "the configuration file is not taken%.0lld%s",
		(long long)errors,
		patient_has(patient, "processes.daemon") ? "; annad goes on with the last good one"
							 : "");
	if (patient_str(patient, "config.error").len > 0) {
		found_at(out, path, "%" STR_FMT, STR_ARG(patient_str(patient, "config.error")));
	}
	for (size_t i = 0; (problem = patient_item(patient, "config.problems", i)); i++) {
		if (str_is(value_text(problem, "severity"), "error")) {
			found_at(out, path, "line %lld: %" STR_FMT,
				(long long)value_number(problem, "line", 0),
				STR_ARG(value_text(problem, "message")));
		}
	}
}

DEFINE_CHECK(config_invalid) = {
	.id = "config-invalid",
	.title = "whether the configuration is valid",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("config.is_valid"),
	.examine = examine,
	.fix = "mend the lines named, annactl config check, then annactl reload",
};
