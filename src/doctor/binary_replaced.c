// SPDX-License-Identifier: Apache-2.0
// Whether the program that runs is the one on the disk: by inode, not by a name or a version.
#include "doctor/check.h"
#include "doctor/treatment.h"

// From outside when that is allowed to this user, else by the daemon's own word.
static const struct value *find_program(const struct patient *patient) {
	return patient_has(patient, "processes.daemon.exe")
		? patient_get(patient, "processes.daemon")
		: patient_get(patient, "diagnosis");
}

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *program = find_program(patient);
	const char *path = arena_copy(out->arena, value_text(program, "exe"));
	int64_t running = value_number(program, "exe_inode", 0);
	int64_t on_disk = value_number(program, "on_disk_inode", 0);
	bool is_gone = !value_truth(program, "exe_on_disk");
	bool is_same = running == on_disk &&
		value_number(program, "exe_device", 0) ==
			value_number(program, "on_disk_device", 0);
	if (!path[0]) {
		not_made(out, "your user may not see which program runs");
		return;
	}
	if (!is_gone && is_same) {
		return;
	}
	found(out, NULL,
		is_gone ? "the program that runs was removed from the disk"
			: "the program on disk is not the one that runs: annad was upgraded "
			  "and not restarted");
	if (is_gone) {
		found_at(out, path, "not there any more");
	} else {
		found_at(out, path, "inode %lld, the running one is %lld", (long long)on_disk,
			(long long)running);
	}
	found_at(out, "installed", "%" STR_FMT, STR_ARG(patient_str(patient, "installed.says")));
}

static bool apply(struct treatment *treatment, struct err *err) {
	return treatment_restart(treatment, err);
}

static const struct remedy remedy = {
	.summary = "restarts the unit with systemctl",
	.lasting = "running actions are ended with the process",
	.apply = apply,
};

DEFINE_CHECK(binary_replaced) = {
	.id = "binary-replaced",
	.title = "whether the running program is the one on disk",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("processes.daemon"),
	.examine = examine,
	.fix = "systemctl restart annad",
	.remedy = &remedy,
};
