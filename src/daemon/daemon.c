// SPDX-License-Identifier: Apache-2.0
// Putting the program together in one visible order, and taking it apart in reverse.
#include "daemon/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "build_id.h"
#include "daemon/losses.h"
#include "daemon/notify.h"
#include "flow/board.h"
#include "io/child.h"
#include "io/worker.h"
#include "rpc/emitter.h"
#include "rpc/finding.h"
#include "rpc/methods.h"

#define LOG_FOLDER "daemon"
#define JOB_QUEUE 64 // each may hold an answer of a quarter of a mebibyte until the loop takes it
#define BUS_RESERVE 256 // events of gap, health and lifecycle find room in a full queue
#define BUS_UNKEPT 4	// times the queue: ids that may be given while the disk keeps none
#define STATE_SAVE_NS (30 * NS_PER_SECOND)

static bool open_journal(struct anna *anna, struct journal_recovery *recovery, struct journal **out,
	struct err *err) {
	const struct journal_config *config = snapshot_section(anna->snapshot, &journal_section);
	const struct journal_stream_options streams[] = {
		{journal_stream_names[0], config->normal_size, config->max_age_ns},
		{journal_stream_names[1], config->audit_size, config->max_age_ns},
		{journal_stream_names[2], config->telemetry_size, config->max_age_ns},
		{journal_stream_names[3], config->state_size, 0},
	};
	const struct journal_options options = {.streams = streams,
		.stream_count = JOURNAL_STREAM_COUNT,
		.segment_bytes = anna->segment_bytes};
	*out = journal_open(
		anna->services.fs, anna->clock, anna->journal_folder, &options, recovery, err);
	return *out != NULL;
}

// An unclean stop may have lost events that were accepted and not yet durable; their ids are not
// given again: the bus gives no more than these above the last that was kept.
static uint64_t lost_ids_most(const struct anna *anna) {
	const struct journal_config *config = snapshot_section(anna->snapshot, &journal_section);
	return BUS_UNKEPT * (uint64_t)config->queue;
}

static bool start_bus(struct anna *anna, struct journal_recovery *recovery, struct err *err) {
	const struct journal_config *config = snapshot_section(anna->snapshot, &journal_section);
	struct journal *journal;
	if (!open_journal(anna, recovery, &journal, err)) {
		return false;
	}
	size_t queue = (size_t)config->queue;
	bool is_first = recovery->last_sequence == 0 && recovery->damage_count == 0;
	anna->was_clean = recovery->was_clean || is_first;
	uint64_t skip = anna->was_clean ? 0 : lost_ids_most(anna);
	struct bus_options options = {.loop = anna->services.loop,
		.random = anna->services.random,
		.kinds = anna->kinds,
		.next_id = recovery->last_sequence + skip + 1,
		.capacity = queue,
		.reserve = BUS_RESERVE,
		.bytes_max = (size_t)config->queue_size,
		.unkept_max = lost_ids_most(anna)};
	anna->services.bus = bus_create(&options);
	anna->writer = writer_start(
		anna->services.loop, journal, queue, bus_on_result, anna->services.bus, err);
	if (!anna->writer) {
		journal_close(journal);
		return false;
	}
	bus_set_writer(anna->services.bus, anna->writer);
	bus_set_generation(anna->services.bus, anna->generation);
	return true;
}

static void publish_gap(
	struct anna *anna, const char *reason, const char *watch, uint64_t from, uint64_t to) {
	struct event *event = event_create("source.gap", "journal", STR("journal"));
	event_set_text(event, "source", "journal");
	event_set_text(event, "reason", reason);
	event_set_text(event, "watch", watch);
	event_set_int(event, "from", (int64_t)from);
	event_set_int(event, "to", (int64_t)to);
	struct err err = ERR_INIT;
	if (!bus_publish_reserved(anna->services.bus, event, &err)) {
		log_error("a gap is not in the journal: %s", err.message);
	}
}

