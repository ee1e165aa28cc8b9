// SPDX-License-Identifier: Apache-2.0
// Anna's own health: once a second every part is looked at, the worst level counts, each level has
// its reasons and next steps. What cannot be measured is unknown, never ok.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "io/worker.h"

#define LOG_FOLDER "health"
// Too few to speak of one in twenty, or of one in a hundred.
#define P95_LEAST 20
#define P99_LEAST 100
#define STALE_NS (10 * NS_PER_SECOND) // a measure that comes every second
#define JOB_WAITS_NS (10 * NS_PER_SECOND)
// Changes of the reasons at the same level are told this often at most.
#define REASONS_EVERY_NS (60 * NS_PER_SECOND)

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

// --- the journal and its queue ---

static void publish_journal_state(
	struct anna *anna, bool is_failing, const struct writer_stats *writer) {
	struct event *event = event_create("journal.state", "daemon", STR("journal"));
	event_set_text(event, "state", is_failing ? "failing" : "ok");
	event_set_text(event, "reason", writer->reason);
	(void)bus_publish_reserved(anna->services.bus, event, NULL); // said again by health
	if (is_failing) {
		log_error("the journal cannot keep events: %s", writer->reason);
	} else {
		log_info("the journal works again");
	}
}

static void look_at_disk(struct anna *anna, const struct health_config *config,
	const struct writer_stats *writer, bool bus_is_failing) {
	bool is_failing = writer->is_failing || bus_is_failing;
	struct window_summary sync;
	if (is_failing) {
		bus_try_again(anna->services.bus); // or a quiet machine would never notice
		add_reason(anna, HEALTH_CRITICAL, "journal",
			"free space on, or mend, the disk that holds the state folder",
			"the journal cannot keep events: %s", writer->reason);
	} else if (writer->is_short) {
		add_reason(anna, HEALTH_DEGRADED, "journal",
			"free space on the disk that holds the state folder",
			"the journal runs short of space: %s", writer->reason);
	}
	if (is_failing != anna->journal_was_failing) {
		anna->journal_was_failing = is_failing;
		publish_journal_state(anna, is_failing, writer);
	}
	windows_read(writer->sync_windows, clock_monotonic(anna->clock), WINDOW_1M, &sync);
	if (sync.count >= P95_LEAST && sync.p95 >= config->sync_warn_ns) {
		add_reason(anna, HEALTH_DEGRADED, "journal",
			"see who writes to that disk: annactl top, or iostat -x 1",
			"in the last minute five percent of the journal's syncs took %.0f ms or "
			"more",
			(double)sync.p95 / 1e6);
	}
}

// A burst that is gone before the next look is what a queue is for: only what does not drain counts.
static void look_at_queue(
	struct anna *anna, const struct health_config *config, const struct bus_stats *bus) {
	int64_t age_ns = bus->oldest_ns ? clock_monotonic(anna->clock) - bus->oldest_ns : 0;
	const struct vitals *vitals = &anna->vitals.vitals;
	int64_t depth = (int64_t)bus->in_flight;
	if (age_ns >= config->queue_age_ns && depth >= config->queue_warn) {
		bool is_critical = depth >= config->queue_critical;
		add_reason(anna, is_critical ? HEALTH_CRITICAL : HEALTH_DEGRADED, "queue",
			"look for what publishes so much: annactl events; and at the disk",
			"%lld events wait for the journal, the oldest for %.1f s", (long long)depth,
			(double)age_ns / 1e9);
	}
	if (vitals->in_minute[RATE_REFUSED] && !bus->is_failing) {
		add_reason(anna, HEALTH_DEGRADED, "queue",
			"whoever publishes so much gets BUSY and may try again: annactl events",
			"%llu events were refused in the last minute: %s",
			(unsigned long long)vitals->in_minute[RATE_REFUSED],
			bus->bytes_deepest >= bus->bytes_max / 10 * 9
				? "the memory for events on their way to the disk was used up"
				: "too many were on their way to the disk");
	}
}

static void look_at_journal(struct anna *anna, const struct health_config *config) {
	struct writer_stats writer;
	struct bus_stats bus;
	writer_get_stats(anna->writer, &writer);
	bus_get_stats(anna->services.bus, &bus);
	look_at_disk(anna, config, &writer, bus.is_failing);
	look_at_queue(anna, config, &bus);
}

// --- what the machine gives ---

static int64_t smaller(int64_t a, int64_t b) {
	return a < b ? a : b;
}

struct bounds {
	int64_t warn, critical;
};

// The smaller of what is configured and a share of the limit at which the kernel acts.
static struct bounds memory_bounds(
	const struct health_config *config, const struct footprint *footprint) {
	struct bounds bounds = {config->memory_warn, config->memory_critical};
	if (footprint->limit_bytes >= 0) {
		double limit = (double)footprint->limit_bytes / 100;
		bounds.warn = smaller(bounds.warn, (int64_t)(limit * config->limit_warn));
		bounds.critical = smaller(
			bounds.critical, (int64_t)(limit * config->limit_critical));
	}
	return bounds;
}

