// SPDX-License-Identifier: Apache-2.0
// One event as one line: time, id, kind, subject, key attributes. Used by events and why.
#pragma once

#include "ctl/output.h"

// "subject  key=value key=value": attributes in the order they were written but for `left_out`
// (NULL-terminated; or NULL), sanitised, not cut.
void event_format_detail(struct buf *out, const struct value *event, const char *const *left_out);
// The whole line with its end; cut to the terminal's width. Also takes {gap: …}.
void event_print_line(struct output *output, const struct value *event, int64_t now_wall_ns);
