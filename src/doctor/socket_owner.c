// SPDX-License-Identifier: Apache-2.0
// Whether the socket belongs to the daemon's user: another owner could replace it.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t uid = patient_int(patient, "socket.uid", -1);
	int64_t wanted = patient_int(patient, "processes.daemon.uid", -1);
	const char *path = arena_copy(out->arena, patient_str(patient, "socket.path"));
	// systemd makes sockets of socket units as root.
	if (!patient_says(patient, "socket.type", "socket") || uid < 0 || wanted < 0 ||
		uid == wanted || uid == 0) {
		return;
	}
	found(out, NULL, "the socket belongs to %" STR_FMT ", annad runs as uid %lld",
		STR_ARG(patient_str(patient, "socket.owner")), (long long)wanted);
	found_at(out, path, "uid %lld", (long long)uid);
	found_fix(out, "chown %lld %s", (long long)wanted, quoted(out->arena, path));
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_chown(treatment, treatment_text(treatment, "socket.path"),
		patient_int(treatment->patient, "processes.daemon.uid", 0), err);
}

static const struct remedy remedy = {
	.summary = "gives the socket back to the daemon's user",
	.apply = apply,
};

DEFINE_CHECK(socket_owner) = {
	.id = "socket-owner",
	.title = "the socket's owner",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("socket", "processes.daemon"),
	.examine = examine,
	.fix = "chown it back",
	.remedy = &remedy,
};
