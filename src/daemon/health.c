// SPDX-License-Identifier: Apache-2.0
// Anna's own health: once a second every part is looked at, the worst level counts, each level has
// its reasons and next steps. What cannot be measured is unknown, never ok.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/daemon.h"

#define LOG_FOLDER "health"

const char *anna_health_name(enum anna_health health) {
	static const char *const names[] = {"ok", "degraded", "critical", "unknown"};
	return names[health];
}

// Unknown is worse than ok and better than degraded.
static int severity(enum anna_health health) {
	static const int order[] = {0, 2, 3, 1};
	return order[health];
}

_printf_(5, 6) static void add_reason(struct anna *anna, enum anna_health level, const char *part,
	const char *next_step, const char *format, ...) {
	size_t most = sizeof(anna->reasons) / sizeof(*anna->reasons);
	if (anna->reason_count == most) {
		return;
	}
	size_t at = anna->reason_count++;
	while (at > 0 && severity(anna->reasons[at - 1].level) < severity(level)) {
		anna->reasons[at] = anna->reasons[at - 1];
		at--;
	}
	struct health_reason *reason = &anna->reasons[at];
	va_list args;
	va_start(args, format);
	reason->level = level;
	(void)snprintf(reason->part, sizeof(reason->part), "%s", part);
	(void)snprintf(reason->next_step, sizeof(reason->next_step), "%s", next_step);
	(void)vsnprintf(reason->text, sizeof(reason->text), format, args);
	va_end(args);
}

static void look_at_journal(struct anna *anna, const struct health_config *config) {
	struct writer_stats writer;
	struct bus_stats bus;
	writer_get_stats(anna->writer, &writer);
	bus_get_stats(anna->services.bus, &bus);
	bool is_failing = writer.is_failing || bus.is_failing;
	if (is_failing) {
		bus_try_again(anna->services.bus); // or a quiet machine would never notice
		add_reason(anna, HEALTH_CRITICAL, "journal",
			"free space on, or mend, the disk that holds the state folder",
			"the journal cannot keep events: %s", writer.reason);
	} else if (writer.is_short) {
		add_reason(anna, HEALTH_DEGRADED, "journal",
			"free space on the disk that holds the state folder",
			"the journal runs short of space: %s", writer.reason);
	}
	if (is_failing != anna->journal_was_failing) {
		anna->journal_was_failing = is_failing;
		struct event *event = event_create("journal.state", "daemon", STR("journal"));
		event_set_text(event, "state", is_failing ? "failing" : "ok");
		event_set_text(event, "reason", writer.reason);
		(void)bus_publish_reserved(anna->services.bus, event, NULL); // said again by health
		if (is_failing) {
			log_error("the journal cannot keep events: %s", writer.reason);
		} else {
			log_info("the journal works again");
		}
	}
	enum anna_health level = (int64_t)bus.in_flight >= config->queue_critical ? HEALTH_CRITICAL
		: (int64_t)bus.in_flight >= config->queue_warn			  ? HEALTH_DEGRADED
										  : HEALTH_OK;
	if (level != HEALTH_OK) {
		add_reason(anna, level, "queue", "look for what publishes so much: annactl events",
			"%zu events wait for the journal", bus.in_flight);
	}
}

