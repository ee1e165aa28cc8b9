// SPDX-License-Identifier: Apache-2.0
// What a disk says of itself, from the JSON of smartctl(8) --json --all (smartmontools 7). Private to
// the source `smart`. What the report does not have stays unknown, never zero.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct smart_number {
	bool is_known;
	int64_t value;
};

struct smart_report {
	struct smart_number passed; // 1 or 0: the disk's own overall judgement
	struct smart_number celsius;
	struct smart_number power_on_hours;
	struct smart_number reallocated, pending,
		uncorrectable;				 // sectors (ATA attributes 5, 197, 198)
	struct smart_number media_errors;		 // NVMe
	struct smart_number used_percent, spare_percent; // NVMe endurance and what is in reserve
	struct smart_number critical_warning;		 // NVMe, bits
	bool is_asleep; // in standby: it was not woken, nothing else is known
	char model[64];
};

// False with *err when it is no report, or the disk could not be asked.
_must_use_ bool smart_parse(struct str json, struct smart_report *out, struct err *err);
// Why this disk should be replaced, as a sentence; false when nothing says so.
_must_use_ bool smart_is_failing(const struct smart_report *report, char *out, size_t size);
