// SPDX-License-Identifier: Apache-2.0
// Whether there is a daemon at all: nobody answers, and no annad is found by lock or command line.
// With systemd the unit's own state is the better evidence.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	if (patient_is(patient, "rpc.ok") || patient_has(patient, "processes.daemon") ||
		!(patient_says(patient, "rpc.error", "SocketNotFound") ||
			patient_says(patient, "rpc.error", "ConnectionRefused"))) {
		return;
	}
	bool is_enabled = patient_says(patient, "systemd.UnitFileState", "enabled");
	found(out, NULL, "annad is not running%s", is_enabled ? " though its unit is enabled" : "");
	found_at(out, "socket", "%" STR_FMT, STR_ARG(patient_str(patient, "rpc.message")));
	found_at(out, "/proc", "no annad for this socket and state folder");
	if (patient_has(patient, "systemd.ActiveState")) {
		found_at(out, "systemctl show", "%" STR_FMT " (%" STR_FMT "), result %" STR_FMT,
			STR_ARG(patient_str(patient, "systemd.ActiveState")),
			STR_ARG(patient_str(patient, "systemd.SubState")),
			STR_ARG(patient_str(patient, "systemd.Result")));
	}
}

static bool apply(struct treatment *treatment, struct err *err) {
	if (!patient_says(treatment->patient, "systemd.LoadState", "loaded")) {
		return err_set(err, ERR_UNAVAILABLE,
			"no unit of systemd is here to start: start annad where you start it");
	}
	const char *unit = treatment_text(treatment, "systemd.unit");
	const char *const argv[] = {"systemctl", "start", unit, NULL};
	treatment->before = "not running";
	treatment->after = "started by systemctl";
	treatment->undo = arena_printf(treatment->arena, "systemctl stop %s", unit);
	return treatment->run(treatment, argv, err);
}

static const struct remedy remedy = {
	.summary = "starts the unit with systemctl",
	.apply = apply,
};

DEFINE_CHECK(daemon_not_running) = {
	.id = "daemon-not-running",
	.title = "whether she runs",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("rpc", "processes"),
	.examine = examine,
	.fix = "systemctl start annad, or annad in a terminal",
	.remedy = &remedy,
};