// Resident memory from /proc/self/statm; -1 when it cannot be read.
static int64_t resident_bytes(struct anna *anna) {
	struct buf text = BUF_INIT;
	int64_t pages = -1;
	struct str word;
	if (fs_read_file(anna->services.fs, "/proc/self/statm", 256, &text, NULL)) {
		struct str rest = buf_str(&text);
		if (!str_word(&rest, &word) || !str_word(&rest, &word) ||
			!str_to_int64(word, &pages)) {
			pages = -1;
		}
	}
	buf_finish(&text);
	return pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

// Judged is the last whole minute: one bad minute must not be held against her for hours.
static void turn_minute(struct anna *anna) {
	int64_t now = clock_monotonic(anna->clock);
	struct rpc_stats rpc;
	if (now - anna->minute_ns < 60 * NS_PER_SECOND) {
		return;
	}
	anna->minute_ns = now;
	rpc_get_stats(anna->rpc, &rpc);
	histogram_since(&rpc.latency_ns, &anna->answers_before, &anna->answers_minute);
	anna->answers_before = rpc.latency_ns;
	histogram_since(loop_lag(anna->services.loop), &anna->lag_before, &anna->lag_minute);
	anna->lag_before = *loop_lag(anna->services.loop);
}

static void look_at_resources(struct anna *anna, const struct health_config *config) {
	int64_t rss = loop_simulation(anna->services.loop) ? 0 : resident_bytes(anna);
	if (rss < 0) {
		add_reason(anna, HEALTH_UNKNOWN, "memory", "is /proc mounted here?",
			"memory use cannot be read");
	} else if (rss >= config->memory_warn) {
		bool is_critical = rss >= config->memory_critical;
		add_reason(anna, is_critical ? HEALTH_CRITICAL : HEALTH_DEGRADED, "memory",
			"annactl health shows what is queued; see [health] in the configuration",
			"%.1f MB resident, the limit is %.1f MB", (double)rss / 1e6,
			(double)(is_critical ? config->memory_critical : config->memory_warn) /
				1e6);
	}
	const struct histogram *lag = &anna->lag_minute;
	int64_t p99 = histogram_percentile(lag, 99);
	if (lag->count >= 100 && p99 >= config->lag_warn_ns) {
		add_reason(anna, HEALTH_DEGRADED, "loop", "kill -USR1 logs what the loop does",
			"in the last minute one percent of the loop's rounds took %.1f ms or more",
			(double)p99 / 1e6);
	}
	const struct histogram *answers = &anna->answers_minute;
	double p95_ms = (double)histogram_percentile(answers, 95) / 1e6;
	double p99_ms = (double)histogram_percentile(answers, 99) / 1e6;
	if (answers->count >= 100 && p99_ms >= config->rpc_p99_ms) {
		add_reason(anna, HEALTH_CRITICAL, "rpc", "look at the disk: emit waits for it",
			"in the last minute one percent of the answers took %.0f ms or more",
			p99_ms);
	} else if (answers->count >= 100 && p95_ms >= config->rpc_p95_ms) {
		add_reason(anna, HEALTH_DEGRADED, "rpc", "look at the disk: emit waits for it",
			"in the last minute five percent of the answers took %.0f ms or more",
			p95_ms);
	}
}

static void look_at_parts(struct anna *anna) {
	for (size_t i = 0; i < anna->part_count; i++) {
		const struct part *part = &anna->parts[i];
		if (part->state == CAPABILITY_FAILED || part->state == CAPABILITY_DEGRADED) {
			add_reason(anna, HEALTH_DEGRADED, part->capability->name,
				"annactl capabilities says more", "%s: %s",
				capability_state_name(part->state), part->reason);
		}
	}
	if (anna->config_problem[0]) {
		bool was_undone = strstr(anna->config_problem, "undone") != NULL;
		add_reason(anna, HEALTH_DEGRADED, "config",
			was_undone ? "annactl reload takes the file on again; or change it"
				   : "mend the file (annactl config check), then annactl reload",
			"the configuration file is not in force: %s", anna->config_problem);
	}
}

static void publish_change(struct anna *anna, enum anna_health from) {
	struct event *event = event_create("health.changed", "daemon", STR("annad"));
	struct value items[16];
	struct value list = {.type = VALUE_ARRAY, .array = {items, 0}};
	for (size_t i = 0; i < anna->reason_count && i < 16; i++) {
		items[list.array.n++] = value_of_string(str_from(anna->reasons[i].text));
	}
	event_set_text(event, "from", anna_health_name(from));
	event_set_text(event, "to", anna_health_name(anna->health));
	event_set_value(event, "reasons", &list);
	struct err err = ERR_INIT;
	if (!bus_publish_reserved(anna->services.bus, event, &err)) {
		log_warn("this change of health is not in the journal: %s", err.message);
	}
}

void health_refresh(struct anna *anna) {
	const struct health_config *config = snapshot_section(anna->snapshot, &health_section);
	enum anna_health from = anna->health;
	anna->reason_count = 0;
	turn_minute(anna);
	look_at_journal(anna, config);
	look_at_resources(anna, config);
	look_at_parts(anna);
	anna->health = anna->reason_count ? anna->reasons[0].level : HEALTH_OK;
	if (anna->health != from) {
		publish_change(anna, from);
		if (anna->health == HEALTH_OK) {
			log_info("all is well");
		} else {
			log_warn("%s: %s", anna_health_name(anna->health), anna->reasons[0].text);
		}
	}
}

enum anna_health anna_get_health(
	const struct anna *anna, struct health_reason *out, size_t n, size_t *out_count) {
	size_t count = anna->reason_count < n ? anna->reason_count : n;
	memcpy(out, anna->reasons, count * sizeof(*out));
	*out_count = count;
	return anna->health;
}

static void meter_histogram(
	struct exposition *x, const char *name, const char *help, const struct histogram *ns) {
	static const struct {
		double percent;
		const char *quantile;
	} points[] = {{50, "0.5"}, {95, "0.95"}, {99, "0.99"}};
	exposition_family(x, name, "summary", help);
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
		exposition_sample(x, (double)histogram_percentile(ns, points[i].percent) / 1e9,
			"quantile", points[i].quantile, NULL);
	}
	exposition_suffixed(x, "_sum", ns->sum / 1e9, NULL);
	exposition_suffixed(x, "_count", (double)ns->count, NULL);
}

