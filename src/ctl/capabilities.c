// SPDX-License-Identifier: Apache-2.0
// `annactl capabilities`: the parts of Anna that can be switched on and fail by themselves.
#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/summary.h"

static const struct value *list_of(const struct value *result) {
	return result->type == VALUE_ARRAY ? result : value_get(result, STR("capabilities"));
}

// Why it is as it is; of an active one, what it is for.
static struct str detail_of(const struct value *capability) {
	struct str reason = field_str(capability, "reason");
	return reason.len ? reason : field_str(capability, "summary");
}

static bool is_well(const struct value *capability) {
	struct str state = field_str(capability, "state");
	return !str_is(state, "failed") && !str_is(state, "degraded");
}

// Of one that is not well: the whole reason, what to do, how often it failed, when it is tried again.
static void print_trouble(struct invocation *in, const struct value *one, int64_t now_ns) {
	struct output *output = &in->output;
	struct buf text = BUF_INIT;
	int64_t failures = field_int(one, "failures_last_hour", 0);
	output_text(output, "\n  ");
	output_style(output, style_of_state(field_str(one, "state")), field_str(one, "name"));
	output_wrapped(output, field_str(one, "reason"), 3 + text_width(field_str(one, "name")), 4);
	if (field_str(one, "next_step").len) {
		output_text(output, "    next:");
		output_wrapped(output, field_str(one, "next_step"), 10, 10);
	}
	if (field_time(one, "retry_at")) {
		buf_append_text(&text, "tried again ");
		text_clock(&text, field_time(one, "retry_at"), now_ns);
	}
	if (failures) {
		buf_appendf(&text, "%s%lld failure%s in the last hour", text.len ? "; " : "",
			(long long)failures, failures == 1 ? "" : "s");
	}
	if (text.len) {
		output_printf(output, "    %s\n", buf_text(&text));
	}
	buf_finish(&text);
}

static int run(struct invocation *in, const void *options) {
	static const struct table_column columns[] = {{.title = "NAME"}, {.title = "STATE"},
		{.title = "SINCE"}, {.title = "WHAT", .is_flexible = true}};
	const struct value *result = invocation_ask(in, "capabilities");
	struct table *table;
	int64_t now_ns = clock_wall(in->clock);
	(void)options;
	if (!result) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, result);
		return 0;
	}
	table = table_create(in->arena, columns, 4, 0);
	for (size_t i = 0; i < field_count(list_of(result)); i++) {
		const struct value *one = field_item(list_of(result), i);
		struct str state = field_str(one, "state");
		struct buf since = BUF_INIT;
		if (field_time(one, "since")) {
			text_clock(&since, field_time(one, "since"), now_ns);
		}
		table_cell(table, STYLE_PLAIN, field_str(one, "name"));
		table_cell(table, style_of_state(state), state);
		table_cell(table, STYLE_DIM, buf_str(&since));
		bool is_new = str_is(field_str(one, "maturity"), "experimental");
		table_cellf(table, STYLE_PLAIN, "%s%" STR_FMT, is_new ? "experimental: " : "",
			STR_ARG(detail_of(one)));
		table_end_row(table);
		buf_finish(&since);
	}
	table_print(table, &in->output);
	for (size_t i = 0; i < field_count(list_of(result)); i++) {
		const struct value *one = field_item(list_of(result), i);
		if (!is_well(one)) {
			print_trouble(in, one, now_ns);
		}
	}
	return 0;
}

DEFINE_COMMAND(capabilities) = {
	.name = "capabilities",
	.summary = "The parts of Anna: active, degraded, failed, disabled; why.",
	.examples = (const char *const[]){"annactl capabilities", NULL},
	.run = run,
};
