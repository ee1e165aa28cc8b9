// SPDX-License-Identifier: Apache-2.0
// Whether the system bus answers: units, logins and power come from there.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "bus.path"));
	if (patient_is(patient, "bus.answers")) {
		return;
	}
	found(out, NULL, "the system bus does not answer");
	found_at(out, path, "%" STR_FMT, STR_ARG(patient_str(patient, "bus.error")));
}

DEFINE_CHECK(bus_silent) = {
	.id = "bus-silent",
	.title = "the system bus",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("bus"),
	.examine = examine,
	.fix = "systemctl status dbus",
};
