// SPDX-License-Identifier: Apache-2.0
// Whether connections are broken off before they are answered.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	if (!patient_says(patient, "rpc.error", "ConnectionClosed") &&
		!patient_says(patient, "rpc.error", "ConnectionReset")) {
		return;
	}
	found(out, NULL, "connections to the socket are closed before they are answered");
	found_at(out, "socket", "%" STR_FMT, STR_ARG(patient_str(patient, "rpc.message")));
}

DEFINE_CHECK(answer_broken_off) = {
	.id = "answer-broken-off",
	.title = "whether connections last",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("rpc"),
	.examine = examine,
	.fix = "journalctl -u annad -n 50; annactl version compares client and daemon",
};
