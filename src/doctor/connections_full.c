// SPDX-License-Identifier: Apache-2.0
// Whether the daemon refuses connections because it has as many as it takes.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t refused = patient_int(patient, "health.rpc.refused_connections", 0);
	int64_t open = patient_int(patient, "health.rpc.connections", 0);
	int64_t most = patient_int(patient, "diagnosis.max_connections", 0);
	if (patient_says(patient, "rpc.error", "ResourceBusy")) {
		found(out, NULL, "annad refuses connections: it has as many as it takes");
		found_severity(out, SEVERITY_CRITICAL);
		found_at(out, "socket", "%" STR_FMT, STR_ARG(patient_str(patient, "rpc.message")));
	} else if (most > 0 && open >= most - most / 10) {
		found(out, NULL, "%lld of %lld connections are taken, %lld were refused so far",
			(long long)open, (long long)most, (long long)refused);
		found_at(out, "health", "rpc.connections");
	}
}

DEFINE_CHECK(connections_full) = {
	.id = "connections-full",
	.title = "room for connections",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("rpc"),
	.examine = examine,
	.fix = "see who holds them: ss -xp | grep annad; or raise rpc.max_connections",
};
