// SPDX-License-Identifier: Apache-2.0
// Whether the socket may be opened by those the configuration names: 0660, or 0666 with rpc.others.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t mode = patient_int(patient, "socket.mode", -1);
	int64_t wanted = patient_int(patient, "diagnosis.socket_mode", -1);
	const char *path = arena_copy(out->arena, patient_str(patient, "socket.path"));
	if (!patient_says(patient, "socket.type", "socket") || mode < 0 || mode == wanted) {
		return;
	}
	found(out, NULL, "the socket has the mode %04llo, not %04llo%s", (long long)mode,
		(long long)wanted,
		mode & ~wanted & 7 ? ": users may talk to annad who should not" : "");
	found_at(out, path, "mode %04llo", (long long)mode);
	found_fix(out, "chmod %04llo %s", (long long)wanted, quoted(out->arena, path));
}

static bool apply(struct treatment *treatment, struct err *err) {
	unsigned wanted = (unsigned)patient_int(treatment->patient, "diagnosis.socket_mode", 0660);
	return treatment_chmod(
		treatment, treatment_text(treatment, "socket.path"), 07777, wanted, err);
}

static const struct remedy remedy = {
	.summary = "gives the socket its mode again",
	.apply = apply,
};

DEFINE_CHECK(socket_mode) = {
	.id = "socket-mode",
	.title = "the socket's mode",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("socket", "diagnosis.socket_mode"),
	.examine = examine,
	.fix = "chmod it back",
	.remedy = &remedy,
};
