// SPDX-License-Identifier: Apache-2.0
// Limits of the unit that annad cannot live with: memory below her own thresholds, few tasks or files.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t memory = patient_int(patient, "systemd.MemoryMax", 0);
	int64_t tasks = patient_int(patient, "systemd.TasksMax", 0);
	int64_t files = patient_int(patient, "systemd.LimitNOFILE", 0);
	// 32 MiB: twice what she takes idle. 16 tasks: her threads and a few commands.
	if ((memory == 0 || memory >= INT64_C(32) << 20) && (tasks == 0 || tasks >= 16) &&
		(files == 0 || files >= 256)) {
		return;
	}
	found(out, NULL, "the unit's limits are too tight for annad");
	found_at(out, "systemctl show", "MemoryMax=%lld TasksMax=%lld LimitNOFILE=%lld",
		(long long)memory, (long long)tasks, (long long)files);
}

DEFINE_CHECK(unit_limits) = {
	.id = "unit-limits",
	.title = "the unit's limits",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("systemd"),
	.examine = examine,
	.fix = "systemctl edit annad: MemoryMax=80M, TasksMax=64, LimitNOFILE=1024",
};
