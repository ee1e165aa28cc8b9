// SPDX-License-Identifier: Apache-2.0
// Pieces that several commands draw alike: health, label-and-value lists, changes with arrows.
#pragma once

#include "ctl/output.h"
#include "ctl/table.h"

enum style style_of_state(struct str state); // health and capability and lifecycle words
// 10 for degraded, 11 for critical, else 0.
int exit_status_of_health(struct str health);

// Two columns without titles: a dim label and a value.
struct table *list_create(struct arena *arena);
_printf_(3, 4) void list_row(struct table *list, const char *label, const char *format, ...);
// " (+12)" when it changed since before; nothing without a before.
void append_delta(struct buf *out, int64_t now, int64_t before, bool has_before);
// The reasons of a health: an array of {level, part, text, next_step}, each with its next step.
void print_reasons(struct output *output, const struct value *reasons);
// "850 us", "1.2 ms", "3.40 s": a time measured.
void append_measured(struct buf *out, double us);
// "12 s", "3d 4h".
void append_uptime(struct buf *out, int64_t seconds);
