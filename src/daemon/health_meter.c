// SPDX-License-Identifier: Apache-2.0
// Everything Anna measures of herself, for /metrics and `annactl metrics`. Seconds and bytes; what is
// not known is left out. Quantiles are those of the last five minutes, _sum and _count of all time.
#include <string.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "io/worker.h"

static void meter_one(
	struct exposition *x, const char *name, const char *type, const char *help, double value) {
	exposition_family(x, name, type, help);
	exposition_sample(x, value, NULL);
}

static void meter_count(struct exposition *x, const char *name, const char *help, uint64_t value) {
	meter_one(x, name, "counter", help, (double)value);
}

static void meter_level(struct exposition *x, const char *name, const char *help, double value) {
	meter_one(x, name, "gauge", help, value);
}

// As meter_level, but nothing when it is not known.
static void meter_known(struct exposition *x, const char *name, const char *help, int64_t value) {
	if (value >= 0) {
		meter_level(x, name, help, (double)value);
	}
}

// A summary with at most one label. Without samples in five minutes there are no quantiles.
static void summary_samples(struct exposition *x, const struct windows *windows, int64_t now_ns,
	const char *label, const char *of, double sum_ns, uint64_t count) {
	struct window_summary d;
	windows_read(windows, now_ns, WINDOW_5M, &d);
	const struct {
		const char *quantile;
		int64_t ns;
	} points[] = {{"0.5", d.p50}, {"0.95", d.p95}, {"0.99", d.p99}};
	for (size_t i = 0; d.count && i < sizeof(points) / sizeof(*points); i++) {
		double seconds = (double)points[i].ns / 1e9;
		if (label) {
			exposition_sample(
				x, seconds, label, of, "quantile", points[i].quantile, NULL);
		} else {
			exposition_sample(x, seconds, "quantile", points[i].quantile, NULL);
		}
	}
	exposition_suffixed(x, "_sum", sum_ns / 1e9, label, of, NULL);
	exposition_suffixed(x, "_count", (double)count, label, of, NULL);
}

static void meter_summary(struct anna *anna, struct exposition *x, const char *name,
	const char *help, const struct windows *windows, const struct histogram *all) {
	exposition_family(x, name, "summary", help);
	summary_samples(x, windows, clock_monotonic(anna->clock), NULL, NULL, all->sum, all->count);
}

static void meter_journal(struct anna *anna, struct exposition *x) {
	const struct vitals *vitals = &anna->vitals.vitals;
	struct writer_stats writer;
	writer_get_stats(anna->writer, &writer);
	meter_count(x, "anna_journal_records_total", "Records written.",
		writer.journal.appended_records);
	meter_count(x, "anna_journal_bytes_total", "Bytes written.", writer.journal.appended_bytes);
	meter_level(
		x, "anna_journal_size_bytes", "Bytes on disk.", (double)writer.journal.size_bytes);
	meter_level(x, "anna_journal_budget_bytes", "Bytes it may have on disk.",
		(double)vitals->journal_budget_bytes);
	if (vitals->journal_oldest_ns) {
		meter_level(x, "anna_journal_oldest_timestamp_seconds",
			"Time of the oldest record that is kept.",
			(double)vitals->journal_oldest_ns / 1e9);
	}
	meter_count(x, "anna_journal_dropped_segments_total", "Segments dropped by budget or age.",
		writer.journal.dropped_segments);
	meter_count(x, "anna_journal_syncs_total", "Group commits.", writer.journal.syncs);
	meter_count(x, "anna_journal_failed_syncs_total", "Syncs the disk refused.",
		writer.journal.failed_syncs);
	meter_level(x, "anna_journal_failing", "1 while the journal cannot keep events.",
		writer.is_failing);
	meter_summary(anna, x, "anna_journal_sync_seconds", "Time of one group commit.",
		writer.sync_windows, &writer.sync_ns);
}

static void meter_bus(struct anna *anna, struct exposition *x) {
	struct bus_stats bus;
	bus_get_stats(anna->services.bus, &bus);
	int64_t age_ns = bus.oldest_ns ? clock_monotonic(anna->clock) - bus.oldest_ns : 0;
	meter_count(x, "anna_events_accepted_total", "Events accepted.", bus.accepted);
	meter_count(x, "anna_events_durable_total", "Events made durable.", bus.durable);
	meter_count(x, "anna_events_failed_total", "Accepted events the disk lost.", bus.failed);
	meter_count(x, "anna_events_refused_total", "Events refused as busy.", bus.refused);
	meter_level(x, "anna_events_in_flight", "Events that wait for the disk.",
		(double)bus.in_flight);
	meter_level(x, "anna_events_in_flight_max", "Most events that waited at once.",
		(double)bus.deepest);
	meter_level(
		x, "anna_events_in_flight_limit", "Events that may wait.", (double)bus.capacity);
	meter_level(x, "anna_events_in_flight_bytes", "Memory of the events that wait.",
		(double)bus.bytes);
	meter_level(x, "anna_events_in_flight_limit_bytes", "Memory they may take.",
		(double)bus.bytes_max);
	meter_level(x, "anna_events_oldest_seconds", "How long the oldest of them has waited.",
		(double)age_ns / 1e9);
}

