// SPDX-License-Identifier: Apache-2.0
// `annactl why`: the causes of an event up to the root and its effects down to the leaves, with the
// time of each since the root and the values its guard saw; and with --not, what kept something
// from happening. annad reads it from the journal; here it is only drawn.
#include <inttypes.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/event_line.h"
#include "ctl/fields.h"
#include "ctl/summary.h"
#include "formats/json.h"

struct why_options {
	int64_t id;
	struct str absent; // --not
};

#define ID_WIDTH 7
#define TIME_WIDTH 10
#define DEPTH_MAX 64

struct tree {
	struct output *output;
	int64_t root_ns;
	int64_t asked_id;
	struct buf branches; // what stands left of the next line
	bool has_lines;	     // draws branches, not only blanks
};

// "+412 us", "+3.2 ms", "+1.5 s": since the root.
static void append_offset(struct buf *out, int64_t ns) {
	double value = (double)ns;
	const char *sign = ns < 0 ? "-" : "+";
	value = value < 0 ? -value : value;
	if (value < 1e6) {
		buf_appendf(out, "%s%.0f us", sign, value / 1e3);
	} else if (value < 1e9) {
		buf_appendf(out, "%s%.1f ms", sign, value / 1e6);
	} else if (value < 100e9) {
		buf_appendf(out, "%s%.1f s", sign, value / 1e9);
	} else {
		buf_append_text(out, sign);
		duration_format_human(out, (int64_t)value / NS_PER_SECOND * NS_PER_SECOND);
	}
}

static enum style style_of_event(const struct value *event) {
	const struct value *ok = value_get(value_get(event, STR("attributes")), STR("ok"));
	if (ok && ok->type == VALUE_BOOL) {
		return ok->boolean ? STYLE_GOOD : STYLE_BAD;
	}
	return str_ends(field_str(event, "kind"), STR(".refused")) ? STYLE_WARN : STYLE_PLAIN;
}

static void print_rest(struct tree *tree, const struct buf *text, size_t used) {
	struct output *output = tree->output;
	struct buf cut = BUF_INIT;
	size_t room = output->columns > used + 8 ? output->columns - used : 8;
	text_fit(&cut, buf_str(text), output->columns ? room : SIZE_MAX, output->is_utf8);
	buf_append_str(&output->buf, buf_str(&cut));
	buf_finish(&cut);
}

// A line under the event it belongs to.
static void print_below(struct tree *tree, struct str text) {
	struct buf clean = BUF_INIT;
	text_sanitise(&clean, text);
	output_pad(tree->output, ID_WIDTH + TIME_WIDTH + 4);
	buf_append_str(&tree->output->buf, buf_str(&tree->branches));
	print_rest(tree, &clean, ID_WIDTH + TIME_WIDTH + 4 + text_width(buf_str(&tree->branches)));
	output_text(tree->output, "\n");
	buf_finish(&clean);
}

// The values the guard looked at, and what went wrong.
static void print_reasons_below(struct tree *tree, const struct value *event) {
	const struct value *guards = value_get(value_get(event, STR("attributes")), STR("guards"));
	struct buf text = BUF_INIT;
	struct str error = field_str(value_get(event, STR("attributes")), "error");
	if (error.len > 0) {
		buf_append_text(&text, "failed: ");
		buf_append_str(&text, error);
		print_below(tree, buf_str(&text));
		buf_clear(&text);
	}
	if (!guards || guards->type != VALUE_TABLE || guards->table.n == 0) {
		buf_finish(&text);
		return;
	}
	buf_append_text(&text, "because ");
	for (size_t i = 0; i < guards->table.n; i++) {
		struct buf value = BUF_INIT;
		field_format(&value, &guards->table.members[i].value);
		buf_append_text(&text, i ? ", " : "");
		buf_append_str(&text, guards->table.members[i].key);
		buf_append_text(&text, " was ");
		buf_append_str(&text, buf_str(&value));
		buf_finish(&value);
	}
	print_below(tree, buf_str(&text));
	buf_finish(&text);
}

// Said elsewhere (guards and errors on lines of their own, the mapping as subject), or of no use.
static const char *const left_out[] = {"guards", "key", "mapping", "error", "attempt", NULL};

