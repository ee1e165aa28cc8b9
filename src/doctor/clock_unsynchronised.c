// SPDX-License-Identifier: Apache-2.0
// Whether the kernel holds the wall clock to be synchronised: times of events are only as good.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	if (patient_is(patient, "clock.is_synchronised")) {
		return;
	}
	found(out, NULL, "the clock is not synchronised: times of events may be wrong");
	found_at(out, "adjtimex", "unsynchronised, error up to %.1f s",
		(double)patient_int(patient, "clock.max_error_us", 0) / 1e6);
}

DEFINE_CHECK(clock_unsynchronised) = {
	.id = "clock-unsynchronised",
	.title = "whether the clock is synchronised",
	.severity = SEVERITY_INFO,
	.needs = NEEDS("clock.is_synchronised"),
	.examine = examine,
	.fix = "timedatectl set-ntp true",
};
