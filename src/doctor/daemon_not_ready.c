// SPDX-License-Identifier: Apache-2.0
// Whether the daemon has been starting or stopping for longer than that takes.
#include "doctor/check.h"

// Reading a large journal at the start takes seconds.
#define YOUNG_SECONDS 10

static void examine(const struct patient *patient, struct findings *out) {
	struct str state = patient_str(patient, "status.state");
	int64_t up = patient_int(patient, "status.uptime_seconds", 0);
	int64_t age = patient_int(patient, "processes.daemon.age_seconds", YOUNG_SECONDS);
	bool is_silent = patient_says(patient, "rpc.error", "SocketNotFound") ||
		patient_says(patient, "rpc.error", "ConnectionRefused");
	if (is_silent && age < YOUNG_SECONDS) {
		found(out, NULL, "annad was started %lld s ago and does not answer yet",
			(long long)age);
		found_at(out, "socket", "%" STR_FMT, STR_ARG(patient_str(patient, "rpc.message")));
	} else if (str_is(state, "stopping") || (str_is(state, "starting") && up >= 30)) {
		found(out, NULL, "annad is %" STR_FMT ", %lld s after its start", STR_ARG(state),
			(long long)up);
		found_at(out, "status", "state %" STR_FMT, STR_ARG(state));
	} else if (!patient_has(patient, "status")) {
		not_made(out, arena_copy(out->arena, patient_str(patient, "rpc.message")));
	}
}

DEFINE_CHECK(daemon_not_ready) = {
	.id = "daemon-not-ready",
	.title = "whether she got ready",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("rpc", "processes"),
	.examine = examine,
	.fix = "annactl status again in a minute; journalctl -u annad -n 50 says what it waits for",
};
