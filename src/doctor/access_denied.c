// SPDX-License-Identifier: Apache-2.0
// Whether this user may talk to the daemon. Not a fault of hers, but the reason why nothing else can
// be examined.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	if (!patient_says(patient, "rpc.error", "PermissionDenied")) {
		return;
	}
	found(out, NULL, "your user may not open the daemon's socket");
	found_at(out, "socket", "mode %04llo, owner %" STR_FMT,
		(long long)patient_int(patient, "socket.mode", 0),
		STR_ARG(patient_str(patient, "socket.owner")));
}

DEFINE_CHECK(access_denied) = {
	.id = "access-denied",
	.title = "whether you may ask her",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("rpc"),
	.examine = examine,
	.fix = "run it as root or as Anna's user, or join the group anna and log in again",
};
