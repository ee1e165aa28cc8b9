// SPDX-License-Identifier: Apache-2.0
// `annactl config history`: the generations of the configuration, newest first: when, by whom, what
// became of it.
#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/table.h"

static enum style style_of_verdict(struct str verdict) {
	if (str_is(verdict, "active")) {
		return STYLE_GOOD;
	}
	if (str_is(verdict, "rejected")) {
		return STYLE_BAD;
	}
	return str_is(verdict, "pending") || str_is(verdict, "undone") ? STYLE_WARN : STYLE_PLAIN;
}

static void add_row(struct table *table, const struct value *one) {
	struct buf time = BUF_INIT;
	struct str verdict = field_str(one, "verdict");
	text_date(&time, field_time(one, "time"));
	table_cellf(table, STYLE_PLAIN, "%lld", (long long)field_int(one, "number", 0));
	table_cell(table, STYLE_DIM, buf_str(&time));
	table_cell(table, style_of_verdict(verdict), verdict);
	table_cell(table, STYLE_PLAIN, str_head(field_str(one, "hash"), 12));
	table_cell(table, STYLE_PLAIN, field_str(one, "author"));
	table_end_row(table);
	buf_finish(&time);
}

static int run(struct invocation *in, const void *options) {
	static const struct table_column columns[] = {{.title = "GENERATION", .is_right = true},
		{.title = "TIME"}, {.title = "VERDICT"}, {.title = "HASH"},
		{.title = "BY", .is_flexible = true}};
	const struct value *result = invocation_ask(in, "config.history");
	const struct value *list;
	struct table *table;
	(void)options;
	if (!result) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, result);
		return 0;
	}
	list = value_get(result, STR("generations"));
	table = table_create(in->arena, columns, 5, 0);
	for (size_t i = field_count(list); i-- > 0;) { // they come newest last
		add_row(table, field_item(list, i));
	}
	table_print(table, &in->output);
	return 0;
}

DEFINE_COMMAND(config_history) = {
	.name = "config history",
	.summary = "The generations of the configuration: when, by whom, verdict.",
	.examples = (const char *const[]){"annactl config history", "annactl undo 5", NULL},
	.run = run,
};
