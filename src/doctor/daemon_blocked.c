// SPDX-License-Identifier: Apache-2.0
// Whether the daemon waits in the kernel for a disk or a mount (state D) and answers nobody.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t pid = patient_int(patient, "processes.daemon.pid", 0);
	struct str wait = patient_str(patient, "processes.daemon.wchan");
	char where[64];
	// For a moment every process is in it: twice, and silent as well, it is stuck.
	if (!patient_says(patient, "processes.daemon.state", "D") ||
		!patient_says(patient, "processes.daemon.state_after", "D") ||
		patient_is(patient, "rpc.ok")) {
		return;
	}
	(void)snprintf(where, sizeof(where), "/proc/%lld/wchan", (long long)pid);
	found(out, NULL, "annad (pid %lld) waits in the kernel for a disk or a mount",
		(long long)pid);
	found_at(out, where, "%" STR_FMT, STR_ARG(wait.len ? wait : STR("not shown to your user")));
}

DEFINE_CHECK(daemon_blocked) = {
	.id = "daemon-blocked",
	.title = "whether her process is stuck in the kernel",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("processes.daemon", "rpc"),
	.examine = examine,
	.fix = "dmesg and df show what does not answer; she goes on when it does",
};
