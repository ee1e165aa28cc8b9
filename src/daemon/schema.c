// SPDX-License-Identifier: Apache-2.0
// Puts the schema together: the daemon's own sections, then one of each source and capability,
// then the mappings with every action. The only reader of all tables.
#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "base/alloc.h"
#include "capabilities/capabilities.h"
#include "daemon/daemon.h"
#include "engine/mapping.h"
#include "formats/json.h"
#include "helper/helper.h"
#include "rpc/describe.h"
#include "rpc/methods.h"
#include "sources/sources.h"

static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_formats[] = {"auto", "text", "json", "journald", NULL};

static const struct option daemon_rows[] = {
	{.key = "log_level",
		.type = OPTION_CHOICE,
		.offset = offsetof(struct daemon_config, log_level),
		.fallback = "info",
		.choices = log_levels,
		.help = "How much is logged."},
	{.key = "log_format",
		.type = OPTION_CHOICE,
		.offset = offsetof(struct daemon_config, log_format),
		.fallback = "auto",
		.choices = log_formats,
		.help = "How log lines look; auto is journald under systemd and text elsewhere."},
	{.key = "stop_timeout",
		.type = OPTION_DURATION,
		.offset = offsetof(struct daemon_config, stop_timeout_ns),
		.fallback = "1s",
		.max = 60e9,
		.help = "How long running actions may go on when Anna stops, before they are "
			"ended."},
	{.key = "helper_socket",
		.type = OPTION_STRING,
		.offset = offsetof(struct daemon_config, helper_socket),
		.fallback = HELPER_SOCKET,
		.min = 1,
		.max = 107,
		.apply = APPLY_RESTART,
		.help = "Where the helper is asked for what needs root: the actions unit and "
			"command."},
	{0},
};

const struct section daemon_section = {
	.name = "daemon",
	.summary = "The daemon itself.",
	.rows = daemon_rows,
	.size = sizeof(struct daemon_config),
};

#define STREAM_ROW(name, field, size, text) \
	{ \
		.key = name, .type = OPTION_SIZE, \
		.offset = offsetof(struct journal_config, field), .fallback = size, \
		.min = 8388608.0, .max = 1099511627776.0, .apply = APPLY_RESTART, .help = text \
	}

static const struct option journal_rows[] = {
	STREAM_ROW("normal_size", normal_size, "256MiB",
		"Hard budget on disk for ordinary events; the oldest go first."),
	STREAM_ROW("audit_size", audit_size, "64MiB",
		"Hard budget for the audit trail: lifecycle, configuration, capabilities, gaps."),
	STREAM_ROW("telemetry_size", telemetry_size, "64MiB",
		"Hard budget for events of measurements."),
	STREAM_ROW("state_size", state_size, "16MiB",
		"Hard budget for cursors and other state of the journal itself."),
	{.key = "max_age",
		.type = OPTION_DURATION,
		.offset = offsetof(struct journal_config, max_age_ns),
		.fallback = "0s",
		.apply = APPLY_RESTART,
		.help = "Drop events older than this; 0 keeps them as long as they fit."},
	{.key = "queue",
		.type = OPTION_INT,
		.offset = offsetof(struct journal_config, queue),
		.fallback = "16384",
		.min = 1024,
		.max = 1048576,
		.unit = "events",
		.apply = APPLY_RESTART,
		.help = "Events that may wait for the disk; more are refused as busy."},
	{.key = "queue_size",
		.type = OPTION_SIZE,
		.offset = offsetof(struct journal_config, queue_size),
		.fallback = "12MiB",
		.min = 1048576.0,
		.max = 1073741824.0,
		.unit = "bytes",
		.apply = APPLY_RESTART,
		.help = "Memory that events may take while they wait for the disk; more are "
			"refused as busy."},
	{0},
};

const struct section journal_section = {
	.name = "journal",
	.summary = "What Anna remembers, and how much disk she may use for it.",
	.rows = journal_rows,
	.size = sizeof(struct journal_config),
};

