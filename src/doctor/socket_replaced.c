// SPDX-License-Identifier: Apache-2.0
// Whether something else than a socket is at the socket's path: annad never removes what she did not
// make, and refuses to start.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str type = patient_str(patient, "socket.type");
	const char *path = arena_copy(out->arena, patient_str(patient, "socket.path"));
	if (!patient_is(patient, "socket.exists") || str_is(type, "socket")) {
		return;
	}
	found(out, NULL, "at the socket's path is a %" STR_FMT ", not a socket", STR_ARG(type));
	found_at(out, path, "%" STR_FMT ", owner %" STR_FMT, STR_ARG(type),
		STR_ARG(patient_str(patient, "socket.owner")));
	found_fix(out, "mv %s %s.aside, then restart annad; or name another socket with --socket",
		quoted(out->arena, path), quoted(out->arena, path));
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_move_aside(treatment, treatment_text(treatment, "socket.path"), err);
}

static const struct remedy remedy = {
	.summary = "moves what is there aside",
	.apply = apply,
};

DEFINE_CHECK(socket_replaced) = {
	.id = "socket-replaced",
	.title = "what is at the socket's path",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("socket"),
	.examine = examine,
	.fix = "move it away, then restart annad",
	.remedy = &remedy,
};
