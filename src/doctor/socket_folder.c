// SPDX-License-Identifier: Apache-2.0
// Whether others could replace the socket: its folder must be the daemon's or root's and writable by
// nobody else. annad refuses to start otherwise.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t mode = patient_int(patient, "socket.folder.mode", 0);
	const char *path = arena_copy(out->arena, patient_str(patient, "socket.folder.path"));
	if (!(mode & 022)) {
		return;
	}
	found(out, NULL, "others may write to the socket's folder, and so replace the socket");
	found_at(out, path, "mode %04llo", (long long)mode);
	found_fix(out, "chmod go-w %s", quoted(out->arena, path));
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_chmod(
		treatment, treatment_text(treatment, "socket.folder.path"), 022, 0, err);
}

static const struct remedy remedy = {
	.summary = "takes the right to write from others",
	.apply = apply,
};

DEFINE_CHECK(socket_folder) = {
	.id = "socket-folder",
	.title = "the socket's folder",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("socket.folder.mode"),
	.examine = examine,
	.fix = "chmod go-w its folder",
	.remedy = &remedy,
};
