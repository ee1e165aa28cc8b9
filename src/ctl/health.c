// SPDX-License-Identifier: Apache-2.0
// `annactl health`: what is not well and what to do about it, then all that Anna measures of herself,
// in a watch with how it went. The exit status is the level.
#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/sparkline.h"
#include "ctl/summary.h"
#include "ctl/watch.h"

#define LABELS 13 // columns of each
#define VALUES 10
#define SPARKS 24
#define HISTORY_PARAMS "{\"history\":24}"

struct health_options {
	bool watch;
};

// One drawing: the sample now, and in a watch the one before.
struct picture {
	const struct value *now, *before;
	struct output *output;
	bool has_history;	  // then there are bars, and less room for the rest
	struct buf value, detail; // of the row being drawn
};

static const struct value *part_of(const struct picture *picture, const char *name) {
	return value_get(picture->now, str_from(name));
}

static bool is_known(const struct value *table, const char *key) {
	const struct value *value = value_get(table, str_from(key));
	return value && value->type != VALUE_NULL;
}

// --- a row: what, how much now, how it went, what else ---

// The worst reason that names one of these parts colours the row.
static enum style style_of_part(const struct picture *picture, const char *part) {
	const struct value *reasons = part_of(picture, "reasons");
	for (size_t i = 0; i < field_count(reasons); i++) { // the worst come first
		const struct value *reason = field_item(reasons, i);
		if (str_is(field_str(reason, "part"), part)) {
			return style_of_state(field_str(reason, "level"));
		}
	}
	return STYLE_PLAIN;
}

struct row {
	const char *label;
	const char *part;    // whose reasons colour it
	const char *history; // NULL: none
	double full;	     // what counts as much
};

static void append_bars(struct picture *picture, const struct row *row, enum style style) {
	struct buf bars = BUF_INIT;
	const struct value *history = part_of(picture, "history");
	sparkline_append(&bars, value_get(history, str_from(row->history)), SPARKS, row->full,
		picture->output->is_utf8);
	output_style(picture->output, style == STYLE_PLAIN ? STYLE_GOOD : style, buf_str(&bars));
	output_text(picture->output, "  ");
	buf_finish(&bars);
}

static void end_row(struct picture *picture, const struct row *row) {
	struct output *output = picture->output;
	enum style style = style_of_part(picture, row->part);
	bool has_bars = row->history && picture->has_history;
	size_t value_width = text_width(buf_str(&picture->value));
	size_t used = 2 + LABELS + VALUES + 2 + (has_bars ? SPARKS + 2 : 0);
	struct buf detail = BUF_INIT;
	output_text(output, "  ");
	output_style(output, STYLE_DIM, str_from(row->label));
	output_pad(output, LABELS - strlen(row->label));
	output_pad(output, value_width < VALUES ? VALUES - value_width : 0);
	output_style(output, style, buf_str(&picture->value));
	output_text(output, "  ");
	if (has_bars) {
		append_bars(picture, row, style);
	}
	if (output->columns > used) {
		text_fit(&detail, buf_str(&picture->detail), output->columns - used,
			output->is_utf8);
	} else {
		buf_append_str(&detail, buf_str(&picture->detail));
	}
	output_str(output, buf_str(&detail));
	output_text(output, "\n");
	buf_finish(&detail);
	buf_clear(&picture->value);
	buf_clear(&picture->detail);
}

// "count noun (+change)".
static void append_count(
	struct picture *picture, const char *part, const char *key, const char *noun) {
	const struct value *now = part_of(picture, part);
	const struct value *before = value_get(picture->before, str_from(part));
	text_grouped(&picture->detail, field_int(now, key, 0));
	append_delta(&picture->detail, field_int(now, key, 0), field_int(before, key, 0),
		picture->before != NULL);
	buf_appendf(&picture->detail, " %s", noun);
}

static void append_us(struct buf *out, const struct value *of, const char *key) {
	if (is_known(of, key)) {
		append_measured(out, field_double(of, key, 0));
	} else {
		buf_append_char(out, '-');
	}
}

// The last minute, or all there is from a daemon that knows no windows.
static const struct value *last_minute(const struct value *spread) {
	const struct value *minute = value_get(value_get(spread, STR("windows")), STR("1m"));
	return minute ? minute : spread;
}

static void append_spread(struct picture *picture, const struct value *spread) {
	const struct value *shown = last_minute(spread);
	append_us(&picture->value, shown, "p99_us");
	if (field_int(shown, "count", 0) == 0) {
		buf_append_text(&picture->detail, "none for a minute");
		return;
	}
	buf_append_text(&picture->detail, "p50 ");
	append_us(&picture->detail, shown, "p50_us");
	buf_append_text(&picture->detail, "  p95 ");
	append_us(&picture->detail, shown, "p95_us");
	if (!picture->has_history) {
		buf_append_text(&picture->detail, "  max ");
		append_us(&picture->detail, shown, "max_us");
	}
}

// --- rows with a history ---

