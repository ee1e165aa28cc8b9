// SPDX-License-Identifier: Apache-2.0
// Whether the lock that keeps a second daemon away is still where a second daemon would look: a file
// removed and made anew is another lock.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "lock.path"));
	int64_t pid = patient_int(patient, "status.pid", 0);
	if (patient_is(patient, "lock.exists") && patient_int(patient, "lock.holder", -1) != 0) {
		return;
	}
	if (patient_is(patient, "lock.exists") && !patient_has(patient, "lock.holder")) {
		return; // the kernel does not show who holds it
	}
	found(out, NULL,
		"annad (pid %lld) does not hold the lock of its state folder: a second "
		"one could start and write to the same journal",
		(long long)pid);
	found_at(out, path, patient_is(patient, "lock.exists") ? "held by nobody" : "not there");
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_restart(treatment, err);
}

static const struct remedy remedy = {
	.summary = "restarts the unit with systemctl",
	.lasting = "running actions are ended with the process",
	.apply = apply,
};

DEFINE_CHECK(lock_lost) = {
	.id = "lock-lost",
	.title = "whether her lock still holds",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("lock", "status"),
	.examine = examine,
	.fix = "systemctl restart annad",
	.remedy = &remedy,
};
