// SPDX-License-Identifier: Apache-2.0
// `annactl doctor explain`: the page of a finding, or the list of all checks.
#include "ctl/command.h"
#include "ctl/table.h"
#include "doctor/check.h"
#include "doctor/pages.h"
#include "formats/json.h"

struct explain_options {
	struct str id;
};

static const struct page *find_page(const char *id) {
	for (size_t i = 0; i < doctor_page_count; i++) {
		if (strcmp(doctor_pages[i].id, id) == 0) {
			return &doctor_pages[i];
		}
	}
	return NULL;
}

static void format_check(const struct check *check, bool with_page, struct json_writer *w) {
	const struct page *page = find_page(check->id);
	json_begin_object(w);
	json_member_text(w, "id", check->id);
	json_member_text(w, "title", check->title);
	json_member_text(w, "severity", severity_name(check->severity));
	json_member_text(w, "fix", check->fix);
	json_member_text(w, "remedy", check->remedy ? check->remedy->summary : NULL);
	json_member_text(w, "cannot_be_undone", check->remedy ? check->remedy->lasting : NULL);
	if (with_page) {
		json_member_text(w, "page", page ? page->text : NULL);
	}
	json_end_object(w);
}

static void print_list(struct invocation *in) {
	static const struct table_column columns[] = {
		{"id", false, false}, {"fix", false, false}, {"looks at", false, true}};
	struct table *table = table_create(in->arena, columns, 3, 0);
	for (size_t i = 0; i < check_count; i++) {
		const struct check *check = check_table[i];
		table_cell(table, STYLE_BOLD, str_from(check->id));
		table_cell(table, STYLE_PLAIN, check->remedy ? STR("yes") : STR("-"));
		table_cell(table, STYLE_PLAIN, str_from(check->title));
		table_end_row(table);
	}
	table_print(table, &in->output);
}

// Headings bold, paragraphs broken to the width.
static void print_page(struct output *output, struct str text) {
	struct str line;
	while (str_split(&text, '\n', &line)) {
		if (str_starts(line, STR("#"))) {
			while (line.len > 0 && (line.at[0] == '#' || line.at[0] == ' ')) {
				line = str_skip(line, 1);
			}
			output_style(output, STYLE_BOLD, line);
			output_text(output, "\n");
		} else if (line.len == 0) {
			output_text(output, text.len ? "\n" : "");
		} else {
			output_wrapped(output, line, 0, 0);
		}
	}
}

static void print_json(struct invocation *in, const struct check *only) {
	struct buf json = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	if (only) {
		format_check(only, true, &w);
	} else {
		json_begin_array(&w);
		for (size_t i = 0; i < check_count; i++) {
			format_check(check_table[i], false, &w);
		}
		json_end_array(&w);
	}
	output_json_line(&in->output, buf_str(&json));
	buf_finish(&json);
}

static int run(struct invocation *in, const void *options) {
	const struct explain_options *asked = options;
	const struct check *check = check_find(asked->id);
	const struct page *page = check ? find_page(check->id) : NULL;
	if (asked->id.len > 0 && !check) {
		return invocation_misuse(in,
			"there is no check %" STR_FMT "; annactl doctor explain lists them",
			STR_ARG(asked->id));
	}
	if (in->output.is_json) {
		print_json(in, check);
	} else if (!check) {
		print_list(in);
	} else if (page) {
		print_page(&in->output, str_from(page->text));
	}
	return 0;
}

DEFINE_COMMAND(doctor_explain) = {
	.name = "doctor explain",
	.summary = "Say what a finding means; without ID, list all checks.",
	.usage = "[ID]",
	.examples = (const char *const[]){"annactl doctor explain",
		"annactl doctor explain disk-space", NULL},
	.options =
		(const struct option[]){
			{.key = "ID",
				.type = OPTION_STRING,
				.is_positional = true,
				.offset = offsetof(struct explain_options, id),
				.help = "Of the finding."},
			{0},
		},
	.options_size = sizeof(struct explain_options),
	.run = run,
};
