// SPDX-License-Identifier: Apache-2.0
// W3C Trace Context (www.w3.org/TR/trace-context/, level 1): 16 bytes of trace, 8 of span.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/random.h"
#include "base/str.h"

struct trace {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t flags; // bit 0: sampled
};

#define TRACE_TEXT_LEN 55

// A new trace with a new span, sampled.
void trace_init(struct trace *trace, struct random *random);
// A new span in the parent's trace.
void trace_child(struct trace *out, const struct trace *parent, struct random *random);
// "00-<32 hex>-<16 hex>-<2 hex>"
void trace_format(struct buf *out, const struct trace *trace);
// False for anything the specification calls invalid (all-zero ids, upper case, version ff).
bool trace_parse(struct str text, struct trace *out);
