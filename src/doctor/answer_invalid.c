// SPDX-License-Identifier: Apache-2.0
// Whether what listens on the socket speaks as annad does; something else there would be believed
// otherwise.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	if (!patient_says(patient, "rpc.error", "InvalidAnswer")) {
		return;
	}
	found(out, NULL, "what answers on the socket is not annad, or broken");
	found_at(out, "socket", "%" STR_FMT, STR_ARG(patient_str(patient, "rpc.message")));
	if (patient_int(patient, "rpc.peer_pid", 0) > 0) {
		found_at(out, "SO_PEERCRED", "pid %lld listens there",
			(long long)patient_int(patient, "rpc.peer_pid", 0));
	}
}

DEFINE_CHECK(answer_invalid) = {
	.id = "answer-invalid",
	.title = "who answers on the socket",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("rpc"),
	.examine = examine,
	.fix = "see who listens: ss -xlp; stop it, then start annad",
};