// A few at most, so that telling them finds room: the last then reaches further than it must.
static void report_losses(struct anna *anna, uint64_t last) {
	struct loss losses[16];
	size_t n = losses_find(anna->services.fs, anna->journal_folder, last,
		2 * lost_ids_most(anna), losses, sizeof(losses) / sizeof(*losses));
	for (size_t i = 0; i < n; i++) {
		publish_gap(anna, "unclean stop", NULL, losses[i].from, losses[i].to);
	}
}

static void report_recovery(struct anna *anna, const struct journal_recovery *recovery) {
	if (!anna->was_clean) {
		log_warn("the last run did not end in order: what was accepted after event %llu "
			 "and not yet durable may be lost",
			(unsigned long long)recovery->last_sequence);
		report_losses(anna, recovery->last_sequence);
		publish_gap(anna, "unclean stop", NULL, recovery->last_sequence + 1,
			recovery->last_sequence + lost_ids_most(anna));
	}
	for (size_t i = 0; i < recovery->damage_count && i < 16; i++) {
		log_error("the journal's stream %s is damaged: events %llu to %llu may be lost",
			recovery->damage[i].stream, (unsigned long long)recovery->damage[i].from,
			(unsigned long long)recovery->damage[i].to);
		publish_gap(anna, "damaged on disk", recovery->damage[i].stream,
			recovery->damage[i].from, recovery->damage[i].to);
	}
}

static void publish_started(struct anna *anna) {
	struct event *event = event_create("daemon.started", "daemon", STR("annad"));
	int64_t took = clock_monotonic(anna->clock) - anna->started_ns;
	const char *path = anna_config_path(anna);
	event_set_text(event, "version", ANNA_VERSION);
	event_set_text(event, "build", ANNA_BUILD);
	event_set_int(event, "pid", loop_simulation(anna->services.loop) ? 1 : getpid());
	event_set_text(event, "config_path", path ? path : "");
	event_set_bool(event, "was_clean", anna->was_clean);
	event_set_int(event, "start_us", took / NS_PER_US);
	(void)bus_publish_reserved(anna->services.bus, event, NULL); // daemon.state says it too
}

static void on_recovered(void *arg) {
	struct anna *anna = arg;
	if (anna->state != ANNA_STARTING) {
		return; // stopped meanwhile
	}
	lifecycle_enter(anna, ANNA_RUNNING, "ready");
	publish_started(anna);
	finding_take_log(anna);
	if (anna->reload_is_wanted) {
		anna->reload_is_wanted = false;
		daemon_reload(anna, "SIGHUP");
	}
}

static void on_second(void *arg) {
	struct anna *anna = arg;
	timer_start(&anna->second, anna->services.loop, NS_PER_SECOND, on_second, anna);
	parts_refresh(anna);
	vitals_take(anna);
	health_refresh(anna);
	log_flush();
	if (anna->state_is_stale ||
		clock_monotonic(anna->clock) - anna->state_saved_ns >= STATE_SAVE_NS) {
		keeper_save_later(anna);
	}
}

// Generation files that are damaged are left where they are and said.
static bool open_generations(struct anna *anna, struct err *err) {
	struct problems damaged = PROBLEMS_INIT;
	anna->generations = generations_open(
		anna->services.fs, anna->arguments->state_folder, &damaged, err);
	for (size_t i = 0; i < damaged.n; i++) {
		log_warn("%s: %s", damaged.items[i].file ? damaged.items[i].file : "generations",
			damaged.items[i].message);
	}
	problems_finish(&damaged);
	return anna->generations != NULL;
}

