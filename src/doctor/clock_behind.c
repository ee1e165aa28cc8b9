// SPDX-License-Identifier: Apache-2.0
// Whether the wall clock is behind what the journal has seen, or before this program was made.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t now = patient_int(patient, "clock.wall_ns", 0);
	int64_t newest = patient_int(patient, "journal.newest_ns", 0);
	// 2025-01-01: no build is older.
	if (now < INT64_C(1735689600) * 1000000000) {
		found(out, NULL, "the clock is wrong: it is before this program was made");
		found_severity(out, SEVERITY_CRITICAL);
		found_at(out, "clock", "%lld s since 1970", (long long)(now / 1000000000));
	} else if (newest > now + INT64_C(60) * 1000000000) {
		found(out, NULL, "the clock went back: the newest event is %.0f s in the future",
			(double)(newest - now) / 1e9);
		found_at(out, "journal", "time of the newest record");
	}
}

DEFINE_CHECK(clock_behind) = {
	.id = "clock-behind",
	.title = "whether the clock went back",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("clock"),
	.examine = examine,
	.fix = "timedatectl status; correct the clock: timers and time windows go by it",
};