static const struct option health_rows[] = {
	{.key = "memory_warn",
		.type = OPTION_SIZE,
		.offset = offsetof(struct health_config, memory_warn),
		.fallback = "60MB",
		.help = "Anna is degraded when she uses more memory (resident) than this, or than "
			"limit_warn of the real limit if that is less."},
	{.key = "memory_critical",
		.type = OPTION_SIZE,
		.offset = offsetof(struct health_config, memory_critical),
		.fallback = "70MB",
		.help = "Anna is critical when she uses more memory (resident) than this, or than "
			"limit_critical of the real limit if that is less."},
	{.key = "limit_warn",
		.type = OPTION_NUMBER,
		.offset = offsetof(struct health_config, limit_warn),
		.fallback = "75",
		.min = 1,
		.max = 100,
		.unit = "percent",
		.help = "Share of the limit that the kernel enforces (memory.max, memory.high or "
			"memory.limit_in_bytes of the control group, else RLIMIT_AS) from which on "
			"Anna is degraded."},
	{.key = "limit_critical",
		.type = OPTION_NUMBER,
		.offset = offsetof(struct health_config, limit_critical),
		.fallback = "88",
		.min = 1,
		.max = 100,
		.unit = "percent",
		.help = "Share of that limit from which on Anna is critical."},
	{.key = "rpc_p95_ms",
		.type = OPTION_NUMBER,
		.offset = offsetof(struct health_config, rpc_p95_ms),
		.fallback = "200",
		.unit = "ms",
		.help = "Anna is degraded when the 95th percentile of the last minute's answers "
			"(20 at least) takes longer."},
	{.key = "rpc_p99_ms",
		.type = OPTION_NUMBER,
		.offset = offsetof(struct health_config, rpc_p99_ms),
		.fallback = "500",
		.unit = "ms",
		.help = "Anna is critical when the 99th percentile of the last minute's answers "
			"(100 at least) takes longer."},
	{.key = "queue_warn",
		.type = OPTION_INT,
		.offset = offsetof(struct health_config, queue_warn),
		.fallback = "50",
		.unit = "events",
		.help = "Anna is degraded when so many events wait for the journal, the oldest for "
			"queue_age."},
	{.key = "queue_critical",
		.type = OPTION_INT,
		.offset = offsetof(struct health_config, queue_critical),
		.fallback = "100",
		.unit = "events",
		.help = "Anna is critical when so many events wait for the journal, the oldest for "
			"queue_age."},
	{.key = "queue_age",
		.type = OPTION_DURATION,
		.offset = offsetof(struct health_config, queue_age_ns),
		.fallback = "1s",
		.help = "A queue that is emptied sooner than this is never held against Anna, "
			"however deep it was."},
	{.key = "lag_warn",
		.type = OPTION_DURATION,
		.offset = offsetof(struct health_config, lag_warn_ns),
		.fallback = "100ms",
		.help = "Anna is degraded when one percent of the last minute's rounds of her loop "
			"take longer."},
	{.key = "sync_warn",
		.type = OPTION_DURATION,
		.offset = offsetof(struct health_config, sync_warn_ns),
		.fallback = "1s",
		.help = "Anna is degraded when five percent of the last minute's syncs of the "
			"journal take longer."},
	{.key = "fds_warn",
		.type = OPTION_NUMBER,
		.offset = offsetof(struct health_config, fds_warn),
		.fallback = "80",
		.min = 1,
		.max = 100,
		.unit = "percent",
		.help = "Share of the limit of file descriptors from which on Anna is degraded."},
	{.key = "fds_critical",
		.type = OPTION_NUMBER,
		.offset = offsetof(struct health_config, fds_critical),
		.fallback = "95",
		.min = 1,
		.max = 100,
		.unit = "percent",
		.help = "Share of the limit of file descriptors from which on Anna is critical."},
	{.key = "cpu_warn",
		.type = OPTION_NUMBER,
		.offset = offsetof(struct health_config, cpu_warn),
		.fallback = "90",
		.max = 10000,
		.unit = "percent",
		.help = "Anna is degraded when she used more of a core than this over the last "
			"minute; 0 for never."},
	{0},
};

const struct section health_section = {
	.name = "health",
	.summary = "When Anna calls herself degraded or critical.",
	.rows = health_rows,
	.size = sizeof(struct health_config),
};

static const struct option capabilities_rows[] = {
	{.key = "disabled",
		.type = OPTION_STRINGS,
		.offset = offsetof(struct capabilities_config, disabled),
		.max = 64,
		.help = "Parts that are switched off, by the names of annactl capabilities; rpc "
			"cannot be."},
	{0},
};

// Where it says which parts there are; every one, also those a test leaves out.
static const struct capability *part_get(size_t i) {
	return i < capability_count		      ? capabilities[i]
		: i < capability_count + source_count ? sources[i - capability_count]
						      : NULL;
}

static void check_name(struct str name, struct place place, struct problems *problems) {
	const char *names[256];
	size_t n = 0;
	for (const struct capability *one; n < 256 && (one = part_get(n)) != NULL; n++) {
		names[n] = one->name;
		if (str_is(name, one->name) && one->is_essential) {
			problems_add(problems, place,
				"%s cannot be switched off: without it nobody could ask or stop "
				"Anna",
				one->name);
		}
		if (str_is(name, one->name)) {
			return;
		}
	}
	const char *near = option_nearest(name, names, n);
	problems_add(problems, place,
		"there is no capability \"%.*s\"%s%s%s; annactl capabilities lists them",
		(int)(name.len < 64 ? name.len : 64), name.at, near ? "; did you mean \"" : "",
		near ? near : "", near ? "\"?" : "");
}

