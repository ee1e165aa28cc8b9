// SPDX-License-Identifier: Apache-2.0
// One remedy being applied: what it is for, what it may use, and what is told of it afterwards. Remedies
// look again before they change anything (the facts are some seconds old) and refuse when it is not
// as it was.
#pragma once

#include "doctor/check.h"

struct treatment {
	const struct patient *patient;
	const struct finding *finding;
	struct arena *arena;
	// Told and audited; a remedy sets them. undo: the command that takes it back.
	const char *before, *after, *undo;
	// A method of the daemon; false with *err. params is a JSON object, or "".
	bool (*call)(struct treatment *treatment, const char *method, const char *params,
		struct err *err);
	// A program that must end with status 0 within 30 s.
	bool (*run)(struct treatment *treatment, const char *const *argv, struct err *err);
	void *arg;
};

// systemctl restart, when systemd runs this daemon; else refuses and says where to restart it.
_must_use_ bool treatment_restart(struct treatment *treatment, struct err *err);
// Renames a file to NAME.aside-N beside it.
_must_use_ bool treatment_move_aside(
	struct treatment *treatment, const char *path, struct err *err);
// Takes bits of a file's mode away and gives others; before, after and undo are set.
_must_use_ bool treatment_chmod(struct treatment *treatment, const char *path, unsigned take,
	unsigned give, struct err *err);
_must_use_ bool treatment_chown(
	struct treatment *treatment, const char *path, int64_t uid, struct err *err);
// A signal to the finding's process, if it is still the one that was seen (start time).
_must_use_ bool treatment_signal(
	struct treatment *treatment, int64_t start_ticks, int signal, struct err *err);
// The patient's text at that path, NUL-terminated.
const char *treatment_text(struct treatment *treatment, const char *path);
