// SPDX-License-Identifier: Apache-2.0
// Whether the daemon takes a whole processor: she idles below one percent.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	double percent = patient_number(patient, "processes.daemon.cpu_percent", 0);
	// On a busy machine she does not get all she asks for.
	double wanted = patient_number(patient, "processes.daemon.runnable_percent", percent);
	if (percent < 90 && wanted < 95) {
		return;
	}
	found(out, NULL, "annad wants a whole processor all the time");
	found_at(out, "/proc/PID/schedstat",
		"over 0.4 s %.0f %% of a processor, and %.0f %% with the waiting for one, pid %lld",
		percent, wanted, (long long)patient_int(patient, "processes.daemon.pid", 0));
}

DEFINE_CHECK(daemon_spinning) = {
	.id = "daemon-spinning",
	.title = "processor time of her process",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("processes.daemon.cpu_percent"),
	.examine = examine,
	.fix = "kill -USR1 PID logs what the loop does; annactl events shows whether a flood comes "
	       "in",
};
