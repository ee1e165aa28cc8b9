// SPDX-License-Identifier: Apache-2.0
// What the daemon says of her own health and no other check here speaks of: so nothing she knows is kept
// back, also by parts that are younger than this doctor.
#include "doctor/check.h"

// What could not be measured for so long after the start will not come.
#define MEASURED_BY_SECONDS 30

static bool is_told_elsewhere(const struct patient *patient, struct str part) {
	static const char *const parts[] = {"journal", "queue", "memory", "loop", "rpc", "config"};
	const struct value *capability;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (str_is(part, parts[i])) {
			return true;
		}
	}
	for (size_t i = 0; (capability = patient_item(patient, "capabilities.capabilities", i));
		i++) {
		if (str_equal(value_text(capability, "name"), part)) {
			return true;
		}
	}
	return false;
}

static void examine(const struct patient *patient, struct findings *out) {
	int64_t up = patient_int(patient, "status.uptime_seconds", 0);
	const struct value *reason;
	for (size_t i = 0; (reason = patient_item(patient, "health.reasons", i)); i++) {
		struct str level = value_text(reason, "level"),
			   step = value_text(reason, "next_step");
		const char *part = arena_copy(out->arena, value_text(reason, "part"));
		bool is_unknown = str_is(level, "unknown");
		if (is_unknown ? up < MEASURED_BY_SECONDS
			       : is_told_elsewhere(patient, str_from(part))) {
			continue;
		}
		found(out, part, "%s: %" STR_FMT, part, STR_ARG(value_text(reason, "text")));
		found_severity(out,
			is_unknown			    ? SEVERITY_INFO
				: str_is(level, "critical") ? SEVERITY_CRITICAL
							    : SEVERITY_WARNING);
		found_at(out, "health", "%" STR_FMT, STR_ARG(level));
		if (step.len > 0) {
			found_fix(out, "%" STR_FMT, STR_ARG(step));
		}
	}
}

DEFINE_CHECK(health_degraded) = {
	.id = "health-degraded",
	.title = "what she says of her own health",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("health", "status"),
	.examine = examine,
	.fix = "annactl health shows it, with the next step",
};
