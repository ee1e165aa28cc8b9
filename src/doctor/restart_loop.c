// SPDX-License-Identifier: Apache-2.0
// Starts after an end that was not orderly, within the last hour: by the journal's own records, and
// systemd's count.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t unclean = patient_int(patient, "journal.unclean_last_hour", 0);
	int64_t starts = patient_int(patient, "journal.starts_last_hour", 0);
	int64_t restarts = patient_int(patient, "systemd.NRestarts", 0);
	if (unclean < 3) {
		return;
	}
	found(out, NULL, "annad ended %lld times in disorder within the last hour",
		(long long)unclean);
	if (unclean >= 10) {
		found_severity(out, SEVERITY_CRITICAL);
	}
	found_at(out, "journal", "%lld starts, %lld of them after an end in disorder",
		(long long)starts, (long long)unclean);
	if (patient_has(patient, "systemd.NRestarts")) {
		found_at(out, "systemctl show", "NRestarts=%lld", (long long)restarts);
	}
}

DEFINE_CHECK(restart_loop) = {
	.id = "restart-loop",
	.title = "whether she keeps crashing",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("journal.unclean_last_hour"),
	.examine = examine,
	.fix = "journalctl -u annad -p warning; coredumpctl; annactl doctor report",
};
