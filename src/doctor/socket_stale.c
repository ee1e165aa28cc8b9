// SPDX-License-Identifier: Apache-2.0
// Whether a socket lies there that nobody listens on, and no daemon runs: what a crash leaves. A
// starting annad removes it herself; other programs stumble over it.
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	if (!patient_is(patient, "socket.exists") ||
		!patient_says(patient, "socket.type", "socket") ||
		patient_int(patient, "socket.listeners", 1) != 0 ||
		patient_has(patient, "processes.daemon")) {
		return;
	}
	found(out, NULL, "a socket lies there that nobody listens on");
	found_at(out, arena_copy(out->arena, patient_str(patient, "socket.path")),
		"owner %" STR_FMT, STR_ARG(patient_str(patient, "socket.owner")));
	found_at(out, "/proc/net/unix", "no listener of that name");
}

static bool apply(struct treatment *treatment, struct err *err) {
	const char *path = treatment_text(treatment, "socket.path");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode)) {
		return err_set(err, ERR_NOT_FOUND, "%s is not the socket any more", path);
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool is_refused = fd >= 0 &&
		connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
		errno == ECONNREFUSED;
	if (fd >= 0) {
		close(fd);
	}
	if (!is_refused) {
		return err_set(err, ERR_BUSY, "somebody listens on %s now: it is left alone", path);
	}
	treatment->before = "a socket without a listener";
	treatment->after = "removed";
	return unlink(path) == 0 || err_errno(err, "cannot remove %s", path);
}

static const struct remedy remedy = {
	.summary = "removes the socket nobody listens on",
	.lasting = "a socket cannot be put back, and annad makes a new one",
	.apply = apply,
};

DEFINE_CHECK(socket_stale) = {
	.id = "socket-stale",
	.title = "leftover socket files",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("socket.listeners", "processes"),
	.examine = examine,
	.fix = "start annad, which removes it; or rm it",
	.remedy = &remedy,
};
