// SPDX-License-Identifier: Apache-2.0
// Whether the socket takes connections and nobody answers on them, though the process runs: the
// deadlock that must never be reported as passed.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str state = patient_str(patient, "processes.daemon.state");
	bool is_explained = str_is(state, "T") || str_is(state, "t") || str_is(state, "D");
	int64_t pid = patient_int(
		patient, "processes.daemon.pid", patient_int(patient, "rpc.peer_pid", 0));
	if (!patient_says(patient, "rpc.error", "ConnectionTimeout") || is_explained) {
		return;
	}
	found(out, NULL, "nobody answers on the socket, though it takes connections");
	found_at(out, "socket", "%" STR_FMT, STR_ARG(patient_str(patient, "rpc.message")));
	if (pid > 0) {
		char where[64];
		(void)snprintf(where, sizeof(where), "/proc/%lld", (long long)pid);
		found_at(out, where, "%" STR_FMT ", state %" STR_FMT ", %.0f %% of a processor",
			STR_ARG(patient_str(patient, "processes.daemon.name")), STR_ARG(state),
			patient_number(patient, "processes.daemon.cpu_percent", 0));
	}
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_restart(treatment, err);
}

static const struct remedy remedy = {
	.summary = "restarts the unit with systemctl",
	.lasting = "what she was doing is lost with the process",
	.apply = apply,
};

DEFINE_CHECK(daemon_silent) = {
	.id = "daemon-silent",
	.title = "whether she answers",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("rpc"),
	.examine = examine,
	.fix = "journalctl -u annad -n 50 says what she did last; then systemctl restart annad",
	.remedy = &remedy,
};
