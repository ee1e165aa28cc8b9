// SPDX-License-Identifier: Apache-2.0
// Whether the socket's file is gone while the daemon runs: she listens on a name nobody can open.
#include "doctor/check.h"
#include "doctor/treatment.h"

static void examine(const struct patient *patient, struct findings *out) {
	bool exists = patient_is(patient, "socket.exists");
	int64_t listeners = patient_int(patient, "socket.listeners", -1);
	// One that has just been started has not made it yet: daemon-not-ready.
	bool is_young = patient_int(patient, "processes.daemon.age_seconds", 3600) < 10;
	const char *path = arena_copy(out->arena, patient_str(patient, "socket.path"));
	bool is_dead = exists && patient_says(patient, "socket.type", "socket") && listeners == 0;
	if (patient_is(patient, "rpc.ok") || (exists && !is_dead) || (is_young && listeners <= 0)) {
		return;
	}
	found(out, NULL, "%s, though annad (pid %lld) runs",
		exists ? "nobody listens on the socket" : "the socket is gone",
		(long long)patient_int(patient, "processes.daemon.pid", 0));
	found_at(out, path, exists ? "a socket without a listener" : "not there");
	if (listeners > 0) {
		found_at(out, "/proc/net/unix", "a socket of that name still listens");
	}
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_restart(treatment, err);
}

static const struct remedy remedy = {
	.summary = "restarts the unit with systemctl",
	.lasting = "running actions are ended with the process",
	.apply = apply,
};

DEFINE_CHECK(socket_missing) = {
	.id = "socket-missing",
	.title = "whether her socket is there",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("socket", "processes.daemon"),
	.examine = examine,
	.fix = "systemctl restart annad makes it anew; see what removes files there",
	.remedy = &remedy,
};
