// SPDX-License-Identifier: Apache-2.0
// `annactl advise`: what could be better on this machine, each with what was found, why it matters, the
// command that mends it and what that may do. It reads and advises; nothing is changed.
#include "ctl/command.h"
#include "ctl/fields.h"
#include "formats/json.h"

#define EXIT_FINDINGS 1
#define INDENT 9      // "  judges "
#define LEVEL_WIDTH 6 // "error "

struct advise_options {
	struct str explain;
	bool exit_code;
};

static enum style style_of(struct str level) {
	return str_is(level, "error") ? STYLE_BAD : str_is(level, "warn") ? STYLE_WARN : STYLE_DIM;
}

static void part(struct output *output, const char *label, struct str text) {
	if (!text.len) {
		return;
	}
	output_text(output, "  ");
	output_style(output, STYLE_DIM, str_from(label));
	output_pad(output, INDENT - 2 - strlen(label));
	output_wrapped(output, text, INDENT, INDENT);
}

static void references(struct output *output, const struct value *list) {
	for (size_t i = 0; i < field_count(list); i++) {
		const struct value *one = field_item(list, i);
		if (one->type == VALUE_STRING) {
			part(output, i ? "" : "see", one->string);
		}
	}
}

// The id goes to a line of its own where the screen is too narrow for both.
static void draw_title(struct output *output, const struct value *finding, struct str level) {
	struct str title = field_str(finding, "title"), id = field_str(finding, "id");
	size_t width = LEVEL_WIDTH + text_width(title) + 2 + text_width(id);
	output_style(output, style_of(level), level);
	output_pad(output, LEVEL_WIDTH - (level.len < LEVEL_WIDTH ? level.len : LEVEL_WIDTH - 1));
	output_style(output, STYLE_BOLD, title);
	if (output->columns && width > output->columns) {
		output_text(output, "\n");
		output_pad(output, LEVEL_WIDTH);
	} else {
		output_text(output, "  ");
	}
	output_style(output, STYLE_DIM, id);
	output_text(output, "\n");
}

static bool is_same(const struct value *a, const struct value *b) {
	return str_equal(field_str(a, "id"), field_str(b, "id")) &&
		str_equal(field_str(a, "level"), field_str(b, "level")) &&
		str_equal(field_str(a, "fix"), field_str(b, "fix"));
}

// Those of one rule that are mended by the same command are told together; how many they were.
static size_t draw_findings(struct output *output, const struct value *findings, size_t first) {
	const struct value *finding = field_item(findings, first);
	struct str level = field_str(finding, "level");
	size_t n = 0;
	draw_title(output, finding, level);
	while (first + n < field_count(findings) &&
		is_same(finding, field_item(findings, first + n))) {
		part(output, n ? "" : "found",
			field_str(field_item(findings, first + n), "evidence"));
		n++;
	}
	part(output, "why", field_str(finding, "reason"));
	part(output, "do", field_str(finding, "fix"));
	part(output, "risk", field_str(finding, "risk"));
	references(output, value_get(finding, STR("references")));
	output_text(output, "\n");
	return n;
}

static void draw_all(struct output *output, const struct value *advice) {
	const struct value *findings = value_get(advice, STR("findings"));
	const struct value *unknown = value_get(advice, STR("unknown"));
	size_t n = field_count(findings), m = field_count(unknown);
	int64_t checked = field_int(advice, "checked", 0);
	for (size_t i = 0; i < n;) {
		i += draw_findings(output, findings, i);
	}
	output_printf(output, "%zu finding%s by %lld rule%s", n, n == 1 ? "" : "s",
		(long long)checked, checked == 1 ? "" : "s");
	output_text(output, m ? "; not known:\n" : "\n");
	for (size_t i = 0; i < m; i++) {
		struct buf line = BUF_INIT;
		buf_append_str(&line, field_str(field_item(unknown, i), "id"));
		buf_append_text(&line, ": ");
		buf_append_str(&line, field_str(field_item(unknown, i), "why"));
		output_text(output, "  ");
		output_wrapped(output, buf_str(&line), 2, 4);
		buf_finish(&line);
	}
}

static void draw_rule(struct output *output, const struct value *answer) {
	const struct value *rule = value_get(answer, STR("rule"));
	output_style(output, STYLE_BOLD, field_str(rule, "title"));
	output_text(output, "  ");
	output_style(output, STYLE_DIM, field_str(rule, "id"));
	output_text(output, "\n");
	part(output, "level", field_str(rule, "level"));
	part(output, "why", field_str(rule, "reason"));
	part(output, "judges", field_str(rule, "explain"));
	part(output, "reads", field_str(rule, "reads"));
	part(output, "do", field_str(rule, "fix"));
	part(output, "risk", field_str(rule, "risk"));
	references(output, value_get(rule, STR("references")));
	output_text(output, "\nNow: ");
	draw_all(output, value_get(answer, STR("now")));
}

static struct str params_of(struct invocation *in, struct str id) {
	struct buf params = BUF_INIT;
	struct json_writer writer;
	if (!id.len) {
		return (struct str){NULL, 0};
	}
	json_writer_init(&writer, &params);
	json_begin_object(&writer);
	json_member_str(&writer, "id", id);
	json_end_object(&writer);
	struct str copy = arena_copy_str(in->arena, buf_str(&params));
	buf_finish(&params);
	return copy;
}

static int run(struct invocation *in, const void *options) {
	const struct advise_options *asked = options;
	const struct request request = {
		.method = "advise", .params = params_of(in, asked->explain), .is_repeatable = true};
	const struct value *answer = invocation_call(in, &request);
	if (!answer) {
		return in->exit_status;
	}
	const struct value *advice = asked->explain.len ? value_get(answer, STR("now")) : answer;
	if (in->output.is_json) {
		output_json(&in->output, answer);
	} else if (asked->explain.len) {
		draw_rule(&in->output, answer);
	} else {
		draw_all(&in->output, answer);
	}
	bool has_findings = field_count(value_get(advice, STR("findings"))) > 0;
	return asked->exit_code && has_findings ? EXIT_FINDINGS : 0;
}

DEFINE_COMMAND(advise) = {
	.name = "advise",
	.summary = "What could be better on this machine: evidence, fix, risk.",
	.usage = "[--explain ID] [--exit-code]",
	.examples = (const char *const[]){"annactl advise", "annactl advise --explain trim-missing",
		"annactl advise --exit-code --json", NULL},
	.options =
		(const struct option[]){
			{.key = "explain",
				.type = OPTION_STRING,
				.unit = "id",
				.offset = offsetof(struct advise_options, explain),
				.help = "One rule: what it reads, how it judges, what it finds "
					"now."},
			{.key = "exit-code",
				.type = OPTION_BOOL,
				.offset = offsetof(struct advise_options, exit_code),
				.help = "Exit status 1 when there are findings; without it always "
					"0."},
			{0},
		},
	.options_size = sizeof(struct advise_options),
	.run = run,
};