static void memory_row(struct picture *picture) {
	static const struct row row = {"memory", "memory", "rss_bytes", 67108864};
	const struct value *memory = part_of(picture, "memory");
	const struct value *before = value_get(picture->before, STR("memory"));
	if (!is_known(memory, "rss_bytes")) {
		buf_append_text(&picture->value, "unknown");
		buf_append_text(&picture->detail, "/proc could not be read");
		end_row(picture, &row);
		return;
	}
	text_bytes(&picture->value, field_int(memory, "rss_bytes", 0));
	buf_append_text(&picture->detail, "peak ");
	text_bytes(&picture->detail, field_int(memory, "peak_bytes", 0));
	if (is_known(memory, "limit_bytes")) {
		buf_append_text(&picture->detail, " of ");
		text_bytes(&picture->detail, field_int(memory, "limit_bytes", 0));
	}
	int64_t change = field_int(memory, "rss_bytes", 0) - field_int(before, "rss_bytes", 0);
	if (picture->before && (change >= 1024 || change <= -1024)) {
		buf_appendf(&picture->detail, ", %+lld KiB", (long long)(change / 1024));
	}
	end_row(picture, &row);
}

static void cpu_row(struct picture *picture) {
	static const struct row row = {"cpu", "cpu", "cpu_percent", 50};
	const struct value *cpu = part_of(picture, "cpu");
	if (is_known(cpu, "percent")) {
		buf_appendf(&picture->value, "%.1f %%", field_double(cpu, "percent", 0));
	} else {
		buf_append_char(&picture->value, '-');
	}
	if (is_known(cpu, "percent_last_minute")) {
		buf_appendf(&picture->detail, "%.1f %% over a minute",
			field_double(cpu, "percent_last_minute", 0));
	}
	if (!picture->has_history) {
		buf_append_text(&picture->detail, picture->detail.len ? ", " : "");
		append_us(&picture->detail, cpu, "user_us");
		buf_append_text(&picture->detail, " user, ");
		append_us(&picture->detail, cpu, "system_us");
		buf_append_text(&picture->detail, " system");
	}
	end_row(picture, &row);
}

static void queue_row(struct picture *picture) {
	static const struct row row = {"queue", "queue", "queue_depth", 50};
	const struct value *queue = part_of(picture, "queue");
	text_grouped(&picture->value, field_int(queue, "depth", 0));
	buf_append_text(&picture->detail, "at most ");
	text_grouped(&picture->detail, field_int(queue, "deepest", 0));
	if (is_known(queue, "capacity")) {
		buf_append_text(&picture->detail, " of ");
		text_grouped(&picture->detail, field_int(queue, "capacity", 0));
	}
	if (is_known(queue, "oldest_event_sec")) {
		buf_append_text(&picture->detail, ", the oldest ");
		append_measured(&picture->detail, field_double(queue, "oldest_event_sec", 0) * 1e6);
	}
	end_row(picture, &row);
}

static void history_rows(struct picture *picture) {
	static const struct row answers = {"answers p99", "rpc", "rpc_p99_us", 5000};
	static const struct row lag = {"loop lag p99", "loop", "loop_lag_p99_us", 5000};
	static const struct row syncs = {"syncs p99", "journal", "sync_p99_us", 10000};
	append_spread(picture, part_of(picture, "rpc_latency"));
	end_row(picture, &answers);
	memory_row(picture);
	cpu_row(picture);
	queue_row(picture);
	append_spread(picture, part_of(picture, "loop_lag"));
	end_row(picture, &lag);
	append_spread(picture, value_get(part_of(picture, "journal"), STR("sync")));
	end_row(picture, &syncs);
}

// --- rows of counts ---

static void calls_row(struct picture *picture) {
	static const struct row row = {"calls", "rpc", NULL, 0};
	const struct value *rpc = part_of(picture, "rpc");
	text_grouped(&picture->value, field_int(rpc, "calls", 0));
	append_count(picture, "rpc", "failures", "refused or failed, ");
	buf_appendf(&picture->detail, "%lld", (long long)field_int(rpc, "connections", 0));
	if (is_known(rpc, "connections_max")) {
		buf_appendf(&picture->detail, " of %lld",
			(long long)field_int(rpc, "connections_max", 0));
	}
	buf_append_text(&picture->detail, " connected");
	end_row(picture, &row);
}

static void event_rows(struct picture *picture) {
	static const struct row events = {"events", "queue", NULL, 0};
	static const struct row actions = {"actions", "actions", NULL, 0};
	const struct value *queue = part_of(picture, "queue");
	const struct value *runs = part_of(picture, "actions");
	text_grouped(&picture->value, field_int(queue, "accepted", 0));
	if (is_known(queue, "rate_per_sec")) {
		buf_appendf(&picture->detail, "%.1f a second, ",
			field_double(queue, "rate_per_sec", 0));
	}
	append_count(picture, "queue", "refused", "refused, ");
	append_count(picture, "queue", "failed", "lost");
	end_row(picture, &events);
	if (runs) {
		text_grouped(&picture->value, field_int(runs, "started", 0));
		append_count(picture, "actions", "running", "running, ");
		append_count(picture, "actions", "waiting", "waiting, ");
		append_count(picture, "actions", "failed", "failed");
		end_row(picture, &actions);
	}
}

