// SPDX-License-Identifier: Apache-2.0
// `annactl health`: what Anna measures of herself, what is not well, and what to do about it. The
// exit status is the level.
#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/summary.h"
#include "ctl/watch.h"

struct health_options {
	bool watch;
};

// One drawing: the sample now, and in a watch the one before.
struct picture {
	const struct value *now, *before;
	struct table *list;
};

static void row(struct picture *picture, const char *label, struct buf *text) {
	list_row(picture->list, label, "%s", buf_text(text));
	buf_clear(text);
}

// "count noun (+change)".
static void append_count(struct picture *picture, struct buf *out, const char *part,
	const char *key, const char *noun) {
	const struct value *now = value_get(picture->now, str_from(part));
	const struct value *before = value_get(picture->before, str_from(part));
	text_grouped(out, field_int(now, key, 0));
	buf_appendf(out, " %s", noun);
	append_delta(out, field_int(now, key, 0), field_int(before, key, 0), before != NULL);
}

static bool has_samples(const struct value *distribution) {
	return field_int(distribution, "count", 0) > 0;
}

static void append_distribution(struct buf *out, const struct value *distribution) {
	static const char *const points[] = {"p50", "p95", "p99", "max"};
	if (!has_samples(distribution)) {
		buf_append_text(out, "nothing measured yet");
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		char key[16];
		snprintf(key, sizeof(key), "%s_us", points[i]);
		buf_appendf(out, "%s%s ", i ? "  " : "", points[i]);
		append_measured(out, field_double(distribution, key, 0));
	}
}

static void rpc_rows(struct picture *picture, struct buf *text) {
	append_distribution(text, value_get(picture->now, STR("rpc_latency")));
	row(picture, "answers in", text);
	append_count(picture, text, "rpc", "calls", "calls");
	buf_append_text(text, ", ");
	append_count(picture, text, "rpc", "failures", "refused or failed");
	buf_append_text(text, ", ");
	append_count(picture, text, "rpc", "connections", "connected");
	row(picture, "calls", text);
}

static void memory_row(struct picture *picture, struct buf *text) {
	const struct value *memory = value_get(picture->now, STR("memory"));
	const struct value *before = value_get(picture->before, STR("memory"));
	int64_t rss = field_int(memory, "rss_bytes", -1);
	int64_t limit = field_int(memory, "limit_bytes", -1);
	if (rss < 0) {
		buf_append_text(text, "unknown: /proc could not be read");
	} else {
		text_bytes(text, rss);
		append_delta(
			text, rss / 1024, field_int(before, "rss_bytes", 0) / 1024, before != NULL);
		buf_append_text(text, ", at most ");
		text_bytes(text, field_int(memory, "peak_bytes", 0));
		if (limit > 0) {
			buf_append_text(text, ", limit ");
			text_bytes(text, limit);
		}
		buf_appendf(text, ", %lld threads", (long long)field_int(memory, "threads", 0));
	}
	row(picture, "memory", text);
}

static void event_rows(struct picture *picture, struct buf *text) {
	const struct value *journal = value_get(picture->now, STR("journal"));
	append_count(picture, text, "queue", "accepted", "accepted");
	buf_append_text(text, ", ");
	append_count(picture, text, "queue", "refused", "refused");
	buf_append_text(text, ", ");
	append_count(picture, text, "queue", "failed", "failed");
	row(picture, "events", text);
	append_count(picture, text, "queue", "depth", "waiting");
	buf_appendf(text, ", at most %lld",
		(long long)field_int(value_get(picture->now, STR("queue")), "deepest", 0));
	row(picture, "queue", text);
	if (!journal || journal->type != VALUE_TABLE) {
		buf_append_text(text, "not open");
	} else {
		text_bytes(text, field_int(journal, "size_bytes", 0));
		buf_append_text(text, ", ");
		append_count(picture, text, "journal", "syncs", "syncs");
		buf_appendf(text, " of %.1f records", field_double(journal, "records_per_sync", 0));
	}
	row(picture, "journal", text);
	append_distribution(text, value_get(journal, STR("sync")));
	row(picture, "syncs in", text);
}

static void process_rows(struct picture *picture, struct buf *text) {
	const struct value *cpu = value_get(picture->now, STR("cpu"));
	const struct value *fds = value_get(picture->now, STR("fds"));
	append_distribution(text, value_get(picture->now, STR("loop_lag")));
	row(picture, "loop lag", text);
	append_measured(text, field_double(cpu, "user_us", 0));
	buf_append_text(text, " user, ");
	append_measured(text, field_double(cpu, "system_us", 0));
	buf_append_text(text, " system");
	row(picture, "cpu", text);
	buf_appendf(text, "%lld of %lld open", (long long)field_int(fds, "open", 0),
		(long long)field_int(fds, "limit", 0));
	row(picture, "files", text);
}

static void draw(struct output *output, const struct value *now, const struct value *before,
	bool is_verbose) {
	struct str level = field_str(now, "health");
	struct arena *arena = arena_create();
	struct picture picture = {now, before, list_create(arena)};
	struct buf text = BUF_INIT;
	(void)is_verbose;
	output_style(output, STYLE_BOLD, STR("health "));
	output_style(output, style_of_state(level), level);
	append_uptime(&text, field_int(now, "uptime_sec", 0));
	output_printf(output, ", up %s\n\n", buf_text(&text));
	buf_clear(&text);
	rpc_rows(&picture, &text);
	event_rows(&picture, &text);
	memory_row(&picture, &text);
	process_rows(&picture, &text);
	table_print(picture.list, output);
	print_reasons(output, value_get(now, STR("reasons")));
	buf_finish(&text);
	arena_destroy(arena);
}

static int run(struct invocation *in, const void *options) {
	const struct health_options *asked = options;
	const struct value *health;
	if (asked->watch) {
		return watch_run(in, &(struct watch){.method = "health", .draw = draw});
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
	.aliases = (const char *const[]){"doctor check", NULL},
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
				.help = "Every second, until Ctrl-C."},
			{0},
		},
	.options_size = sizeof(struct health_options),
	.run = run,
};