static void look_at_memory(struct anna *anna, const struct health_config *config) {
	const struct footprint *footprint = &anna->vitals.vitals.footprint;
	struct bounds bounds = memory_bounds(config, footprint);
	int64_t rss = footprint->rss_bytes;
	const char *next_step = "annactl health shows what is queued and kept; raise MemoryMax= of "
				"the unit, or memory_warn and memory_critical in [health]";
	if (rss < 0) {
		add_reason(anna, HEALTH_UNKNOWN, "memory", "is /proc mounted here?",
			"memory use cannot be read");
	} else if (rss >= bounds.warn) {
		bool is_critical = rss >= bounds.critical;
		add_reason(anna, is_critical ? HEALTH_CRITICAL : HEALTH_DEGRADED, "memory",
			next_step, "%.1f MB resident, %s from %.1f MB on", (double)rss / 1e6,
			is_critical ? "critical" : "too much",
			(double)(is_critical ? bounds.critical : bounds.warn) / 1e6);
	}
	double used = footprint->limit_bytes > 0 && footprint->counted_bytes >= 0
		? 100 * (double)footprint->counted_bytes / (double)footprint->limit_bytes
		: 0;
	if (used >= config->limit_warn && rss < bounds.warn) {
		add_reason(anna, used >= config->limit_critical ? HEALTH_CRITICAL : HEALTH_DEGRADED,
			"memory", next_step,
			"%.0f %% of the limit is used (%s, %.1f MB): at 100 %% the kernel ends "
			"something here",
			used, footprint->limit_of, (double)footprint->limit_bytes / 1e6);
	}
}

static void look_at_process(struct anna *anna, const struct health_config *config) {
	const struct vitals *vitals = &anna->vitals.vitals;
	const struct footprint *footprint = &vitals->footprint;
	double cpu = vitals->minute_s >= 30 ? vitals->per_second[RATE_CPU_US] / 1e4 : 0;
	double fds = footprint->fds >= 0 && footprint->fd_limit > 0
		? 100 * (double)footprint->fds / (double)footprint->fd_limit
		: 0;
	if (fds >= config->fds_warn) {
		add_reason(anna, fds >= config->fds_critical ? HEALTH_CRITICAL : HEALTH_DEGRADED,
			"descriptors",
			"ls -l /proc/PID/fd shows what they are; LimitNOFILE= of the unit raises "
			"the limit",
			"%lld of %lld file descriptors are in use", (long long)footprint->fds,
			(long long)footprint->fd_limit);
	}
	if (config->cpu_warn > 0 && cpu >= config->cpu_warn) {
		add_reason(anna, HEALTH_DEGRADED, "cpu", "kill -USR1 logs what she does",
			"%.0f %% of a core over the last minute", cpu);
	}
}

static void look_at_machine(struct anna *anna, const struct health_config *config) {
	int64_t read_ns = anna->vitals.vitals.footprint_ns;
	if (loop_simulation(anna->services.loop)) {
		return; // nothing of the machine below is looked at
	}
	if (!read_ns || clock_monotonic(anna->clock) - read_ns >= STALE_NS) {
		add_reason(anna, HEALTH_UNKNOWN, "memory",
			read_ns ? "annactl health shows how full the job pool is"
				: "it comes with the first look, in a moment",
			read_ns ? "memory, descriptors and CPU were not measured for 10 s"
				: "memory, descriptors and CPU were not measured yet");
		return;
	}
	look_at_memory(anna, config);
	look_at_process(anna, config);
}

// --- the loop, the jobs and the doors ---

static void look_at_loop(struct anna *anna, const struct health_config *config) {
	struct window_summary lag;
	struct loop_worst worst;
	windows_read(
		loop_windows(anna->services.loop), clock_monotonic(anna->clock), WINDOW_1M, &lag);
	loop_get_worst(anna->services.loop, &worst);
	if (lag.count >= P99_LEAST && lag.p99 >= config->lag_warn_ns) {
		add_reason(anna, HEALTH_DEGRADED, "loop", "kill -USR1 logs what the loop does",
			"in the last minute one percent of the loop's rounds took %.1f ms or more "
			"(the worst lately was a %s of %.1f ms)",
			(double)lag.p99 / 1e6, worst.what ? worst.what : "round",
			(double)worst.took_ns / 1e6);
	}
}

static void look_at_jobs(struct anna *anna, struct jobs *jobs, const char *name) {
	struct jobs_stats stats;
	jobs_get_stats(jobs, &stats);
	int64_t age_ns = stats.oldest_ns ? clock_monotonic(anna->clock) - stats.oldest_ns : 0;
	if (age_ns >= JOB_WAITS_NS && stats.waiting) {
		add_reason(anna, HEALTH_DEGRADED, name,
			"kill -USR1 logs what runs; a disk or mount that hangs is the usual cause",
			"%zu jobs wait and the oldest is %.0f s old: what they read does not "
			"answer",
			stats.waiting, (double)age_ns / 1e9);
	}
}

