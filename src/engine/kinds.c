// SPDX-License-Identifier: Apache-2.0
// The events the engine publishes about its runs.
#include "engine/engine.h"

static const struct kind_attribute started[] = {
	{"mapping", "string", NULL, "which mapping acts"},
	{"action", "string", NULL, "the action's type"},
	{"class", "string", NULL, "assured or reflex"},
	{"key", "string", NULL, "the same again means the same run, repeated"},
	{"attempt", "integer", NULL, "1; higher when a restart repeats it"},
	{"guards", "object", NULL, "the values the condition looked at"},
	{NULL},
};

static const struct kind_attribute finished[] = {
	{"mapping", "string", NULL, "which mapping acted"},
	{"action", "string", NULL, "the action's type"},
	{"class", "string", NULL, "assured or reflex"},
	{"key", "string", NULL, "of the run"},
	{"attempt", "integer", NULL, "of the run"},
	{"guards", "object", NULL,
		"the values the condition looked at, when there is no action.started"},
	{"pid", "integer", NULL, "exec: the process"},
	{"exit_status", "integer", NULL, "exec: how the program ended"},
	{"signal", "integer", NULL, "exec: what killed the program, instead of exit_status"},
	{"timed_out", "boolean", NULL, "exec: it was killed because of its time limit"},
	{"output", "string", NULL, "exec: what it wrote to standard output and standard error"},
	{"output_cut", "boolean", NULL, "exec: there was more output than is kept"},
	{"cpu_us", "integer", "us", "exec: CPU time of the program"},
	{"max_rss_bytes", "integer", "bytes", "exec: the most memory it had at once"},
	{"message", "string", NULL, "log: the line written"},
	{"ok", "boolean", NULL, "it worked"},
	{"error", "string", NULL, "why it did not"},
	{"cancelled", "boolean", NULL, "ended by a stop of Anna; an assured run is repeated"},
	{"duration_us", "integer", "us", "from start to end"},
	{"truncated", "boolean", NULL,
		"what the action reported was too large to keep; log: the line was cut"},
	{NULL},
};

static const struct kind_attribute refused[] = {
	{"mapping", "string", NULL, "which mapping did not act"},
	{"reason", "string", NULL, "depth, budget, queue (too much waits) or disabled"},
	{"count", "integer", NULL, "how many times since the last such event"},
	{NULL},
};

const struct kind engine_kinds[] = {
	{"action.started", STREAM_NORMAL, "A mapping began to act.", started},
	{"action.finished", STREAM_NORMAL, "A mapping has acted, well or not.", finished},
	{"mapping.refused", STREAM_NORMAL,
		"A mapping matched and did not act: too deep a causal chain, a reflex over its "
		"budget or with too much waiting, or disabled meanwhile; at most once a second for "
		"each.",
		refused},
	{NULL},
};
