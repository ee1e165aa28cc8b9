// SPDX-License-Identifier: Apache-2.0
// Whether the lock names a process that does not hold it: a crash, or garbage. annad goes by the lock
// itself (flock(2)) and not by its text, so it starts all the same; people and scripts go by the text.
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	int64_t pid = patient_int(patient, "lock.pid", 0);
	bool is_garbage = patient_is(patient, "lock.is_garbage");
	const char *path = arena_copy(out->arena, patient_str(patient, "lock.path"));
	if (patient_int(patient, "lock.holder", -1) != 0 || (pid == 0 && !is_garbage) ||
		patient_has(patient, "processes.daemon")) {
		return;
	}
	if (is_garbage) {
		found(out, NULL, "the lock of the state folder holds no process id");
	} else {
		found(out, NULL,
			"the lock names pid %lld, which does not hold it: the last annad "
			"did not stop in an orderly way",
			(long long)pid);
	}
	found_at(out, path, "\"%" STR_FMT "\"", STR_ARG(patient_str(patient, "lock.text")));
	found_at(out, "/proc/locks", "nobody holds it");
}

static bool apply(struct treatment *treatment, struct err *err) {
	const char *path = treatment_text(treatment, "lock.path");
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool ok = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
	if (fd < 0 || (!ok && errno != EWOULDBLOCK)) {
		err_errno(err, "cannot lock %s", path);
	} else if (!ok) {
		err_set(err, ERR_BUSY, "an annad holds %s now: it is left alone", path);
	} else if (ftruncate(fd, 0) < 0) {
		ok = err_errno(err, "cannot empty %s", path);
	}
	if (fd >= 0) {
		close(fd);
	}
	treatment->before = treatment_text(treatment, "lock.text");
	treatment->after = "empty";
	return ok;
}

static const struct remedy remedy = {
	.summary = "empties the lock, which nobody holds",
	.apply = apply,
};

DEFINE_CHECK(lock_stale) = {
	.id = "lock-stale",
	.title = "what the lock says",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("lock.holder"),
	.examine = examine,
	.fix = "start annad, which writes it anew",
	.remedy = &remedy,
};
