// SPDX-License-Identifier: Apache-2.0
// The program put together: the only place that holds one of each. main.c drives it with the
// kernel behind the seam, the simulator with fakes; both call daemon_create, run the loop, and
// daemon_destroy. What doors may see of it is rpc/anna.h.
#pragma once

#include "config/generations.h"
#include "daemon/arguments.h"
#include "daemon/vitals.h"
#include "engine/engine.h"
#include "flow/capability.h"
#include "io/loop.h"
#include "rpc/anna.h"
#include "store/writer.h"

// What the machine provides: the seam.
struct daemon_seam {
	struct loop *loop;
	struct fs *fs;
	struct random *random;
	struct child_runner *children;
	size_t job_threads;
	// Which parts there are; NULL: every capability and source of the tables.
	const struct capability *const *capabilities;
	size_t capability_count;
	int64_t segment_bytes; // of the journal; 0: as usual. A small machine takes small ones
};

// How often something happened in the last hour, by the minute.
struct hour {
	int64_t minute; // the newest that is counted
	uint16_t counts[60];
};

// One capability while Anna runs.
struct part {
	const struct capability *capability;
	void *self; // NULL: not started
	enum capability_state state;
	char reason[256];
	char next_step[160]; // as the part itself said it; empty: it said none
	int64_t since_ns;    // wall
	int64_t retry_ns;    // monotonic: when its start is tried again; 0: it is not
	unsigned tries;	     // that failed, one after the other
	uint64_t starts, failures, restarts;
	struct hour failures_hour, restarts_hour;
};

// What survives a restart in the state file.
struct counters {
	uint64_t events, errors, reloads, starts;
};

struct emitter;
struct reload;

struct anna {
	struct services services;
	const struct arguments *arguments;
	struct clock *clock;
	int64_t started_ns; // monotonic

	struct arena *arena; // of what lives as long as Anna
	struct schema schema;
	struct section const **sections;
	struct variants variant_set;
	struct kinds *kinds;

	enum anna_state state;
	char *journal_folder;
	int64_t segment_bytes;
	char *cgroup;
	char http[64];
	int socket_fd; // inherited from systemd, or -1
	struct writer *writer;
	struct engine *engine;
	struct rpc *rpc;
	struct emitter *emitter;
	struct generations *generations;
	struct snapshot *snapshot;
	bool had_files;	       // the configuration in force came from files
	int64_t confirm_by_ns; // wall; 0: it does not wait for a confirmation
	uint64_t generation;
	char config_problem[200]; // why the file is not in force; empty: it is

	struct part *parts;
	size_t part_count;

	struct reload *reload;	   // the one under way
	bool generations_are_lent; // to a job: nobody on the loop touches them
	bool reload_is_wanted;	   // another was asked for meanwhile (SIGHUP)
	struct timer confirm;
	struct histogram reload_ns;

	struct counters before; // of earlier runs
	uint64_t reloads;	// of this run
	bool was_clean;
	struct timer second;
	struct meter meter;
	bool state_is_saving;
	bool state_is_stale; // to be saved with the next second, not after the usual 30
	int64_t state_saved_ns;

	enum anna_health health;
	struct health_reason reasons[16];
	size_t reason_count;
	bool health_is_measured; // else it is unknown yet, which is no change of it
	uint32_t reasons_told;	 // digest of those last published
	int64_t reasons_told_ns;
	bool journal_was_failing;
	struct vitals_keeper vitals;

	struct timer stop_deadline;
	void (*on_stopped)(void *arg); // everything is closed: leave the loop
	void *on_stopped_arg;
};

// Opens state, configuration and journal. daemon_start then opens the doors, and the loop brings it
// from starting to running. NULL with *err;
// ERR_CONFIG (problems hold why) means an invalid configuration and no generation to fall back on.
_must_use_ struct anna *daemon_create(const struct daemon_seam *seam,
	const struct arguments *arguments, struct problems *problems, struct err *err);
void daemon_destroy(struct anna *anna);
// Starts every capability; false with *err when an essential one cannot.
_must_use_ bool daemon_start(struct anna *anna, struct err *err);
// Asks for an orderly stop; a second call hurries it. on_stopped when the loop may be left.
void daemon_stop(struct anna *anna, const char *reason);
// SIGHUP: reloads, after the one under way if there is one.
void daemon_reload(struct anna *anna, const char *author);
// SIGUSR1: logs what she is doing.
void daemon_diagnose(struct anna *anna);

// --- parts of daemon/ among themselves ---

// lifecycle.c: does and journals every transition.
void lifecycle_enter(struct anna *anna, enum anna_state to, const char *reason);
// schema.c
void daemon_build_schema(struct anna *anna, const struct daemon_seam *seam);
void daemon_finish_schema(struct anna *anna);
void daemon_show_schema(struct buf *out);
void daemon_show_sample(struct buf *out);
// What is written to disk, so that an upgrade knows whether the annad before can read it again.
void daemon_show_formats(struct buf *out);
extern const struct section daemon_section, journal_section, health_section;
extern const struct section capabilities_section;
// check.c: annad --check
_must_use_ bool daemon_check_config(
	const struct arguments *arguments, struct problems *problems, struct err *err);
void daemon_format_check(
	bool ok, const struct problems *problems, const struct err *err, struct buf *out);
// parts.c
_must_use_ bool parts_start(struct anna *anna, struct err *err);
void parts_stop(struct anna *anna);
// Takes every part from one snapshot to the other; false with *err when one could not start.
_must_use_ bool parts_apply(struct anna *anna, struct snapshot *to, struct err *err);
// Takes every part back to a snapshot that was in force; what cannot go back is failed and says so.
void parts_restore(struct anna *anna, struct snapshot *to);
// Once a second: the health of each; tries again what did not start.
void parts_refresh(struct anna *anna);
// reload.c
_must_use_ bool reload_at_start(struct anna *anna, struct problems *problems, struct err *err);
void reload_apply_log(struct anna *anna);
void reload_cancel(struct anna *anna);
void reload_watch_confirm(struct anna *anna);
// health.c
void health_refresh(struct anna *anna);
// health_meter.c
void health_meter(void *anna, struct exposition *out);
// keeper.c
void keeper_load(struct anna *anna);
void keeper_save_later(struct anna *anna);
_must_use_ bool keeper_save_now(struct anna *anna, bool is_clean, struct err *err);
void keeper_observe(struct anna *anna);

struct daemon_config {
	int log_level;
	int log_format;
	int64_t stop_timeout_ns;
	struct str helper_socket;
};

struct journal_config {
	int64_t normal_size, audit_size, telemetry_size, state_size;
	int64_t max_age_ns;
	int64_t queue, queue_size;
};

struct capabilities_config {
	struct strings disabled; // names
};

struct health_config {
	int64_t memory_warn, memory_critical;
	double limit_warn, limit_critical; // percent of the real limit
	double rpc_p95_ms, rpc_p99_ms;
	int64_t queue_warn, queue_critical, queue_age_ns;
	int64_t lag_warn_ns, sync_warn_ns;
	double fds_warn, fds_critical, cpu_warn; // percent
};