static void journal_row(struct picture *picture) {
	static const struct row row = {"journal", "journal", NULL, 0};
	const struct value *journal = part_of(picture, "journal");
	if (!journal || journal->type != VALUE_TABLE) {
		buf_append_text(&picture->value, "not open");
		end_row(picture, &row);
		return;
	}
	text_bytes(&picture->value, field_int(journal, "size_bytes", 0));
	if (is_known(journal, "budget_bytes")) {
		buf_append_text(&picture->detail, "of ");
		text_bytes(&picture->detail, field_int(journal, "budget_bytes", 0));
		buf_append_text(&picture->detail, ", ");
	}
	append_count(picture, "journal", "failed_syncs", "failed syncs");
	if (field_time(journal, "oldest_time")) {
		buf_append_text(&picture->detail, ", since ");
		text_date(&picture->detail, field_time(journal, "oldest_time"));
	}
	end_row(picture, &row);
}

static void process_row(struct picture *picture) {
	static const struct row row = {"files", "descriptors", NULL, 0};
	const struct value *fds = part_of(picture, "fds");
	text_grouped(&picture->value, field_int(fds, "open", 0));
	buf_append_text(&picture->detail, "of ");
	text_grouped(&picture->detail, field_int(fds, "limit", 0));
	buf_append_text(&picture->detail, " open; ");
	append_count(picture, "memory", "threads", "threads");
	end_row(picture, &row);
}

static void capabilities_row(struct picture *picture) {
	static const struct row row = {"parts", "", NULL, 0};
	static const char *const states[] = {"degraded", "failed", "disabled"};
	const struct value *parts = part_of(picture, "capabilities");
	if (!parts) {
		return;
	}
	buf_appendf(&picture->value, "%lld", (long long)field_int(parts, "active", 0));
	buf_append_text(&picture->detail, "active");
	for (size_t i = 0; i < 3; i++) {
		if (field_int(parts, states[i], 0)) {
			buf_appendf(&picture->detail, ", %lld %s",
				(long long)field_int(parts, states[i], 0), states[i]);
		}
	}
	end_row(picture, &row);
}

// Only what comes near its limit is worth a line.
static void budget_rows(struct picture *picture) {
	static const struct row row = {"budget", "", NULL, 0};
	const struct value *budgets = part_of(picture, "budgets");
	for (size_t i = 0; i < field_count(budgets); i++) {
		const struct value *budget = field_item(budgets, i);
		int64_t used = field_int(budget, "used_bytes", 0);
		int64_t limit = field_int(budget, "limit_bytes", 0);
		if (limit > 0 && used >= limit / 2) {
			text_bytes(&picture->value, used);
			buf_append_text(&picture->detail, "of ");
			text_bytes(&picture->detail, limit);
			buf_append_text(&picture->detail, ": ");
			buf_append_str(&picture->detail, field_str(budget, "part"));
			end_row(picture, &row);
		}
	}
}

static void draw(struct output *output, const struct value *now, const struct value *before,
	bool is_verbose) {
	struct str level = field_str(now, "health");
	struct picture picture = {.now = now, .before = before, .output = output};
	(void)is_verbose;
	picture.has_history = value_get(now, STR("history")) != NULL;
	output_style(output, STYLE_BOLD, STR("health "));
	output_style(output, style_of_state(level), level);
	append_uptime(&picture.value, field_int(now, "uptime_sec", 0));
	output_printf(output, ", up %s\n", buf_text(&picture.value));
	buf_clear(&picture.value);
	print_reasons(output, value_get(now, STR("reasons")));
	output_text(output, "\n");
	history_rows(&picture);
	output_text(output, picture.has_history ? "\n" : "");
	calls_row(&picture);
	event_rows(&picture);
	journal_row(&picture);
	process_row(&picture);
	capabilities_row(&picture);
	budget_rows(&picture);
	buf_finish(&picture.value);
	buf_finish(&picture.detail);
}

static int run(struct invocation *in, const void *options) {
	const struct health_options *asked = options;
	const struct value *health;
	if (asked->watch) {
		return watch_run(in,
			&(struct watch){.method = "health",
				.params = in->output.is_json ? STR("") : STR(HISTORY_PARAMS),
				.draw = draw});
	}
	health = invocation_ask(in, "health");
	if (!health) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, health);
	} else {
		draw(&in->output, health, NULL, false);
	}
	return exit_status_of_health(field_str(health, "health"));
}

DEFINE_COMMAND(health) = {
	.name = "health",
	.summary = "What is not well, why, and what to do; her own measures.",
	.usage = "[--watch]",
	.examples = (const char *const[]){"annactl health", "annactl health --watch",
		"annactl health --watch --json", NULL},
	.options =
		(const struct option[]){
			{.key = "watch",
				.letter = 'w',
				.type = OPTION_BOOL,
				.offset = offsetof(struct health_options, watch),
				.help = "Every second, with how it went, until q or Ctrl-C."},
			{0},
		},
	.options_size = sizeof(struct health_options),
	.run = run,
};