static bool start_core(struct anna *anna, struct problems *problems, struct err *err) {
	struct services *services = &anna->services;
	struct journal_recovery recovery = {0};
	if (!fs_make_directories(services->fs, anna->arguments->state_folder, err)) {
		return false;
	}
	keeper_load(anna);
	if (!open_generations(anna, err) || !reload_at_start(anna, problems, err) ||
		!start_bus(anna, &recovery, err)) {
		return false;
	}
	reload_apply_log(anna);
	const struct daemon_config *config = snapshot_section(anna->snapshot, &daemon_section);
	services->helper_socket = arena_copy(anna->arena, config->helper_socket);
	struct event *event = event_create("daemon.state", "daemon", STR("annad"));
	event_set_text(event, "from", "stopped");
	event_set_text(event, "to", "starting");
	event_set_text(event, "reason", "start");
	(void)bus_publish_reserved(services->bus, event, NULL); // the next transition says it too
	report_recovery(anna, &recovery);
	services->meters = meters_create();
	services->board = board_create();
	meters_add(services->meters, &anna->meter, health_meter, anna);
	anna->engine = engine_create(services);
	engine_configure(anna->engine, anna->snapshot);
	anna->emitter = emitter_create(services, anna->journal_folder);
	struct rpc_options options = {.anna = anna,
		.clock = anna->clock,
		.methods = rpc_method_table,
		.method_count = rpc_method_count};
	anna->rpc = rpc_create(&options);
	return true;
}

struct anna *daemon_create(const struct daemon_seam *seam, const struct arguments *arguments,
	struct problems *problems, struct err *err) {
	struct anna *anna = xcalloc(1, sizeof(*anna));
	anna->arguments = arguments;
	anna->clock = loop_clock(seam->loop);
	anna->started_ns = clock_monotonic(anna->clock);
	anna->health = HEALTH_UNKNOWN;
	vitals_init(&anna->vitals);
	anna->socket_fd = -1;
	anna->segment_bytes = seam->segment_bytes;
	anna->journal_folder = xasprintf("%s/journal", arguments->state_folder);
	(void)snprintf(anna->http, sizeof(anna->http), "off");
	histogram_init(&anna->reload_ns);
	anna->services = (struct services){.loop = seam->loop,
		.jobs = jobs_create(seam->loop, seam->job_threads, JOB_QUEUE),
		.slow_jobs = jobs_create(seam->loop, 2 * seam->job_threads, JOB_QUEUE),
		.fs = seam->fs,
		.children = seam->children,
		.random = seam->random,
		.anna = anna,
		.state_folder = arguments->state_folder,
		.sysroot = arguments->sysroot};
	keeper_observe(anna);
	daemon_build_schema(anna, seam);
	if (!start_core(anna, problems, err)) {
		daemon_destroy(anna);
		return NULL;
	}
	return anna;
}

bool daemon_start(struct anna *anna, struct err *err) {
	// First what was left unfinished, so that its order is kept before anything new.
	engine_recover(anna->engine, anna->journal_folder, on_recovered, anna);
	if (!parts_start(anna, err)) {
		return false;
	}
	timer_start(&anna->second, anna->services.loop, NS_PER_SECOND, on_second, anna);
	vitals_take(anna);
	health_refresh(anna);
	anna->state_saved_ns = clock_monotonic(anna->clock);
	reload_watch_confirm(anna);
	return true;
}

// --- stopping ---

static void finish_stop(void *arg) {
	struct anna *anna = arg;
	timer_stop(&anna->stop_deadline);
	if (anna->on_stopped) {
		void (*on_stopped)(void *) = anna->on_stopped;
		anna->on_stopped = NULL;
		on_stopped(anna->on_stopped_arg);
	}
}

void daemon_stop(struct anna *anna, const char *reason) {
	if (anna->state == ANNA_STOPPING) {
		log_warn("hurrying: %s", reason);
		finish_stop(anna);
		return;
	}
	lifecycle_enter(anna, ANNA_STOPPING, reason);
	reload_cancel(anna);
	const struct daemon_config *config = snapshot_section(anna->snapshot, &daemon_section);
	timer_start(&anna->stop_deadline, anna->services.loop, config->stop_timeout_ns, finish_stop,
		anna);
	engine_drain(anna->engine, finish_stop, anna);
}

void anna_stop(struct anna *anna, const char *reason) {
	daemon_stop(anna, reason);
}

