// SPDX-License-Identifier: Apache-2.0
// The traceparent header (W3C Trace Context §3.2). Ids are never all zero, whatever the random
// numbers are.
#include "formats/trace.h"

static bool is_zero(const uint8_t *bytes, size_t n) {
	uint8_t all = 0;
	for (size_t i = 0; i < n; i++) {
		all |= bytes[i];
	}
	return !all;
}

static void fill_id(struct random *random, uint8_t *bytes, size_t n) {
	random_fill(random, bytes, n);
	if (is_zero(bytes, n)) {
		bytes[n - 1] = 1;
	}
}

void trace_init(struct trace *trace, struct random *random) {
	fill_id(random, trace->trace_id, sizeof(trace->trace_id));
	fill_id(random, trace->span_id, sizeof(trace->span_id));
	trace->flags = 1;
}

void trace_child(struct trace *out, const struct trace *parent, struct random *random) {
	*out = *parent;
	fill_id(random, out->span_id, sizeof(out->span_id));
}

static void append_hex(struct buf *out, const uint8_t *bytes, size_t n) {
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		buf_append_char(out, digits[bytes[i] >> 4]);
		buf_append_char(out, digits[bytes[i] & 15]);
	}
}

void trace_format(struct buf *out, const struct trace *trace) {
	buf_append_text(out, "00-");
	append_hex(out, trace->trace_id, sizeof(trace->trace_id));
	buf_append_char(out, '-');
	append_hex(out, trace->span_id, sizeof(trace->span_id));
	buf_append_char(out, '-');
	append_hex(out, &trace->flags, 1);
}

static int digit_of(char c) {
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Exactly 2 * n lower-case digits.
static bool take_hex(struct str *rest, uint8_t *out, size_t n) {
	if (rest->len < 2 * n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		int high = digit_of(rest->at[2 * i]), low = digit_of(rest->at[2 * i + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		out[i] = (uint8_t)(high << 4 | low);
	}
	*rest = str_skip(*rest, 2 * n);
	return true;
}

static bool take_dash(struct str *rest) {
	bool is_dash = rest->len && rest->at[0] == '-';
	*rest = str_skip(*rest, is_dash);
	return is_dash;
}

bool trace_parse(struct str text, struct trace *out) {
	struct trace trace;
	uint8_t version;
	if (!take_hex(&text, &version, 1) || version == 0xff || !take_dash(&text) ||
		!take_hex(&text, trace.trace_id, sizeof(trace.trace_id)) || !take_dash(&text) ||
		!take_hex(&text, trace.span_id, sizeof(trace.span_id)) || !take_dash(&text) ||
		!take_hex(&text, &trace.flags, 1)) {
		return false;
	}
	// Version 00 ends here; a later one may go on behind a dash, which is then not read (§4.3).
	if (text.len && (version == 0 || text.at[0] != '-')) {
		return false;
	}
	if (is_zero(trace.trace_id, sizeof(trace.trace_id)) ||
		is_zero(trace.span_id, sizeof(trace.span_id))) {
		return false;
	}
	if (version != 0) {
		trace.flags &= 1; // only this bit is defined for versions not known
	}
	*out = trace;
	return true;
}
