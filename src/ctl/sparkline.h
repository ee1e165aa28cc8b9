// SPDX-License-Identifier: Apache-2.0
// A line of small bars: how a figure went, the newest on the right.
#pragma once

#include "base/buf.h"
#include "formats/value.h"

// Appends `columns` characters for the last so many numbers of the array `values`, on a scale from 0 to
// the largest of them, but at least `full`: noise below that is drawn flat. Where there was no number
// (null), a blank. Without UTF-8 in characters of ASCII.
void sparkline_append(
	struct buf *out, const struct value *values, size_t columns, double full, bool is_utf8);