static void check_capabilities(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	const struct capabilities_config *wanted = config;
	(void)arena;
	for (size_t i = 0; i < wanted->disabled.n; i++) {
		check_name(wanted->disabled.items[i], place, problems);
	}
}

const struct section capabilities_section = {
	.name = "capabilities",
	.summary = "Which parts of Anna are switched off.",
	.rows = capabilities_rows,
	.size = sizeof(struct capabilities_config),
	.check = check_capabilities,
	.example = "[capabilities]\ndisabled = [\"http\"]\n",
};

static void build_sections(struct anna *anna) {
	size_t most = 5 + anna->part_count;
	size_t n = 0;
	anna->sections = xcalloc(most, sizeof(*anna->sections));
	anna->sections[n++] = &daemon_section;
	anna->sections[n++] = &journal_section;
	anna->sections[n++] = &health_section;
	anna->sections[n++] = &capabilities_section;
	for (size_t i = 0; i < anna->part_count; i++) {
		const struct capability *capability = anna->parts[i].capability;
		if (capability->section && capability->section->rows) {
			anna->sections[n++] = capability->section;
		}
	}
	anna->sections[n++] = &mappings_section;
	anna->schema = (struct schema){anna->sections, n, &anna->variant_set, 1};
}

static void build_kinds(struct anna *anna) {
	anna->kinds = kinds_create();
	kinds_add(anna->kinds, core_kinds);
	kinds_add(anna->kinds, engine_kinds);
	for (size_t i = 0; i < anna->part_count; i++) {
		kinds_add(anna->kinds, anna->parts[i].capability->kinds);
	}
	for (size_t i = 0; i < actions_count; i++) {
		kinds_add(anna->kinds, actions[i]->kinds);
	}
}

static void list_parts(struct anna *anna) {
	anna->part_count = source_count + capability_count;
	anna->parts = xcalloc(anna->part_count, sizeof(*anna->parts));
	for (size_t i = 0; i < capability_count; i++) { // doors open first, so that one can look in
		anna->parts[i].capability = capabilities[i];
	}
	for (size_t i = 0; i < source_count; i++) {
		anna->parts[capability_count + i].capability = sources[i];
	}
}

static void list_given_parts(struct anna *anna, const struct daemon_seam *seam) {
	anna->part_count = seam->capability_count;
	anna->parts = xcalloc(anna->part_count, sizeof(*anna->parts));
	for (size_t i = 0; i < anna->part_count; i++) {
		anna->parts[i].capability = seam->capabilities[i];
	}
}

void daemon_build_schema(struct anna *anna, const struct daemon_seam *seam) {
	if (seam && seam->capabilities) {
		list_given_parts(anna, seam);
	} else {
		list_parts(anna);
	}
	anna->arena = arena_create();
	anna->variant_set = mapping_action_variants(anna->arena, actions, actions_count);
	build_sections(anna);
	build_kinds(anna);
}

void daemon_finish_schema(struct anna *anna) {
	arena_destroy(anna->arena);
	free(anna->sections);
	free(anna->parts);
	kinds_destroy(anna->kinds);
}

void daemon_show_sample(struct buf *out) {
	struct anna anna = {0};
	daemon_build_schema(&anna, NULL);
	schema_format_sample(&anna.schema, out);
	daemon_finish_schema(&anna);
}

void daemon_show_schema(struct buf *out) {
	struct anna anna = {0};
	struct json_writer writer;
	daemon_build_schema(&anna, NULL);
	json_writer_init(&writer, out);
	json_begin_object(&writer);
	json_member_text(&writer, "version", ANNA_VERSION);
	struct buf schema = BUF_INIT;
	schema_format_json(&anna.schema, &schema);
	json_key(&writer, "config");
	json_raw(&writer, buf_str(&schema));
	buf_finish(&schema);
	json_key(&writer, "kinds");
	describe_kinds(&writer, anna.kinds);
	json_key(&writer, "errors");
	describe_errors(&writer);
	json_key(&writer, "methods");
	describe_methods(&writer, rpc_method_table, rpc_method_count);
	json_key(&writer, "capabilities");
	json_begin_array(&writer);
	for (size_t i = 0; i < anna.part_count; i++) {
		json_begin_object(&writer);
		json_member_text(&writer, "name", anna.parts[i].capability->name);
		json_member_text(&writer, "summary", anna.parts[i].capability->summary);
		json_end_object(&writer);
	}
	json_end_array(&writer);
	json_end_object(&writer);
	buf_append_char(out, '\n');
	daemon_finish_schema(&anna);
}