struct named_box {
	const char *name;
	struct mailbox_stats box;
};

static void box_samples(
	struct exposition *x, const struct named_box *boxes, size_t n, size_t offset) {
	for (size_t i = 0; i < n; i++) {
		const char *at = (const char *)&boxes[i].box + offset;
		exposition_sample(x, (double)*(const size_t *)(const void *)at, "mailbox",
			boxes[i].name, NULL);
	}
}

static void meter_boxes(struct anna *anna, struct exposition *x) {
	struct named_box boxes[] = {{"journal in", {0}}, {"journal out", {0}}, {"jobs done", {0}},
		{"slow jobs done", {0}}};
	const size_t n = sizeof(boxes) / sizeof(*boxes);
	struct writer_stats writer;
	writer_get_stats(anna->writer, &writer);
	boxes[0].box = writer.inbox;
	boxes[1].box = writer.outbox;
	jobs_get_box(anna->services.jobs, &boxes[2].box);
	jobs_get_box(anna->services.slow_jobs, &boxes[3].box);
	exposition_family(x, "anna_mailbox_depth", "gauge", "Messages in it.");
	box_samples(x, boxes, n, offsetof(struct mailbox_stats, depth));
	exposition_family(x, "anna_mailbox_depth_max", "gauge", "Most that were in it.");
	box_samples(x, boxes, n, offsetof(struct mailbox_stats, deepest));
	exposition_family(x, "anna_mailbox_limit", "gauge", "Messages it has room for.");
	box_samples(x, boxes, n, offsetof(struct mailbox_stats, capacity));
	exposition_family(x, "anna_mailbox_messages_total", "counter", "Messages that went in.");
	for (size_t i = 0; i < n; i++) {
		exposition_sample(x, (double)boxes[i].box.posted, "mailbox", boxes[i].name, NULL);
	}
	exposition_family(
		x, "anna_mailbox_refused_total", "counter", "Messages it had no room for.");
	for (size_t i = 0; i < n; i++) {
		exposition_sample(x, (double)boxes[i].box.refused, "mailbox", boxes[i].name, NULL);
	}
}

static void meter_jobs(struct anna *anna, struct exposition *x) {
	static const char *const names[] = {"jobs", "slow"};
	struct jobs_stats stats[2];
	int64_t now_ns = clock_monotonic(anna->clock);
	jobs_get_stats(anna->services.jobs, &stats[0]);
	jobs_get_stats(anna->services.slow_jobs, &stats[1]);
	exposition_family(
		x, "anna_jobs_depth", "gauge", "Jobs waiting, running or to be answered.");
	for (size_t i = 0; i < 2; i++) {
		exposition_sample(x, (double)stats[i].depth, "pool", names[i], NULL);
	}
	exposition_family(x, "anna_jobs_limit", "gauge", "Jobs there may be.");
	for (size_t i = 0; i < 2; i++) {
		exposition_sample(x, (double)stats[i].capacity, "pool", names[i], NULL);
	}
	exposition_family(x, "anna_jobs_oldest_seconds", "gauge", "Age of the oldest job.");
	for (size_t i = 0; i < 2; i++) {
		int64_t age = stats[i].oldest_ns ? now_ns - stats[i].oldest_ns : 0;
		exposition_sample(x, (double)age / 1e9, "pool", names[i], NULL);
	}
	exposition_family(x, "anna_jobs_total", "counter", "Jobs taken.");
	for (size_t i = 0; i < 2; i++) {
		exposition_sample(x, (double)stats[i].posted, "pool", names[i], NULL);
	}
	exposition_family(x, "anna_jobs_refused_total", "counter", "Jobs there was no room for.");
	for (size_t i = 0; i < 2; i++) {
		exposition_sample(x, (double)stats[i].refused, "pool", names[i], NULL);
	}
}