// The engine first, so that how its runs ended is journaled; then what publishes; then the journal is
// committed and the state saved; only then are the jobs waited for, since one may hang.
void daemon_destroy(struct anna *anna) {
	if (!anna) {
		return;
	}
	struct err err = ERR_INIT;
	timer_stop(&anna->second);
	timer_stop(&anna->stop_deadline);
	reload_cancel(anna);
	engine_destroy(anna->engine); // publishes how its running actions ended
	anna->engine = NULL;
	parts_stop(anna);
	emitter_destroy(anna->emitter);
	writer_stop(anna->writer); // everything accepted becomes durable here
	anna->writer = NULL;
	if (anna->services.bus) {
		bus_set_writer(anna->services.bus, NULL);
	}
	if (anna->services.bus && anna->generations && anna->snapshot &&
		!keeper_save_now(anna, true, &err)) {
		log_error("the state file could not be written: %s", err.message);
	}
	(void)jobs_destroy(anna->services.slow_jobs); // these own all they touch
	if (!jobs_destroy(anna->services.jobs)) {
		log_warn("a job does not end: what it uses is left to the end of the process");
		return;
	}
	bus_destroy(anna->services.bus);
	rpc_destroy(anna->rpc);
	if (anna->services.meters) {
		meters_remove(&anna->meter);
		meters_destroy(anna->services.meters);
	}
	board_destroy(anna->services.board);
	snapshot_unref(anna->snapshot);
	generations_close(anna->generations);
	daemon_finish_schema(anna);
	free(anna->journal_folder);
	free(anna->cgroup);
	free(anna);
}

void daemon_diagnose(struct anna *anna) {
	struct bus_stats bus;
	struct writer_stats writer;
	struct rpc_stats rpc;
	struct engine_stats engine;
	bus_get_stats(anna->services.bus, &bus);
	writer_get_stats(anna->writer, &writer);
	rpc_get_stats(anna->rpc, &rpc);
	engine_get_stats(anna->engine, &engine);
	log_info("diagnosis: %s, health %s, generation %llu, build %s",
		anna_state_name(anna->state), anna_health_name(anna->health),
		(unsigned long long)anna->generation, ANNA_BUILD);
	for (size_t i = 0; i < anna->reason_count; i++) {
		log_info("diagnosis: %s: %s", anna->reasons[i].part, anna->reasons[i].text);
	}
	log_info("diagnosis: bus: %zu in flight (at most %zu), accepted %llu, durable %llu, failed "
		 "%llu, refused %llu, last id %llu",
		bus.in_flight, bus.deepest, (unsigned long long)bus.accepted,
		(unsigned long long)bus.durable, (unsigned long long)bus.failed,
		(unsigned long long)bus.refused, (unsigned long long)bus.last_id);
	log_info("diagnosis: journal: %llu records, %lld bytes on disk, sync p50 %lld us p99 %lld "
		 "us",
		(unsigned long long)writer.journal.appended_records,
		(long long)writer.journal.size_bytes,
		(long long)(histogram_percentile(&writer.sync_ns, 50) / NS_PER_US),
		(long long)(histogram_percentile(&writer.sync_ns, 99) / NS_PER_US));
	log_info("diagnosis: rpc: %zu sessions, %zu calls in flight, %llu calls, %llu failures",
		rpc.sessions, rpc.calls_in_flight, (unsigned long long)rpc.calls,
		(unsigned long long)rpc.failures);
	log_info("diagnosis: actions: %zu running, %zu waiting, %llu started, %llu failed, cursor "
		 "%llu",
		engine.running, engine.waiting, (unsigned long long)engine.started,
		(unsigned long long)engine.failed, (unsigned long long)engine.cursor);
	for (size_t i = 0; i < anna->part_count; i++) {
		log_info("diagnosis: %s: %s%s%s", anna->parts[i].capability->name,
			capability_state_name(anna->parts[i].state),
			anna->parts[i].reason[0] ? ": " : "", anna->parts[i].reason);
	}
	const struct histogram *lag = loop_lag(anna->services.loop);
	log_info("diagnosis: loop: %llu rounds, work p99 %lld us, max %lld us",
		(unsigned long long)loop_rounds(anna->services.loop),
		(long long)(histogram_percentile(lag, 99) / NS_PER_US),
		(long long)(lag->max / NS_PER_US));
}
