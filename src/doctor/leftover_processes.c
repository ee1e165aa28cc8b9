// SPDX-License-Identifier: Apache-2.0
// Commands an earlier daemon started for an event and that nobody watches any more. With keep_children
// that may be meant.
#include <poll.h>
#include <signal.h>

#include "doctor/check.h"
#include "doctor/process.h"
#include "doctor/treatment.h"

// How long it may take to end by itself.
#define TERM_ROUNDS 20
#define TERM_ROUND_MS 100

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *left;
	if (!patient_is(patient, "leftovers.sees_environments")) {
		not_made(out, "your user may not see what other users' processes were started for");
		return;
	}
	for (size_t i = 0; (left = patient_item(patient, "leftovers.items", i)); i++) {
		int64_t pid = value_number(left, "pid", 0);
		const char *which = arena_printf(out->arena, "pid %lld", (long long)pid);
		found(out, which,
			"%" STR_FMT " (pid %lld) was started by mapping %" STR_FMT
			" and outlived its annad",
			STR_ARG(value_text(left, "name")), (long long)pid,
			STR_ARG(value_text(left, "mapping")));
		found_at(out, arena_printf(out->arena, "/proc/%lld/environ", (long long)pid),
			"ANNA_EVENT_ID=%lld", (long long)value_number(left, "event", 0));
		found_fix(out, "kill %lld", (long long)pid);
		found_pid(out, pid);
	}
}

static bool apply(struct treatment *treatment, struct err *err) {
	const struct value *left;
	struct process process;
	int64_t started = -1;
	for (size_t i = 0; (left = patient_item(treatment->patient, "leftovers.items", i)); i++) {
		if (value_number(left, "pid", 0) == treatment->finding->pid) {
			started = value_number(left, "start_ticks", -1);
		}
	}
	if (!treatment_signal(treatment, started, SIGTERM, err)) {
		return false;
	}
	for (int i = 0; i < TERM_ROUNDS; i++) {
		if (!process_read((int)treatment->finding->pid, &process) ||
			process.start_ticks != started || process.state == 'Z') {
			return true;
		}
		(void)poll(NULL, 0, TERM_ROUND_MS);
	}
	return treatment_signal(treatment, started, SIGKILL, err);
}

static const struct remedy remedy = {
	.summary = "ends the process (TERM, then KILL)",
	.lasting = "a process cannot be brought back",
	.apply = apply,
};

DEFINE_CHECK(leftover_processes) = {
	.id = "leftover-processes",
	.title = "commands left behind",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("leftovers"),
	.examine = examine,
	.fix = "kill the processes named, unless they are meant to stay (keep_children)",
	.remedy = &remedy,
};