static void look_at_answers(struct anna *anna, const struct health_config *config) {
	const struct vitals *vitals = &anna->vitals.vitals;
	struct window_summary answers;
	windows_read(rpc_windows(anna->rpc), clock_monotonic(anna->clock), WINDOW_1M, &answers);
	double p95_ms = (double)answers.p95 / 1e6, p99_ms = (double)answers.p99 / 1e6;
	if (answers.count >= P99_LEAST && p99_ms >= config->rpc_p99_ms) {
		add_reason(anna, HEALTH_CRITICAL, "rpc", "look at the disk: emit waits for it",
			"in the last minute one percent of the answers took %.0f ms or more",
			p99_ms);
	} else if (answers.count >= P95_LEAST && p95_ms >= config->rpc_p95_ms) {
		add_reason(anna, HEALTH_DEGRADED, "rpc", "look at the disk: emit waits for it",
			"in the last minute five percent of the answers took %.0f ms or more",
			p95_ms);
	}
	if (vitals->in_minute[RATE_EVICTED]) {
		add_reason(anna, HEALTH_DEGRADED, "rpc",
			"find the client that sends half messages or does not read: ss -xp",
			"%llu clients were closed in the last minute because of the memory they "
			"took (max_input in [rpc], 6 MiB of answers)",
			(unsigned long long)vitals->in_minute[RATE_EVICTED]);
	}
}

static void look_at_engine(struct anna *anna) {
	struct engine_stats engine;
	engine_get_stats(anna->engine, &engine);
	bool is_full = engine.waiting >= engine.waiting_max / 2 ||
		engine.waiting_bytes >= engine.waiting_bytes_max / 2;
	if (engine.is_behind && is_full) { // after a start it is behind for a moment
		add_reason(anna, HEALTH_DEGRADED, "actions",
			"a mapping matches more than its actions can do: its concurrency, its "
			"budget, or its condition",
			"%zu runs wait, as much as may (%zu KiB); the rest is read from the "
			"journal when there is room",
			engine.waiting, engine.waiting_bytes / 1024);
	}
}

static void look_at_parts(struct anna *anna) {
	for (size_t i = 0; i < anna->part_count; i++) {
		const struct part *part = &anna->parts[i];
		struct capability_status status;
		if (part->state == CAPABILITY_FAILED || part->state == CAPABILITY_DEGRADED) {
			anna_get_capability(anna, i, &status);
			add_reason(anna, HEALTH_DEGRADED, part->capability->name, status.next_step,
				"%s: %s", capability_state_name(part->state), part->reason);
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

// --- telling ---

static bool publish_change(struct anna *anna, enum anna_health from) {
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
		return false;
	}
	return true;
}

// Which parts are how bad; the figures in the sentences may change every second.
static uint32_t reasons_digest(const struct anna *anna) {
	uint32_t digest = 0;
	for (size_t i = 0; i < anna->reason_count; i++) {
		const struct health_reason *reason = &anna->reasons[i];
		uint32_t one = crc32c(0, reason->part, strlen(reason->part));
		digest ^= one + (uint32_t)reason->level * 2654435761u; // whatever their order
	}
	return digest;
}

static void tell_change(struct anna *anna, enum anna_health from, bool is_first) {
	int64_t now = clock_monotonic(anna->clock);
	uint32_t digest = reasons_digest(anna);
	bool is_other = anna->health != from;
	bool may_tell = now - anna->reasons_told_ns >= REASONS_EVERY_NS;
	if (is_first && anna->health == HEALTH_OK) {
		anna->reasons_told = digest; // a start that goes well is told by daemon.started
		return;
	}
	if (!is_other && (digest == anna->reasons_told || !may_tell)) {
		return;
	}
	anna->reasons_told = digest;
	anna->reasons_told_ns = now;
	(void)publish_change(anna, from);
	if (anna->health == HEALTH_OK) {
		log_info("all is well");
	} else {
		log_warn("%s: %s", anna_health_name(anna->health), anna->reasons[0].text);
	}
}

void health_refresh(struct anna *anna) {
	const struct health_config *config = snapshot_section(anna->snapshot, &health_section);
	enum anna_health from = anna->health;
	bool was_measured = anna->health_is_measured;
	anna->reason_count = 0;
	look_at_journal(anna, config);
	look_at_machine(anna, config);
	look_at_loop(anna, config);
	look_at_jobs(anna, anna->services.jobs, "jobs");
	look_at_jobs(anna, anna->services.slow_jobs, "slow jobs");
	look_at_answers(anna, config);
	look_at_engine(anna);
	look_at_parts(anna);
	anna->health = anna->reason_count ? anna->reasons[0].level : HEALTH_OK;
	anna->health_is_measured = was_measured || anna->vitals.vitals.footprint_ns ||
		loop_simulation(anna->services.loop);
	if (anna->health_is_measured) { // before, unknown is no change
		tell_change(anna, from, !was_measured);
	}
}

enum anna_health anna_get_health(
	const struct anna *anna, struct health_reason *out, size_t n, size_t *out_count) {
	size_t count = anna->reason_count < n ? anna->reason_count : n;
	memcpy(out, anna->reasons, count * sizeof(*out));
	*out_count = count;
	return anna->health;
}
