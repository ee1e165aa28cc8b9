// SPDX-License-Identifier: Apache-2.0
// The pure half of output.h: making text safe, measuring and cutting it, and writing numbers and
// times the way people read them.
#include <time.h>

#include "base/clock.h"
#include "ctl/output.h"

// Decodes one well-formed UTF-8 sequence (RFC 3629); 0 bytes when it is none.
static size_t decode(struct str s, uint32_t *out_point) {
	unsigned char c = (unsigned char)s.at[0];
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t point = len == 1 ? c : c & (0x7fu >> len);
	if (len > s.len || !str_is_utf8(str_head(s, len))) {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		point = point << 6 | ((unsigned char)s.at[i] & 0x3f);
	}
	*out_point = point;
	return len;
}

// Characters that a terminal, or the order in which it shows a line, would act on.
static bool is_unsafe(uint32_t point) {
	return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x061c ||
		point == 0x200e || point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
		(point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

void text_sanitise(struct buf *out, struct str text) {
	while (text.len > 0) {
		uint32_t point = 0;
		size_t len = decode(text, &point);
		if (len == 0) {
			buf_appendf(out, "\\x%02x", (unsigned char)text.at[0]);
			len = 1;
		} else if (point == '\n') {
			buf_append_text(out, "\\n");
		} else if (point == '\t') {
			buf_append_text(out, "\\t");
		} else if (is_unsafe(point)) {
			buf_appendf(out, point < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)point);
		} else {
			buf_append(out, text.at, len);
		}
		text = str_skip(text, len);
	}
}

// The ranges of Unicode 15 East Asian Width W and F, and of combining marks, coarsely: a mistake
// costs a column, never safety.
static size_t point_width(uint32_t point) {
	if ((point >= 0x300 && point <= 0x36f) || point == 0x200b || point == 0x200d ||
		(point >= 0xfe00 && point <= 0xfe0f)) {
		return 0;
	}
	if ((point >= 0x1100 && point <= 0x115f) || (point >= 0x2e80 && point <= 0xa4cf) ||
		(point >= 0xac00 && point <= 0xd7a3) || (point >= 0xf900 && point <= 0xfaff) ||
		(point >= 0xfe30 && point <= 0xfe6f) || (point >= 0xff00 && point <= 0xff60) ||
		(point >= 0x1f300 && point <= 0x1faff) || (point >= 0x20000 && point <= 0x3fffd)) {
		return 2;
	}
	return 1;
}

size_t text_width(struct str text) {
	size_t width = 0;
	while (text.len > 0) {
		uint32_t point = 0;
		size_t len = decode(text, &point);
		width += len ? point_width(point) : 1;
		text = str_skip(text, len ? len : 1);
	}
	return width;
}

void text_fit(struct buf *out, struct str text, size_t columns, bool is_utf8) {
	struct str ellipsis = is_utf8 ? STR("…") : STR("...");
	size_t ellipsis_width = is_utf8 ? 1 : 3;
	size_t room = columns, used = 0, kept = 0;
	if (text_width(text) <= columns) {
		buf_append_str(out, text);
		return;
	}
	if (columns > ellipsis_width) {
		room = columns - ellipsis_width;
	} else {
		ellipsis = STR("");
	}
	while (kept < text.len) {
		uint32_t point = 0;
		size_t len = decode(str_skip(text, kept), &point);
		used += len ? point_width(point) : 1;
		if (used > room) {
			break;
		}
		kept += len ? len : 1;
	}
	buf_append_str(out, str_head(text, kept));
	buf_append_str(out, ellipsis);
}

void text_grouped(struct buf *out, int64_t number) {
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)number);
	int start = digits[0] == '-';
	for (int i = 0; i < len; i++) {
		if (i > start && (len - i) % 3 == 0) {
			buf_append_char(out, ',');
		}
		buf_append_char(out, digits[i]);
	}
}

static bool split_time(int64_t wall_ns, struct tm *out) {
	time_t seconds = (time_t)(wall_ns / NS_PER_SECOND);
	return localtime_r(&seconds, out) != NULL;
}

void text_clock(struct buf *out, int64_t wall_ns, int64_t now_wall_ns) {
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm at, now;
	if (!split_time(wall_ns, &at) || !split_time(now_wall_ns, &now)) {
		buf_append_text(out, "            ");
	} else if (at.tm_year == now.tm_year && at.tm_yday == now.tm_yday) {
		buf_appendf(out, "%02d:%02d:%02d.%03d", at.tm_hour, at.tm_min, at.tm_sec,
			(int)(wall_ns / NS_PER_MS % 1000));
	} else {
		buf_appendf(out, "%s %2d %02d:%02d", months[at.tm_mon], at.tm_mday, at.tm_hour,
			at.tm_min);
	}
}

void text_date(struct buf *out, int64_t wall_ns) {
	struct tm at;
	if (split_time(wall_ns, &at)) {
		buf_appendf(out, "%04d-%02d-%02d %02d:%02d:%02d", at.tm_year + 1900, at.tm_mon + 1,
			at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec);
	}
}

void text_bytes(struct buf *out, int64_t bytes) {
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double value = (double)bytes;
	size_t unit = 0;
	while (value >= 1024 && unit < 5) {
		value /= 1024;
		unit++;
	}
	buf_appendf(out, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}
