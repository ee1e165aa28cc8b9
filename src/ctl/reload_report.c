// SPDX-License-Identifier: Apache-2.0
// The report of a reload; see reload_report.h.
#include "ctl/reload_report.h"

#include "ctl/failure.h"
#include "ctl/fields.h"
#include "ctl/summary.h"

// A value as TOML text, or what it means that there is none.
static struct str side(const struct value *change, const char *key, const char *absent) {
	struct str text = field_str(change, key);
	return text.len ? text : str_from(absent);
}

static size_t inline_width(const struct value *change) {
	return 2 + text_width(field_str(change, "path")) + 2 +
		text_width(side(change, "before", "(absent)")) + 4 +
		text_width(side(change, "after", "(gone)")) +
		(field_bool(change, "needs_restart") ? 18 : 0);
}

static void print_side(struct output *output, enum style style, const char *sign, struct str text) {
	struct buf clean = BUF_INIT, cut = BUF_INIT;
	text_sanitise(&clean, text);
	text_fit(&cut, buf_str(&clean), output->columns ? output->columns - 6 : SIZE_MAX,
		output->is_utf8);
	output_text(output, "    ");
	output_style(output, style, str_from(sign));
	output_style(output, style, buf_str(&cut));
	output_text(output, "\n");
	buf_finish(&clean);
	buf_finish(&cut);
}

// On one line where it fits, else as a diff.
static void print_change(struct output *output, const struct value *change) {
	bool is_inline = output->columns == 0 || inline_width(change) <= output->columns;
	output_text(output, "  ");
	output_style(output, STYLE_BOLD, field_str(change, "path"));
	if (is_inline) {
		output_text(output, "  ");
		output_style(output, STYLE_BAD, side(change, "before", "(absent)"));
		output_text(output, " -> ");
		output_style(output, STYLE_GOOD, side(change, "after", "(gone)"));
	}
	if (field_bool(change, "needs_restart")) {
		output_style(output, STYLE_WARN, STR("  (needs a restart)"));
	}
	output_text(output, "\n");
	if (!is_inline && field_str(change, "before").len > 0) {
		print_side(output, STYLE_BAD, "- ", field_str(change, "before"));
	}
	if (!is_inline && field_str(change, "after").len > 0) {
		print_side(output, STYLE_GOOD, "+ ", field_str(change, "after"));
	}
}

static void print_times(struct output *output, const struct value *result) {
	const struct value *times = value_get(result, STR("microseconds"));
	const struct value *statistics = value_get(result, STR("statistics"));
	struct str grade = field_str(result, "grade");
	if (times) {
		output_printf(output,
			"  took      parse %.2f  check %.2f  apply %.2f  total %.2f ms",
			field_double(times, "parse", 0) / 1e3,
			field_double(times, "check", 0) / 1e3,
			field_double(times, "apply", 0) / 1e3,
			field_double(times, "total", 0) / 1e3);
		if (grade.len > 0) {
			output_text(output, "  grade ");
			output_str(output, grade);
		}
		output_text(output, "\n");
	}
	if (field_int(statistics, "count", 0) > 1) {
		output_printf(output,
			"  so far    %lld: min %.2f  mean %.2f  p50 %.2f  p99 %.2f  max %.2f ms\n",
			(long long)field_int(statistics, "count", 0),
			field_double(statistics, "min", 0) / 1e3,
			field_double(statistics, "mean", 0) / 1e3,
			field_double(statistics, "p50", 0) / 1e3,
			field_double(statistics, "p99", 0) / 1e3,
			field_double(statistics, "max", 0) / 1e3);
	}
}

static void print_restarts(struct output *output, const struct value *paths) {
	for (size_t i = 0; i < field_count(paths); i++) {
		const struct value *path = field_item(paths, i);
		output_style(output, STYLE_WARN, STR("  restart "));
		output_text(output, "  ");
		output_str(output,
			path->type == VALUE_STRING ? path->string : field_str(path, "path"));
		output_text(output, " waits for a restart of annad\n");
	}
}

static void print_verdict(struct output *output, const struct value *result, const char *verb) {
	size_t n = field_count(value_get(result, STR("changes")));
	long long generation = (long long)field_int(result, "generation", 0);
	const char *plural = n == 1 ? "" : "s";
	if (field_bool(result, "dry_run") && n == 0) {
		output_printf(
			output, "no difference to what is active, generation %lld\n", generation);
	} else if (field_bool(result, "dry_run")) {
		output_printf(output,
			"the configuration is valid; applying it makes %zu change%s\n", n, plural);
	} else if (!field_bool(result, "changed")) {
		output_printf(
			output, "nothing has changed; generation %lld stays active\n", generation);
	} else {
		output_printf(output, "%s: generation %lld is active, %zu change%s\n", verb,
			generation, n, plural);
	}
}

int reload_report(struct invocation *in, const struct value *result, const char *verb) {
	struct output *output = &in->output;
	const struct value *changes = value_get(result, STR("changes"));
	if (output->is_json) {
		output_json(output, result);
		return 0;
	}
	print_verdict(output, result, verb);
	output_text(output, field_count(changes) > 0 ? "\n" : "");
	for (size_t i = 0; i < field_count(changes); i++) {
		print_change(output, field_item(changes, i));
	}
	output_text(output, field_count(changes) > 0 ? "\n" : "");
	print_restarts(output, value_get(result, STR("restart_needed")));
	print_times(output, result);
	print_problems(output, value_get(result, STR("problems"))); // warnings
	if (field_bool(result, "pending")) {
		output_style(output, STYLE_WARN, STR("  pending"));
		output_text(output, "   undone by itself unless you say: annactl reload confirm\n");
	}
	return 0;
}
