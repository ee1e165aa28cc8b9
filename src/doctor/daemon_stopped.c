// SPDX-License-Identifier: Apache-2.0
// Whether the daemon's process is stopped by a signal or a debugger (proc_pid_stat(5), states T and t).
#include <signal.h>

#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	struct str state = patient_str(patient, "processes.daemon.state");
	int64_t pid = patient_int(patient, "processes.daemon.pid", 0);
	char where[64];
	if (!str_is(state, "T") && !str_is(state, "t")) {
		return;
	}
	(void)snprintf(where, sizeof(where), "/proc/%lld/stat", (long long)pid);
	found(out, NULL, "annad (pid %lld) is stopped%s and answers nobody", (long long)pid,
		str_is(state, "t") ? " by a debugger" : " by a signal");
	found_at(out, where, "state %" STR_FMT, STR_ARG(state));
	found_fix(out, str_is(state, "t") ? "detach the debugger from pid %lld" : "kill -CONT %lld",
		(long long)pid);
	found_pid(out, pid);
}

static bool apply(struct treatment *treatment, struct err *err) {
	int64_t started = patient_int(treatment->patient, "processes.daemon.start_ticks", 0);
	bool ok = treatment_signal(treatment, started, SIGCONT, err);
	treatment->undo = arena_printf(
		treatment->arena, "kill -STOP %lld", (long long)treatment->finding->pid);
	return ok;
}

static const struct remedy remedy = {
	.summary = "lets the process go on (SIGCONT)",
	.apply = apply,
};

DEFINE_CHECK(daemon_stopped) = {
	.id = "daemon-stopped",
	.title = "whether her process is stopped",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("processes.daemon"),
	.examine = examine,
	.fix = "kill -CONT its pid",
	.remedy = &remedy,
};
