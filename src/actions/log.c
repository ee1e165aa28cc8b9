// SPDX-License-Identifier: Apache-2.0
// log: writes a line to Anna's log. The message is a template; values go in as they are, and the
// log escapes what could forge a line.
#include "base/log.h"

#include "engine/action.h"
#include "formats/template.h"

#define LOG_FOLDER "actions"
#define TEMPLATE_MAX 4096
#define LINE_MOST 900 // with the mapping's name before it, within the 1 KiB of the log's messages

struct log_config {
	struct str message;
	int level;
	const struct template *template;
};

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

static const struct option log_rows[] = {
	{"message", OPTION_STRING, offsetof(struct log_config, message), NULL, 1, TEMPLATE_MAX,
		.is_required = true,
		.help = "The line, with {name} for the event's fields and attributes; cut at 900 "
			"bytes."},
	{"level", OPTION_CHOICE, offsetof(struct log_config, level), "info", .choices = levels,
		.help = "At which level it is logged."},
	{NULL},
};

static void log_check(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	struct log_config *log = config;
	struct err err = ERR_INIT;
	log->template = template_compile(arena, log->message, &err);
	if (!log->template) {
		problems_add(problems, place, "message: %s", err.message);
	}
}

static void log_run(struct action_call *call) {
	const struct log_config *log = call->config;
	struct buf text = BUF_INIT;
	// One character more than is kept would show that something is missing.
	template_expand(log->template, event_lookup_text, call->event, LINE_MOST + 4, &text);
	if (text.len > LINE_MOST) {
		buf_clear(&text);
		template_expand(log->template, event_lookup_text, call->event, LINE_MOST, &text);
		event_set_bool(call->result, "truncated", true);
	}
	log_message((enum log_level)log->level, LOG_FOLDER, "%s: %" STR_FMT, call->mapping,
		STR_ARG(buf_str(&text)));
	event_set_str(call->result, "message", buf_str(&text));
	buf_finish(&text);
	call->on_done(call, NULL);
}

DEFINE_ACTION(log) = {
	.name = "log",
	.summary = "Writes a line to Anna's log.",
	.rows = log_rows,
	.size = sizeof(struct log_config),
	.check = log_check,
	.run = log_run,
};