static void meter_rpc(struct anna *anna, struct exposition *x) {
	struct rpc_stats rpc;
	struct rpc_timing timing;
	size_t n = rpc_timing_count(anna->rpc);
	rpc_get_stats(anna->rpc, &rpc);
	meter_count(x, "anna_rpc_calls_total", "RPC calls.", rpc.calls);
	meter_count(
		x, "anna_rpc_failures_total", "RPC calls answered with an error.", rpc.failures);
	meter_count(x, "anna_rpc_refused_sessions_total",
		"Connections refused because there were too many.", rpc.refused_sessions);
	meter_count(x, "anna_rpc_evicted_sessions_total",
		"Connections closed because they held most of the input.", rpc.evicted_sessions);
	meter_count(x, "anna_rpc_broken_sessions_total",
		"Connections closed because they did not read their answers.", rpc.broken_outputs);
	meter_level(x, "anna_rpc_sessions", "Open RPC sessions.", (double)rpc.sessions);
	meter_level(
		x, "anna_rpc_sessions_limit", "Sessions there may be.", (double)rpc.max_sessions);
	meter_level(x, "anna_rpc_calls_in_flight", "Calls being answered.",
		(double)rpc.calls_in_flight);
	meter_level(x, "anna_rpc_input_bytes", "Unfinished requests.", (double)rpc.input_bytes);
	meter_level(x, "anna_rpc_held_bytes", "Memory of the requests in flight.",
		(double)rpc.held_bytes);
	meter_level(x, "anna_rpc_input_limit_bytes", "What each of these two may be.",
		(double)rpc.max_input_bytes);
	meter_level(x, "anna_rpc_output_bytes", "Answers that wait for their readers.",
		(double)rpc.output_bytes);
	meter_count(x, "anna_rpc_received_bytes_total", "Bytes of requests.", rpc.bytes_in);
	meter_count(x, "anna_rpc_sent_bytes_total", "Bytes of answers.", rpc.bytes_out);
	meter_summary(anna, x, "anna_rpc_latency_seconds",
		"From a request's last byte to its answer.", rpc_windows(anna->rpc),
		&rpc.latency_ns);
	exposition_family(x, "anna_rpc_method_seconds", "summary", "The same by method.");
	for (size_t i = 0; i < n; i++) {
		rpc_get_timing(anna->rpc, i, &timing);
		if (timing.calls) {
			summary_samples(x, timing.windows, clock_monotonic(anna->clock), "method",
				timing.name, timing.sum_ns, timing.calls);
		}
	}
	exposition_family(
		x, "anna_rpc_method_failures_total", "counter", "Calls answered with an error.");
	for (size_t i = 0; i < n; i++) {
		rpc_get_timing(anna->rpc, i, &timing);
		if (timing.calls) {
			exposition_sample(x, (double)timing.failures, "method", timing.name, NULL);
		}
	}
}

static void meter_process(struct anna *anna, struct exposition *x) {
	const struct vitals *vitals = &anna->vitals.vitals;
	const struct footprint *f = &vitals->footprint;
	meter_known(x, "anna_memory_resident_bytes", "Resident memory.", f->rss_bytes);
	meter_known(x, "anna_memory_proportional_bytes",
		"Resident memory, of what is shared our share.", vitals->pss_bytes);
	meter_known(x, "anna_memory_peak_bytes", "Most resident memory so far.", f->peak_bytes);
	meter_known(x, "anna_memory_virtual_bytes", "Address space.", f->virtual_bytes);
	meter_known(x, "anna_memory_swap_bytes", "Memory swapped out.", f->swap_bytes);
	meter_known(x, "anna_memory_limit_bytes", "Limit the kernel enforces.", f->limit_bytes);
	meter_known(x, "anna_memory_counted_bytes", "What counts against that limit.",
		f->counted_bytes);
	meter_known(x, "anna_threads", "Threads.", f->threads);
	meter_known(x, "anna_open_fds", "Open file descriptors.", f->fds);
	meter_known(x, "anna_max_fds", "File descriptors there may be.", f->fd_limit);
	if (f->cpu_user_us >= 0) {
		exposition_family(x, "anna_cpu_seconds_total", "counter", "CPU time.");
		exposition_sample(x, (double)f->cpu_user_us / 1e6, "mode", "user", NULL);
		exposition_sample(x, (double)f->cpu_system_us / 1e6, "mode", "system", NULL);
		exposition_family(x, "anna_context_switches_total", "counter", "Context switches.");
		exposition_sample(x, (double)f->voluntary_switches, "kind", "voluntary", NULL);
		exposition_sample(x, (double)f->involuntary_switches, "kind", "involuntary", NULL);
		exposition_family(x, "anna_page_faults_total", "counter", "Page faults.");
		exposition_sample(x, (double)f->minor_faults, "kind", "minor", NULL);
		exposition_sample(x, (double)f->major_faults, "kind", "major", NULL);
	}
}

