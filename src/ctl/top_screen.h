// SPDX-License-Identifier: Apache-2.0
// The screen of `annactl top`: who is busy in words, then the machine, processes, units and
// containers. On a terminal exactly as many lines as it has; elsewhere all that was told.
#pragma once

#include "ctl/output.h"

enum top_order {
	TOP_BY_CPU,
	TOP_BY_MEMORY,
	TOP_BY_IO
};

struct top_screen {
	enum top_order order;
	bool is_paused;
};

// One sample, as the method `top` answers it.
void top_draw(const struct top_screen *screen, struct output *output, const struct value *now);
// The first line alone: "cpu 83 % - mostly ffmpeg (render.service, 71 %)".
void top_format_headline(struct buf *out, const struct value *now, bool is_utf8);
// A command as people know it: without the folder of its program.
void top_format_command(struct buf *out, const struct value *process);
// 1536 as "1.5K": at most five columns.
void top_format_bytes(struct buf *out, double bytes);
