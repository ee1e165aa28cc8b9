// SPDX-License-Identifier: Apache-2.0
// Whether systemd holds the unit to have failed, and how.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str result = patient_str(patient, "systemd.Result");
	if (!patient_says(patient, "systemd.ActiveState", "failed")) {
		return;
	}
	found(out, NULL, "the unit has failed: %" STR_FMT "%s", STR_ARG(result),
		str_is(result, "watchdog") ? ", she did not move and was killed" : "");
	found_at(out, "systemctl show", "Result=%" STR_FMT ", status %lld", STR_ARG(result),
		(long long)patient_int(patient, "systemd.ExecMainStatus", 0));
}

DEFINE_CHECK(unit_failed) = {
	.id = "unit-failed",
	.title = "the unit's state",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("systemd"),
	.examine = examine,
	.fix = "journalctl -u annad -n 50 says why; then systemctl reset-failed annad; systemctl "
	       "start annad",
};
