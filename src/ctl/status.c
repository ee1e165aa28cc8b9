// SPDX-License-Identifier: Apache-2.0
// `annactl status`: is all well, in one screen. Its exit status is the daemon's health.
#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/summary.h"
#include "ctl/watch.h"

struct status_options {
	bool watch;
	bool verbose;
};

#define CAPABILITY_STATES 4

static void append_capabilities(struct buf *out, const struct value *capabilities) {
	static const char *const states[CAPABILITY_STATES] = {
		"active", "degraded", "failed", "disabled"};
	for (size_t i = 0; i < CAPABILITY_STATES; i++) {
		int64_t n = field_int(capabilities, states[i], 0);
		for (size_t j = 0; j < field_count(capabilities); j++) {
			n += str_is(field_str(field_item(capabilities, j), "state"), states[i]);
		}
		if (n > 0 || i == 0) {
			buf_appendf(out, "%s%lld %s", i ? ", " : "", (long long)n, states[i]);
		}
	}
}

static void count_row(struct table *list, const char *label, const char *key,
	const struct value *now, const struct value *before) {
	struct buf text = BUF_INIT;
	text_grouped(&text, field_int(now, key, 0));
	append_delta(&text, field_int(now, key, 0), field_int(before, key, 0), before != NULL);
	list_row(list, label, "%s", buf_text(&text));
	buf_finish(&text);
}

static void str_row(struct table *list, const char *label, struct str text) {
	if (text.len > 0) {
		list_row(list, label, "%" STR_FMT, STR_ARG(text));
	}
}

static void config_row(struct table *list, const struct value *now) {
	struct str path = field_str(now, "config_path");
	list_row(list, "config", "%" STR_FMT ", generation %lld",
		STR_ARG(path.len ? path : STR("defaults, no file")),
		(long long)field_int(now, "generation", 0));
	struct str confirm_by = field_str(now, "confirm_by");
	if (confirm_by.len > 0) {
		list_row(list, "on trial", "until %" STR_FMT "; annactl reload confirm keeps it",
			STR_ARG(str_head(str_skip(confirm_by, 11), 8)));
	}
}

// Both classes, never blurred: reflex acts first, assured journals first.
static void mappings_row(struct table *list, const struct value *mappings) {
	int64_t disabled = field_int(mappings, "disabled", 0);
	if (mappings) {
		list_row(list, "mappings", "%lld assured, %lld reflex%s",
			(long long)field_int(mappings, "assured", 0),
			(long long)field_int(mappings, "reflex", 0),
			disabled ? " (some are switched off)" : "");
	}
}

static void print_list(struct output *output, struct arena *arena, const struct value *now,
	const struct value *before, bool is_verbose) {
	struct table *list = list_create(arena);
	struct buf text = BUF_INIT;
	append_uptime(&text, field_int(now, "uptime_seconds", 0));
	list_row(list, "up", "%s, pid %lld", buf_text(&text), (long long)field_int(now, "pid", 0));
	config_row(list, now);
	str_row(list, "socket", field_str(now, "socket"));
	str_row(list, "http", field_str(now, "http"));
	buf_clear(&text);
	append_capabilities(&text, value_get(now, STR("capabilities")));
	list_row(list, "capabilities", "%s", buf_text(&text));
	mappings_row(list, value_get(now, STR("mappings")));
	count_row(list, "events", "events_processed", now, before);
	count_row(list, "reloads", "reloads", now, before);
	count_row(list, "errors", "errors", now, before);
	if (is_verbose) {
		str_row(list, "build", field_str(now, "build"));
		list_row(list, "contract", "%lld", (long long)field_int(now, "contract", 0));
	}
	table_print(list, output);
	buf_finish(&text);
}

#define ERRORS_SHOWN 3

static void print_errors(struct output *output, const struct value *errors, bool is_verbose) {
	static const struct table_column columns[] = {{0}, {0}, {.is_flexible = true}};
	struct arena *arena = arena_create();
	struct table *table = table_create(arena, columns, 3, 2);
	int64_t now_ns = clock_wall(clock_system());
	for (size_t i = 0; i < field_count(errors) && (is_verbose || i < ERRORS_SHOWN); i++) {
		const struct value *error = field_item(errors, i);
		struct buf time = BUF_INIT;
		text_clock(&time, field_time(error, "time"), now_ns);
		table_cell(table, STYLE_DIM, buf_str(&time));
		table_cell(table, STYLE_PLAIN, field_str(error, "part"));
		table_cell(table, STYLE_PLAIN, field_str(error, "message"));
		table_end_row(table);
		buf_finish(&time);
	}
	if (!table_is_empty(table)) {
		output_text(output, "\n  last errors\n");
		table_print(table, output);
	}
	arena_destroy(arena);
}

static void draw_head(struct output *output, const struct value *now, const struct value *before,
	bool is_verbose) {
	struct str state = field_str(now, "state"), health = field_str(now, "health");
	struct arena *arena = arena_create();
	output_style(output, STYLE_BOLD, STR("Anna "));
	output_style(output, STYLE_BOLD, field_str(now, "version"));
	output_text(output, " is ");
	output_style(output, style_of_state(state), state);
	output_text(output, ", health ");
	output_style(output, style_of_state(health), health);
	output_text(output, "\n\n");
	print_list(output, arena, now, before, is_verbose);
	arena_destroy(arena);
}

static void draw(struct output *output, const struct value *now, const struct value *before,
	bool is_verbose) {
	draw_head(output, now, before, is_verbose);
	print_errors(output, value_get(now, STR("last_errors")), is_verbose);
}

// What is not well is asked only when something is not: the usual answer stays one round trip.
static void print_why(struct invocation *in, const struct value *status) {
	struct request request = {.method = "health", .is_repeatable = true};
	struct failure ignored = FAILURE_INIT;
	const struct value *health;
	if (str_is(field_str(status, "health"), "ok")) {
		return;
	}
	health = client_call(&in->client, &request, in->arena, &ignored);
	print_reasons(&in->output, value_get(health, STR("reasons")));
}

static int run(struct invocation *in, const void *options) {
	const struct status_options *asked = options;
	const struct value *status;
	if (asked->watch) {
		return watch_run(in,
			&(struct watch){
				.method = "status", .draw = draw, .is_verbose = asked->verbose});
	}
	status = invocation_ask(in, "status");
	if (!status) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, status);
	} else {
		draw_head(&in->output, status, NULL, asked->verbose);
		print_why(in, status);
		print_errors(&in->output, value_get(status, STR("last_errors")), asked->verbose);
	}
	return exit_status_of_health(field_str(status, "health"));
}

DEFINE_COMMAND(status) = {
	.name = "status",
	.summary = "Is all well: state, health, config, counters, the last errors.",
	.usage = "[--watch] [--verbose]",
	.examples = (const char *const[]){"annactl status", "annactl status --watch",
		"annactl --json status", NULL},
	.options =
		(const struct option[]){
			{.key = "watch",
				.letter = 'w',
				.type = OPTION_BOOL,
				.offset = offsetof(struct status_options, watch),
				.help = "Every second, until Ctrl-C."},
			{.key = "verbose",
				.letter = 'v',
				.type = OPTION_BOOL,
				.offset = offsetof(struct status_options, verbose),
				.help = "Also the build, the contract version and all errors "
					"kept."},
			{0},
		},
	.options_size = sizeof(struct status_options),
	.run = run,
};