static void meter_loop(struct anna *anna, struct exposition *x) {
	struct loop *loop = anna->services.loop;
	struct loop_worst worst;
	struct loop_stats stats;
	loop_get_worst(loop, &worst);
	loop_get_stats(loop, &stats);
	meter_summary(anna, x, "anna_loop_round_seconds", "Work of one round of the loop.",
		loop_windows(loop), loop_lag(loop));
	meter_level(x, "anna_loop_worst_callback_seconds",
		"Longest callback of the last ten to twenty minutes.", (double)worst.took_ns / 1e9);
	meter_level(x, "anna_loop_timers", "Timers that are set.", stats.timers);
}

static void meter_engine(struct anna *anna, struct exposition *x) {
	struct engine_stats engine;
	engine_get_stats(anna->engine, &engine);
	meter_count(x, "anna_actions_started_total", "Actions started.", engine.started);
	meter_count(x, "anna_actions_failed_total", "Actions that failed.", engine.failed);
	meter_count(x, "anna_actions_refused_total", "Refused by depth or budget.", engine.refused);
	meter_level(x, "anna_actions_running", "Actions that run now.", (double)engine.running);
	meter_level(x, "anna_actions_running_limit", "Actions that may run at once.",
		(double)engine.running_max);
	meter_level(x, "anna_actions_waiting", "Actions that wait for their turn.",
		(double)engine.waiting);
	meter_level(x, "anna_actions_waiting_max", "Most that waited at once.",
		(double)engine.waiting_deepest);
	meter_level(x, "anna_actions_waiting_bytes", "Memory of those that wait.",
		(double)engine.waiting_bytes);
	meter_level(x, "anna_actions_waiting_limit_bytes", "Memory they may take.",
		(double)engine.waiting_bytes_max);
}

static void meter_capabilities(struct anna *anna, struct exposition *x) {
	static const struct {
		const char *name, *help;
		size_t offset;
	} counters[] = {{"anna_capability_starts_total", "Starts that worked.",
				offsetof(struct capability_status, starts)},
		{"anna_capability_failures_total", "Starts that failed, and failures since.",
			offsetof(struct capability_status, failures)},
		{"anna_capability_restarts_total", "Starts after the first.",
			offsetof(struct capability_status, restarts)}};
	exposition_family(x, "anna_capability_state", "gauge", "1 for the state it is in.");
	for (size_t i = 0; i < anna->part_count; i++) {
		exposition_sample(x, 1, "capability", anna->parts[i].capability->name, "state",
			capability_state_name(anna->parts[i].state), NULL);
	}
	for (size_t k = 0; k < sizeof(counters) / sizeof(*counters); k++) {
		exposition_family(x, counters[k].name, "counter", counters[k].help);
		for (size_t i = 0; i < anna->part_count; i++) {
			struct capability_status status;
			anna_get_capability(anna, i, &status);
			const char *at = (const char *)&status + counters[k].offset;
			exposition_sample(x, (double)*(const uint64_t *)(const void *)at,
				"capability", anna->parts[i].capability->name, NULL);
		}
	}
}

void health_meter(void *arg, struct exposition *x) {
	struct anna *anna = arg;
	exposition_family(x, "anna_build_info", "gauge", "Version of annad; always 1.");
	exposition_sample(x, 1, "version", ANNA_VERSION, NULL);
	meter_level(x, "anna_uptime_seconds", "Since the start.",
		(double)(clock_monotonic(anna->clock) - anna->started_ns) / 1e9);
	exposition_family(x, "anna_health", "gauge", "1 for the level Anna is at.");
	for (int level = HEALTH_OK; level <= HEALTH_UNKNOWN; level++) {
		exposition_sample(x, anna->health == (enum anna_health)level, "level",
			anna_health_name((enum anna_health)level), NULL);
	}
	meter_capabilities(anna, x);
	meter_level(
		x, "anna_config_generation", "The generation in force.", (double)anna->generation);
	meter_count(x, "anna_config_reloads_total", "Reloads, refused ones included.",
		anna_reload_count(anna));
	exposition_family(
		x, "anna_config_reload_seconds", "summary", "From the request to in force.");
	exposition_suffixed(x, "_sum", anna->reload_ns.sum / 1e9, NULL);
	exposition_suffixed(x, "_count", (double)anna->reload_ns.count, NULL);
	meter_bus(anna, x);
	meter_journal(anna, x);
	meter_boxes(anna, x);
	meter_jobs(anna, x);
	meter_rpc(anna, x);
	meter_loop(anna, x);
	meter_engine(anna, x);
	meter_process(anna, x);
	meter_count(x, "anna_log_dropped_total", "Log lines nobody read.", log_dropped());
}
