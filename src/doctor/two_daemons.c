// SPDX-License-Identifier: Apache-2.0
// Whether more than one annad is at these places: by the lock, by who answers, by command lines.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t answers = patient_int(patient, "rpc.peer_pid", 0);
	int64_t holder = patient_int(patient, "lock.holder", 0);
	const struct value *other = patient_item(patient, "processes.others", 0);
	if (other) {
		found(out, NULL, "another annad runs at the same socket or state folder");
		for (size_t i = 0; (other = patient_item(patient, "processes.others", i)); i++) {
			char where[64];
			(void)snprintf(where, sizeof(where), "/proc/%lld",
				(long long)value_number(other, "pid", 0));
			found_at(out, where, "annad, beside pid %lld",
				(long long)patient_int(patient, "processes.daemon.pid", 0));
		}
	} else if (answers > 0 && holder > 0 && answers != holder &&
		patient_is(patient, "rpc.ok")) {
		found(out, NULL, "pid %lld answers on the socket, pid %lld holds the state folder",
			(long long)answers, (long long)holder);
		found_at(out, "/proc/locks", "pid %lld", (long long)holder);
	}
}

DEFINE_CHECK(two_daemons) = {
	.id = "two-daemons",
	.title = "other daemons at the same places",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("processes.others"),
	.examine = examine,
	.fix = "stop the one you did not mean; give each a --state-dir and --socket of its own",
};