static void print_event(struct tree *tree, const struct value *event, const char *branch) {
	struct output *output = tree->output;
	struct buf text = BUF_INIT;
	struct str kind = field_str(event, "kind");
	int64_t id = field_int(event, "id", 0);
	size_t used = ID_WIDTH + TIME_WIDTH + 4 + text_width(buf_str(&tree->branches)) +
		text_width(str_from(branch)) + text_width(kind) + 2;
	output_printf(output, "%*" PRId64 "  ", ID_WIDTH, id);
	append_offset(&text, field_time(event, "time") - tree->root_ns);
	output_pad(output, text.len < TIME_WIDTH ? TIME_WIDTH - text.len : 0);
	output_style(output, STYLE_DIM, buf_str(&text));
	output_text(output, "  ");
	buf_append_str(&output->buf, buf_str(&tree->branches));
	output_text(output, branch);
	output_style(output, id == tree->asked_id ? STYLE_BOLD : style_of_event(event), kind);
	buf_clear(&text);
	event_format_detail(&text, event, left_out);
	if (text.len > 0) {
		output_text(output, "  ");
		print_rest(tree, &text, used);
	}
	output_text(output, "\n");
	buf_finish(&text);
}

static const char *branch(const struct tree *tree, bool is_last) {
	if (!tree->has_lines) {
		return "  ";
	}
	return is_last ? "└─ " : "├─ ";
}

// Opens a level: what stands left of the lines below this event. Returns what to cut back to.
static size_t push(struct tree *tree, bool is_last) {
	size_t before = tree->branches.len;
	buf_append_text(&tree->branches, !tree->has_lines ? "  " : is_last ? "   " : "│  ");
	return before;
}

static void pop(struct tree *tree, size_t before) {
	tree->branches.len = before;
}

static void print_effects(struct tree *tree, const struct value *effects, int depth) {
	for (size_t i = 0; i < field_count(effects) && depth < DEPTH_MAX; i++) {
		const struct value *effect = field_item(effects, i);
		bool is_last = i + 1 == field_count(effects);
		size_t before;
		print_event(tree, value_get(effect, STR("event")), branch(tree, is_last));
		before = push(tree, is_last);
		print_reasons_below(tree, value_get(effect, STR("event")));
		print_effects(tree, value_get(effect, STR("effects")), depth + 1);
		pop(tree, before);
	}
}

static void print_notes(struct output *output, const struct value *result) {
	const struct value *damaged = value_get(result, STR("damaged"));
	if (field_bool(result, "beyond_retention")) {
		output_text(output,
			"\nwhat came before is beyond retention: no longer in the journal\n");
	}
	if (damaged &&
		(damaged->type == VALUE_BOOL ? damaged->boolean : field_count(damaged) > 0)) {
		output_text(output,
			"\npart of the journal is damaged: something may be missing here\n");
	}
	if (field_bool(result, "truncated")) {
		output_text(
			output, "\nthere is more than is shown: annactl why with an id below\n");
	}
}

static void print_why(struct output *output, const struct value *result) {
	const struct value *causes = value_get(result, STR("causes"));
	const struct value *event = value_get(result, STR("event"));
	const struct value *root = field_count(causes) ? field_item(causes, 0) : event;
	struct tree tree = {.output = output,
		.branches = BUF_INIT,
		.root_ns = field_time(root, "time"),
		.asked_id = field_int(event, "id", 0),
		.has_lines = output->is_terminal && output->is_utf8};
	struct buf text = BUF_INIT;
	bool is_root = true;
	text_date(&text, tree.root_ns);
	output_text(output, "  event        time  ");
	output_style(output, STYLE_DIM, buf_str(&text));
	output_text(output, "\n");
	for (size_t i = 0; i <= field_count(causes); i++) {
		const struct value *one = i < field_count(causes) ? field_item(causes, i) : event;
		print_event(&tree, one, is_root ? "" : branch(&tree, true));
		if (!is_root) {
			(void)push(&tree, true);
		}
		print_reasons_below(&tree, one);
		is_root = false;
	}
	print_effects(&tree, value_get(result, STR("effects")), 0);
	print_notes(output, result);
	buf_finish(&text);
	buf_finish(&tree.branches);
}

// The reasons of `why --not`, each as one sentence.
static void format_reason(struct buf *out, const struct value *result, struct str what) {
	struct str reason = field_str(result, "reason");
	struct str guard = field_str(result, "guard"), observed = field_str(result, "observed");
	struct str detail = field_str(result, "detail");
	if (detail.len > 0) {
		buf_append_str(out, detail);
	} else if (str_is(reason, "no_event")) {
		buf_append_text(
			out, "nothing it listens to has happened, as far as the journal goes");
	} else if (str_is(reason, "guard")) {
		buf_appendf(out, "its condition did not hold: it wants %" STR_FMT ", but %" STR_FMT,
			STR_ARG(guard), STR_ARG(observed));
	} else if (str_is(reason, "stopped_by")) {
		buf_appendf(out, "an earlier mapping stopped the list: %" STR_FMT,
			STR_ARG(observed.len ? observed : guard));
	} else if (str_is(reason, "disabled")) {
		buf_append_text(out, "it is switched off (enabled = false)");
	} else if (str_is(reason, "refused")) {
		buf_appendf(out, "it was refused by its limit: %" STR_FMT,
			STR_ARG(observed.len ? observed : guard));
	} else if (str_is(reason, "acted")) {
		buf_appendf(out, "but %" STR_FMT " did act", STR_ARG(what));
	} else {
		buf_append_text(out, "the journal does not say");
	}
}

