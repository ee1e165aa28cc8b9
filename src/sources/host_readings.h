// SPDX-License-Identifier: Apache-2.0
// Readings: numbers found here and there in /sys, in whatever order, to be shown family by family.
// Zeroed memory is an empty set; all it holds lives in its arena until the next clear.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct exposition;

#define READING_LABELS 12
#define READINGS_MAX 65536

struct reading {
	const char *family, *type, *help;
	const char *labels[2 * READING_LABELS + 1]; // name, value, …, NULL
	double value;
};

struct readings {
	struct arena *memory;
	struct reading **items;
	size_t n, cap;
};

// Empties the set and makes it ready to be filled.
void readings_clear(struct readings *readings);
// A text that lives as long as the readings: clean UTF-8, whatever the bytes were.
const char *readings_text(struct readings *readings, struct str bytes);
_printf_(2, 3) const char *readings_name(struct readings *readings, const char *format, ...);
// labels: name, value pairs, ended by NULL, all of them living as long as the readings. Beyond
// READINGS_MAX nothing is added; NULL then.
__attribute__((sentinel)) struct reading *readings_add(struct readings *readings,
	const char *family, const char *type, const char *help, double value, ...);
// Writes them all, families in the order of their names, samples in the order they were added.
void readings_collect(const struct readings *readings, struct exposition *out);
void readings_finish(struct readings *readings);
