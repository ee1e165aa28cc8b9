// SPDX-License-Identifier: Apache-2.0
// Whether annactl and the daemon mean the same by their answers (`contract` in status).
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t ours = patient_int(patient, "client.contract", 0);
	int64_t hers = patient_int(patient, "status.contract", 0);
	if (ours == hers) {
		return;
	}
	found(out, NULL,
		"annactl and annad are of different contracts: what annactl shows may be "
		"wrong");
	found_at(out, "status", "contract %lld; this annactl knows %lld", (long long)hers,
		(long long)ours);
}

DEFINE_CHECK(contract_differs) = {
	.id = "contract-differs",
	.title = "the contract of client and daemon",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("client", "status"),
	.examine = examine,
	.fix = "install both from the same package, then systemctl restart annad",
};