static void meter_one(
	struct exposition *x, const char *name, const char *type, const char *help, double value) {
	exposition_family(x, name, type, help);
	exposition_sample(x, value, NULL);
}

static void meter_journal(struct anna *anna, struct exposition *x) {
	struct writer_stats writer;
	writer_get_stats(anna->writer, &writer);
	meter_one(x, "anna_journal_records_total", "counter", "Records written.",
		(double)writer.journal.appended_records);
	meter_one(x, "anna_journal_bytes_total", "counter", "Bytes written.",
		(double)writer.journal.appended_bytes);
	meter_one(x, "anna_journal_size_bytes", "gauge", "Bytes on disk.",
		(double)writer.journal.size_bytes);
	meter_one(x, "anna_journal_failed_syncs_total", "counter", "Syncs the disk refused.",
		(double)writer.journal.failed_syncs);
	meter_histogram(
		x, "anna_journal_sync_seconds", "Time of one group commit.", &writer.sync_ns);
}

void health_meter(void *arg, struct exposition *x) {
	struct anna *anna = arg;
	struct bus_stats bus;
	struct rpc_stats rpc;
	struct engine_stats engine;
	bus_get_stats(anna->services.bus, &bus);
	rpc_get_stats(anna->rpc, &rpc);
	engine_get_stats(anna->engine, &engine);
	exposition_family(x, "anna_build_info", "gauge", "Version of annad; always 1.");
	exposition_sample(x, 1, "version", ANNA_VERSION, NULL);
	exposition_family(x, "anna_health", "gauge", "1 for the level Anna is at.");
	for (int level = HEALTH_OK; level <= HEALTH_UNKNOWN; level++) {
		exposition_sample(x, anna->health == (enum anna_health)level, "level",
			anna_health_name((enum anna_health)level), NULL);
	}
	exposition_family(x, "anna_capability_state", "gauge", "1 for the state it is in.");
	for (size_t i = 0; i < anna->part_count; i++) {
		exposition_sample(x, 1, "capability", anna->parts[i].capability->name, "state",
			capability_state_name(anna->parts[i].state), NULL);
	}
	meter_one(x, "anna_config_generation", "gauge", "The generation in force.",
		(double)anna->generation);
	meter_one(x, "anna_config_reloads_total", "counter", "Reloads, refused ones included.",
		(double)anna_reload_count(anna));
	meter_histogram(
		x, "anna_config_reload_seconds", "From the request to in force.", &anna->reload_ns);
	meter_one(x, "anna_events_accepted_total", "counter", "Events accepted.",
		(double)bus.accepted);
	meter_one(x, "anna_events_durable_total", "counter", "Events made durable.",
		(double)bus.durable);
	meter_one(x, "anna_events_failed_total", "counter", "Accepted events the disk lost.",
		(double)bus.failed);
	meter_one(x, "anna_events_refused_total", "counter", "Events refused as busy.",
		(double)bus.refused);
	meter_one(x, "anna_events_in_flight", "gauge", "Events that wait for the disk.",
		(double)bus.in_flight);
	meter_journal(anna, x);
	meter_one(x, "anna_rpc_calls_total", "counter", "RPC calls.", (double)rpc.calls);
	meter_one(x, "anna_rpc_failures_total", "counter", "RPC calls answered with an error.",
		(double)rpc.failures);
	meter_one(x, "anna_rpc_refused_sessions_total", "counter",
		"Connections refused because there were too many.", (double)rpc.refused_sessions);
	meter_one(x, "anna_rpc_sessions", "gauge", "Open RPC sessions.", (double)rpc.sessions);
	meter_histogram(x, "anna_rpc_latency_seconds", "From request to answer.", &rpc.latency_ns);
	meter_histogram(x, "anna_loop_round_seconds", "Work of one round of the loop.",
		loop_lag(anna->services.loop));
	meter_one(x, "anna_actions_started_total", "counter", "Actions started.",
		(double)engine.started);
	meter_one(x, "anna_actions_failed_total", "counter", "Actions that failed.",
		(double)engine.failed);
	meter_one(x, "anna_actions_refused_total", "counter", "Refused by depth or budget.",
		(double)engine.refused);
	meter_one(x, "anna_actions_running", "gauge", "Actions that run now.",
		(double)engine.running);
	meter_one(x, "anna_actions_waiting", "gauge", "Actions that wait for their turn.",
		(double)engine.waiting);
	meter_one(x, "anna_log_dropped_total", "counter", "Log lines nobody read.",
		(double)log_dropped());
}
