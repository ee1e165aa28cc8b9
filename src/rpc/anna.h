// SPDX-License-Identifier: Apache-2.0
// The program as its doors see it: what RPC methods and HTTP routes may read and ask for. Implemented
// by daemon/; rpc/ and web/ include nothing of daemon/.
#pragma once

#include "base/err.h"
#include "base/histogram.h"
#include "config/generations.h"
#include "config/snapshot.h"
#include "engine/engine.h"
#include "flow/bus.h"
#include "flow/capability.h"
#include "rpc/session.h"

struct anna;
struct emitter;

enum anna_state {
	ANNA_STARTING,
	ANNA_RUNNING,
	ANNA_RELOADING,
	ANNA_STOPPING
};
enum anna_health {
	HEALTH_OK,
	HEALTH_DEGRADED,
	HEALTH_CRITICAL,
	HEALTH_UNKNOWN
};

// One line of the status: what, why, what to do.
struct health_reason {
	enum anna_health level;
	char part[32];
	char text[256];
	char next_step[160];
};

struct capability_status {
	const struct capability *capability;
	enum capability_state state;
	char reason[256];
	char next_step[160]; // empty: nothing to do
	int64_t since_ns;    // wall
	int64_t retry_ns;    // wall: when its start is tried again; 0: it is not
	uint64_t starts, failures, restarts;
	unsigned failures_hour, restarts_hour; // of these, in the last hour
};

struct last_error {
	int64_t time_ns;
	char folder[24];
	char message[256];
};

// Phases of one reload in microseconds.
struct reload_result {
	bool ok, changed, dry_run, is_pending;
	uint64_t generation;
	int64_t parse_us, check_us, apply_us, total_us; // total: these three
	int64_t commit_us;	// beside them, making the generation durable: the disk's time
	struct changes changes; // in the arena given
	struct strings restart_needed; // paths of changed options that wait for a restart
	struct problems problems;
};

const char *anna_state_name(enum anna_state state);
const char *anna_health_name(enum anna_health health);

const struct services *anna_services(struct anna *anna);
enum anna_state anna_get_state(const struct anna *anna);
int64_t anna_started_ns(const struct anna *anna);      // monotonic
const char *anna_config_path(const struct anna *anna); // NULL: none
const char *anna_config_file(
	const struct anna *anna); // where it would be, whether it exists or not
const char *anna_socket(const struct anna *anna);
const char *anna_http(const struct anna *anna);		    // "127.0.0.1:2662", or "off"
int anna_socket_fd(const struct anna *anna);		    // handed over by systemd, or -1
const char *anna_http_wanted(const struct anna *anna);	    // of the command line, or NULL
void anna_set_http(struct anna *anna, const char *address); // where it listens, or "off"
const char *anna_state_folder(const struct anna *anna);
const char *anna_journal_folder(const struct anna *anna);
struct engine *anna_engine(struct anna *anna);
struct rpc *anna_rpc(struct anna *anna);
struct emitter *anna_emitter(struct anna *anna); // rpc/emitter.h
struct writer *anna_writer(struct anna *anna);
// NULL while a reload has them: say BUSY.
struct generations *anna_generations(struct anna *anna);
int64_t anna_confirm_by_ns(const struct anna *anna); // wall: when it is undone by itself; 0: never
struct snapshot *anna_snapshot(struct anna *anna);   // borrowed: the one in force
const struct schema *anna_schema(struct anna *anna);
const struct section *anna_mappings(struct anna *anna);
uint64_t anna_generation(const struct anna *anna);
size_t anna_capability_count(const struct anna *anna);
void anna_get_capability(const struct anna *anna, size_t i, struct capability_status *out);
size_t anna_last_errors(const struct anna *anna, struct last_error *out, size_t n); // newest first
uint64_t anna_error_count(const struct anna *anna);
uint64_t anna_events_processed(const struct anna *anna); // over restarts
uint64_t anna_reload_count(const struct anna *anna);	 // over restarts, failures included
const struct histogram *anna_reload_ns(const struct anna *anna);

// The worst level, and the reasons (at most n, the worst first); health is computed every second.
enum anna_health anna_get_health(
	const struct anna *anna, struct health_reason *out, size_t n, size_t *out_count);

// Asks for a reload; on_done on the loop, *result borrowed during the call. confirm_ns > 0: undone
// unless anna_confirm comes in time, also across a crash. BUSY while another one runs.
_must_use_ bool anna_reload(struct anna *anna, const char *author, bool is_dry_run,
	int64_t confirm_ns,
	void (*on_done)(void *arg, const struct reload_result *result, const struct err *err),
	void *arg, struct err *err);
// As anna_reload, for a change that was noticed and not asked for: a file whose hash was undone or
// refused before is left alone (the answer is then an error that says so).
_must_use_ bool anna_reload_changed(struct anna *anna, const char *author,
	void (*on_done)(void *arg, const struct reload_result *result, const struct err *err),
	void *arg, struct err *err);
// Keeps the generation that waits for it; on_done on the loop, err NULL once it is durable.
_must_use_ bool anna_confirm(struct anna *anna, const char *author,
	void (*on_done)(void *arg, const struct err *err), void *arg, struct err *err);
// Activates an older generation (0: the one before the active).
_must_use_ bool anna_undo(struct anna *anna, uint64_t generation, const char *author,
	void (*on_done)(void *arg, const struct reload_result *result, const struct err *err),
	void *arg, struct err *err);
void anna_stop(struct anna *anna, const char *reason);
int64_t anna_stop_timeout_ns(const struct anna *anna); // how long running actions may go on then
