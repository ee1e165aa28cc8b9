// SPDX-License-Identifier: Apache-2.0
// Segments that cannot be read at all: of a newer version, or by an error of the disk.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const char *path = arena_copy(out->arena, patient_str(patient, "journal.path"));
	const struct value *segment = patient_item(patient, "journal.unreadable", 0);
	if (!segment) {
		return;
	}
	found(out, NULL, "%lld files of the journal cannot be read",
		(long long)patient_int(patient, "journal.unreadable_count", 1));
	for (size_t i = 0; (segment = patient_item(patient, "journal.unreadable", i)); i++) {
		found_at(out, path, "stream %" STR_FMT ", segment %016llx: %" STR_FMT,
			STR_ARG(value_text(segment, "stream")),
			(unsigned long long)value_number(segment, "segment", 0),
			STR_ARG(value_text(segment, "text")));
	}
}

DEFINE_CHECK(journal_unreadable) = {
	.id = "journal-unreadable",
	.title = "whether the journal's files can be read",
	.severity = SEVERITY_CRITICAL,
	.needs = NEEDS("journal"),
	.examine = examine,
	.fix = "of a newer version: install that annad again; an error of the disk: dmesg, "
	       "smartctl -a",
};
