// SPDX-License-Identifier: Apache-2.0
// Shared drawing; see summary.h.
#include "ctl/summary.h"

#include <stdarg.h>

#include "base/clock.h"
#include "ctl/failure.h"
#include "ctl/fields.h"

enum style style_of_state(struct str state) {
	static const struct {
		const char *word;
		enum style style;
	} styles[] = {
		{"ok", STYLE_GOOD},
		{"running", STYLE_GOOD},
		{"active", STYLE_GOOD},
		{"degraded", STYLE_WARN},
		{"starting", STYLE_WARN},
		{"reloading", STYLE_WARN},
		{"stopping", STYLE_WARN},
		{"unknown", STYLE_WARN},
		{"critical", STYLE_BAD},
		{"failed", STYLE_BAD},
		{"disabled", STYLE_DIM},
	};
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		if (str_is(state, styles[i].word)) {
			return styles[i].style;
		}
	}
	return STYLE_PLAIN;
}

int exit_status_of_health(struct str health) {
	if (str_is(health, "critical")) {
		return EXIT_CRITICAL;
	}
	return str_is(health, "degraded") ? EXIT_DEGRADED : 0;
}

static const struct table_column list_columns[] = {{.title = NULL}, {.is_flexible = true}};

struct table *list_create(struct arena *arena) {
	return table_create(arena, list_columns, 2, 2);
}

void list_row(struct table *list, const char *label, const char *format, ...) {
	struct buf text = BUF_INIT;
	va_list args;
	va_start(args, format);
	buf_vappendf(&text, format, args);
	va_end(args);
	table_cell(list, STYLE_DIM, str_from(label));
	table_cell(list, STYLE_PLAIN, buf_str(&text));
	table_end_row(list);
	buf_finish(&text);
}

void append_delta(struct buf *out, int64_t now, int64_t before, bool has_before) {
	if (has_before && now != before) {
		buf_append_text(out, now > before ? " (+" : " (");
		text_grouped(out, now - before);
		buf_append_text(out, ")");
	}
}

void print_reasons(struct output *output, const struct value *reasons) {
	for (size_t i = 0; i < field_count(reasons); i++) {
		const struct value *reason = field_item(reasons, i);
		struct str level = field_str(reason, "level");
		struct str next = field_str(reason, "next_step");
		struct buf text = BUF_INIT;
		output_text(output, "\n  ");
		output_style(output, style_of_state(level), level);
		buf_append_str(&text, field_str(reason, "part"));
		buf_append_text(&text, ": ");
		buf_append_str(&text, field_str(reason, "text"));
		output_wrapped(output, buf_str(&text), 3 + text_width(level), 4);
		if (next.len > 0) {
			output_text(output, "    next:");
			output_wrapped(output, next, 10, 10);
		}
		buf_finish(&text);
	}
}

void append_measured(struct buf *out, double us) {
	if (us < 1e3) {
		buf_appendf(out, "%.0f us", us);
	} else if (us < 1e6) {
		buf_appendf(out, "%.1f ms", us / 1e3);
	} else {
		buf_appendf(out, "%.2f s", us / 1e6);
	}
}

void append_uptime(struct buf *out, int64_t seconds) {
	if (seconds < 60 || seconds > INT64_MAX / NS_PER_SECOND) {
		buf_appendf(out, "%lld s", (long long)seconds);
	} else {
		duration_format_human(out, seconds * NS_PER_SECOND);
	}
}
