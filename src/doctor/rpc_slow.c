// SPDX-License-Identifier: Apache-2.0
// How long answers take: by the doctor's own pings, and by the daemon's last minute.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *reason = patient_reason(patient, "rpc");
	int64_t p95 = patient_int(patient, "rpc.ping_p95_us", 0);
	if (p95 < 200000 && !reason) {
		return;
	}
	found(out, NULL, "annad answers slowly");
	if (p95 >= 500000 || (reason && str_is(value_text(reason, "level"), "critical"))) {
		found_severity(out, SEVERITY_CRITICAL);
	}
	found_at(out, "ping", "95 of 100 within %.1f ms", (double)p95 / 1e3);
	if (reason) {
		found_at(out, "health", "%" STR_FMT, STR_ARG(value_text(reason, "text")));
	}
}

DEFINE_CHECK(rpc_slow) = {
	.id = "rpc-slow",
	.title = "how fast she answers",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("rpc.ping_p95_us"),
	.examine = examine,
	.fix = "annactl health; a busy machine, a slow disk under emit, or a busy loop (loop-slow)",
};