static void event_row(struct table *list, const char *label, const struct value *value) {
	struct buf text = BUF_INIT, time = BUF_INIT;
	if (value && value->type == VALUE_TABLE) {
		text_date(&time, field_time(value, "time"));
		event_format_detail(&text, value, NULL);
		list_row(list, label, "%" PRId64 " %" STR_FMT " at %s  %s",
			field_int(value, "id", 0), STR_ARG(field_str(value, "kind")),
			buf_text(&time), buf_text(&text));
	} else if (value && value->type == VALUE_INT) {
		list_row(list, label, "%" PRId64, value->integer);
	}
	buf_finish(&text);
	buf_finish(&time);
}

// Of a kind: what each mapping that listens to it made of it.
static void print_listeners(struct invocation *in, const struct value *mappings) {
	static const struct table_column columns[] = {{0}, {0}, {.is_flexible = true}};
	struct table *table = table_create(in->arena, columns, 3, 2);
	for (size_t i = 0; i < field_count(mappings); i++) {
		const struct value *mapping = field_item(mappings, i);
		struct buf reason = BUF_INIT;
		format_reason(&reason, mapping, field_str(mapping, "mapping"));
		table_cell(table, STYLE_PLAIN, field_str(mapping, "mapping"));
		table_cell(table, STYLE_DIM, field_str(mapping, "reason"));
		table_cell(table, STYLE_PLAIN, buf_str(&reason));
		table_end_row(table);
		buf_finish(&reason);
	}
	if (!table_is_empty(table)) {
		output_text(&in->output, "\n  mappings that listen to it\n");
		table_print(table, &in->output);
	}
}

static void print_why_not(struct invocation *in, const struct value *result, struct str asked) {
	struct buf reason = BUF_INIT;
	struct table *list = list_create(in->arena);
	const struct value *event = value_get(result, STR("event"));
	bool is_mapping = field_str(result, "mapping").len > 0;
	format_reason(&reason, result, asked);
	output_style(&in->output, STYLE_BOLD, is_mapping ? STR("mapping ") : STR("kind "));
	output_style(&in->output, STYLE_BOLD, asked);
	output_text(&in->output, ":");
	output_wrapped(&in->output, buf_str(&reason), (is_mapping ? 10 : 7) + text_width(asked), 2);
	event_row(list, "last event",
		event && event->type == VALUE_TABLE ? event : value_get(result, STR("last_event")));
	event_row(list, "last acted", value_get(result, STR("last_acted")));
	if (field_int(result, "generation", 0) > 0) {
		list_row(list, "generation", "%" PRId64, field_int(result, "generation", 0));
	}
	if (!table_is_empty(list)) {
		output_text(&in->output, "\n");
		table_print(list, &in->output);
	}
	print_listeners(in, value_get(result, STR("mappings")));
	buf_finish(&reason);
}

static int run(struct invocation *in, const void *options) {
	const struct why_options *asked = options;
	bool is_not = asked->absent.len > 0;
	struct request request = {.method = is_not ? "why.not" : "why", .is_repeatable = true};
	const struct value *result;
	struct buf params = BUF_INIT;
	struct json_writer w;
	if (is_not == (asked->id > 0)) {
		return invocation_misuse(
			in, "give the id of an event, or --not with a mapping or a kind");
	}
	json_writer_init(&w, &params);
	json_begin_object(&w);
	if (is_not) {
		json_member_str(&w, "of", asked->absent);
	} else {
		json_member_int(&w, "id", asked->id);
	}
	json_end_object(&w);
	request.params = buf_str(&params);
	result = invocation_call(in, &request);
	buf_finish(&params);
	if (!result) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, result);
	} else if (is_not) {
		print_why_not(in, result, asked->absent);
	} else {
		print_why(&in->output, result);
	}
	return 0;
}

DEFINE_COMMAND(why) = {
	.name = "why",
	.summary = "Why something happened (an event's id), or did not (--not).",
	.usage = "ID | --not KIND|MAPPING",
	.examples = (const char *const[]){"annactl why 1234", "annactl why --not disk-full", NULL},
	.options =
		(const struct option[]){
			{.key = "ID",
				.type = OPTION_INT,
				.is_positional = true,
				.max = 9007199254740991,
				.offset = offsetof(struct why_options, id),
				.help = "The event; annactl events lists them."},
			{.key = "not",
				.type = OPTION_STRING,
				.unit = "name",
				.offset = offsetof(struct why_options, absent),
				.help = "A mapping that did not act, or a kind that did not "
					"occur."},
			{0},
		},
	.options_size = sizeof(struct why_options),
	.run = run,
};
