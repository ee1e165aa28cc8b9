// SPDX-License-Identifier: Apache-2.0
// Records that were durable once and do not read back: verified frame by frame, as far as a second
// allows (the evidence says how far).
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "journal.path"));
	const struct value *damage = patient_item(patient, "journal.damage", 0);
	if (!damage) {
		return;
	}
	found(out, NULL, "%lld places of the journal are damaged: the events there are lost",
		(long long)patient_int(patient, "journal.damage_count", 1));
	for (size_t i = 0; (damage = patient_item(patient, "journal.damage", i)); i++) {
		found_at(out, path, "stream %" STR_FMT ", segment %016llx: events %lld to %lld",
			STR_ARG(value_text(damage, "stream")),
			(unsigned long long)value_number(damage, "segment", 0),
			(long long)value_number(damage, "from", 0),
			(long long)value_number(damage, "to", 0));
	}
	found_at(out, path, "%lld of %lld bytes verified",
		(long long)patient_int(patient, "journal.verified_bytes", 0),
		(long long)patient_int(patient, "journal.total_bytes", 0));
}

DEFINE_CHECK(journal_damaged) = {
	.id = "journal-damaged",
	.title = "the journal's records",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("journal"),
	.examine = examine,
	.fix = "check the disk (smartctl -a, dmesg); annad reads around it, and the rest is whole",
};
