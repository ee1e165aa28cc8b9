// SPDX-License-Identifier: Apache-2.0
// Whether the state folder belongs to the user annad runs as; when she does not run, to whom the journal
// in it belongs. annad refuses a folder of somebody else.
#include "doctor/check.h"
#include "doctor/treatment.h"

// Who it should belong to: whom annad runs as, else who made the journal in it; -1: not known.
static int64_t find_owner(const struct patient *patient) {
	return patient_int(
		patient, "processes.daemon.uid", patient_int(patient, "state.journal_uid", -1));
}

static void examine(const struct patient *patient, struct findings *out) {
	int64_t uid = patient_int(patient, "state.uid", -1);
	int64_t wanted = find_owner(patient);
	const char *path = arena_copy(out->arena, patient_str(patient, "state.path"));
	if (wanted < 0) {
		not_made(out, "whom it should belong to is not known");
		return;
	}
	if (uid == wanted) {
		return;
	}
	found(out, NULL, "the state folder belongs to %" STR_FMT ", annad's files are of uid %lld",
		STR_ARG(patient_str(patient, "state.owner")), (long long)wanted);
	found_at(out, path, "uid %lld", (long long)uid);
	found_fix(out, "chown %lld %s", (long long)wanted, quoted(out->arena, path));
}

static bool apply(struct treatment *treatment, struct err *err) {
	int64_t wanted = find_owner(treatment->patient);
	if (wanted < 0) {
		return err_set(err, ERR_UNAVAILABLE, "whom it should belong to is not known");
	}
	return treatment_chown(treatment, treatment_text(treatment, "state.path"), wanted, err);
}

static const struct remedy remedy = {
	.summary = "gives the state folder to the daemon's user",
	.apply = apply,
};

DEFINE_CHECK(state_owner) = {
	.id = "state-owner",
	.title = "the state folder's owner",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("state.uid", "processes"),
	.examine = examine,
	.fix = "chown it to the daemon's user",
	.remedy = &remedy,
};
