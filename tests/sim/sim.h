// SPDX-License-Identifier: Apache-2.0
// One simulated machine with one annad on it, played from a seed: the real core over a clock, a
// disk, processes and clients that are all made up. What the daemon tells its clients, and what
// passes over its bus, is noted here, beside the daemon; after crashes, once an hour and at the
// end the journal is read back and held against it (proof.c). Nothing of the machine below comes
// in, so a seed is all that a bug report needs.
//
//	struct sim_options options = {.seed = 7, .hours = 1};
//	struct sim_result result;
//	if (!sim_run(&options, &result)) { puts(result.violation); }
#pragma once

#include "base/random.h"
#include "daemon/daemon.h"
#include "tests/fakes/fake_children.h"
#include "tests/fakes/fake_loop.h"
#include "tests/fakes/sim_fs.h"

#define SIM_STATE "/var/lib/anna"
#define SIM_CONFIG "/etc/anna/config.toml"
#define SIM_QUEUE 1024		      // [journal] queue: the least there may be
#define SIM_BUDGET (INT64_C(8) << 20) // of each stream: the least there may be
#define SIM_SEGMENT (INT64_C(256) << 10)
#define SIM_CLIENTS 6
#define SIM_MAPPINGS 8
#define SIM_STATE_STREAM 3
#define SIM_STOP "stop = true\n"
#define SIM_NAMES 12 // mappings are called m0 to m11

// Mistakes planted beside the core, to see that the proofs find them.
enum sim_bug {
	SIM_NO_BUG,
	SIM_ACK_BEFORE_SYNC,   // fsync says yes and does nothing
	SIM_NO_DIRECTORY_SYNC, // names are not made durable
	SIM_EARLY_CURSOR,      // the engine's cursor runs ahead of what was done
	SIM_STALE_MAPPINGS,    // a reload is acked and the old mappings stay
	SIM_FORGOTTEN_KEYS,    // keys of emits are not journaled: doubles after a restart
	SIM_BUGS
};
extern const char *const sim_bug_names[SIM_BUGS];

struct sim_options {
	uint64_t seed;
	double hours;
	enum sim_bug bug;
	bool is_verbose;
	bool is_traced; // and every call of the disk
	bool is_well; // nothing goes wrong: clients and timers only, and health must be ok throughout
};

struct sim_result {
	bool is_violated;
	char violation[1200];
	int64_t at_ns; // simulated time since the start
	uint64_t events, acks, crashes, stops, reloads, undos, runs, checks;
	uint64_t disk; // digest of all names and bytes
};

// False: *out says what was violated.
bool sim_run(const struct sim_options *options, struct sim_result *out);

// --- parts of sim/ among themselves ---

// What is known of an id.
enum {
	ID_ACCEPTED = 1,
	ID_DURABLE = 2,	 // shown as such
	ID_FOUND = 4,	 // read in the journal once
	ID_ACTION = 8,	 // action.started or action.finished
	ID_GAP = 16,	 // source.gap of the journal
	ID_EXCUSED = 32, // lost, and told
	ID_STATE = 64	 // no event
};

struct sim_id {
	uint8_t flags;
	uint8_t stream; // enum kind_stream; SIM_STATE_STREAM
	uint16_t life;
	uint32_t pass; // the last reading that met it
	uint32_t sum;  // of its payload
	uint32_t depth;
	uint64_t cause;
};

// A range told to be lost.
struct sim_gap {
	uint64_t id, from, to;
	bool is_unclean;
	uint16_t life;
};

// An expected or seen run: one per event and mapping.
struct sim_run {
	uint64_t event;
	uint8_t mapping; // number in its name
	uint8_t class;
	bool is_expected;
	bool is_refused;
	uint16_t spawned_life; // the last life in which a process was started for it
	uint16_t spawns;
	uint16_t accepted_life; // of its action.finished
	uint64_t finish;	// id of the last accepted action.finished
	uint16_t found;		// action.finished in the journal, not cancelled
	uint16_t found_any;
};

enum sim_emit_state {
	EMIT_SENT,
	EMIT_ACKED,
	EMIT_FAILED,
	EMIT_UNKNOWN
};

struct sim_emit {
	uint8_t client, state, level;
	char kind;		 // 'a' to 'd'
	bool is_keyed, is_plain; // plain: neither key nor cause
	bool is_doubtful;	 // its key may have been forgotten by right: time jumped, or passed
	uint8_t found;
	uint64_t id; // acked
	int64_t first_ns, wall_offset;
};

enum sim_call {
	CALL_EMIT,
	CALL_OTHER,
	CALL_RELOAD,
	CALL_UNDO,
	CALL_CONFIRM,
	CALL_WAIT
};

struct sim_request {
	uint8_t call, client;
	bool is_open;
	bool is_batched;
	uint32_t emit;
	int64_t sent_ns;
	uint64_t edits; // config edits before it
};

struct sim_client {
	struct sim *sim;
	struct session *session;
	struct buf half; // the rest of a message begun
	bool has_ended;
	bool is_congested;
	bool is_paused;
	int64_t held_ns;     // the last time it held something back itself
	uint32_t life;	     // of its requests
	uint64_t last_plain; // id of its last plain emit found in order
	uint32_t last_plain_emit;
	uint32_t first_request; // of this connection
};

// A text of the configuration that was written at some time.
struct sim_version {
	char hash[65];
	struct buf text;
	struct snapshot *snapshot;	// NULL: it is not valid
	struct buf mappings[SIM_NAMES]; // text of each; empty: not in it
};

struct sim_generation {
	uint64_t number;
	size_t version;
};

// A generation as the daemon had it when it went.
struct sim_kept {
	uint64_t number, previous;
	char hash[65];
	enum verdict verdict;
	int64_t confirm_by_ns;
};

struct sim_disk {
	struct fs fs; // first
	struct sim *sim;
};

struct sim_children {
	struct child_runner runner; // first
	struct sim *sim;
	struct fake_children fake;
};

struct sim {
	struct sim_options options;
	struct sim_result *result;
	struct random random;  // of what happens
	struct fake_loop fake; // clocks, loop, and the daemon's own random
	int64_t began_ns, end_ns;
	int64_t wall_offset; // jumps so far
	struct sim_fs *platter;
	struct sim_disk disk;
	struct sim_children children;
	struct arguments arguments;
	struct daemon_seam seam;
	struct anna shadow; // for its schema, over all lives

	struct anna *anna; // NULL: not running
	uint16_t life;
	bool is_creating, has_stopped;
	bool is_dead; // the machine lost power, the process was killed: nothing counts any more
	bool is_calm_start;	  // no fault was about when this life began
	int64_t calls_left;	  // of the disk until it happens; -1: it does not
	bool loses_power;	  // and not only a kill
	bool was_uncertain;	  // a change of the configuration was under way then
	int64_t running_since_ns; // of this life, -1: not yet
	int64_t calm_ns;	  // since when nothing disturbs
	int64_t fault_end_ns;
	bool has_fault;
	bool had_fault; // in this life
	struct subscription subscription;

	struct sim_client clients[SIM_CLIENTS];
	struct sim_request *requests;
	size_t request_count, request_cap;
	struct sim_emit *emits;
	size_t emit_count, emit_cap;

	struct sim_version *versions;
	size_t version_count, version_cap;
	size_t file;			  // version in the file
	size_t in_force;		  // version last seen in force
	struct snapshot *snapshot_before; // of in_force, the daemon's own
	uint64_t edits;
	struct sim_generation *generations;
	size_t generation_count, generation_cap;
	uint64_t changed_at[SIM_NAMES]; // last id when a mapping was last changed
	struct sim_kept kept[256];
	size_t kept_count;
	bool has_stale; // planted: mappings to put back

	struct sim_id *ids;
	size_t id_cap;
	uint64_t last_id;
	uint64_t proved_id;   // the last at the last reading
	uint64_t settled_id;  // from before the machine was left alone
	struct sim_run *runs; // open addressing
	size_t run_count, run_cap;
	struct sim_gap *gaps;
	size_t gap_count, gap_cap;
	uint64_t oldest[4]; // kept of each stream, by the last reading
	uint32_t pass;
	struct arena *scratch;
};

int64_t sim_now(const struct sim *sim); // monotonic
bool sim_chance(struct sim *sim, unsigned per_10000);
uint64_t sim_below(struct sim *sim, uint64_t bound);
// Notes the first violation; the rest of the run is skipped.
_printf_(3, 4) void sim_violate(struct sim *sim, const char *invariant, const char *format, ...);
_printf_(2, 3) void sim_say(struct sim *sim, const char *format, ...);
static inline bool sim_is_over(const struct sim *sim) {
	return sim->result->is_violated;
}
// Simulated time passes; ends early when the machine dies.
void sim_advance(struct sim *sim, int64_t ns);

// disk.c: sim_fs, and the moment the power goes.
void disk_init(struct sim *sim);
// What the machine, not the daemon, does to its disk or reads of it meets no fault.
void disk_set_faults(struct sim *sim, const struct sim_fs_faults *faults);

// watch.c: what passes over the bus, and processes.
void watch_begin(struct sim *sim);
struct sim_id *watch_id(struct sim *sim, uint64_t id);
struct sim_run *watch_run(struct sim *sim, uint64_t event, unsigned mapping);
// "12:m3" gives event and number; false when it is no such key.
bool watch_parse_key(struct str key, uint64_t *out_event, unsigned *out_mapping);
void watch_force(struct sim *sim, uint64_t generation);
void children_init(struct sim *sim);

// config.c: texts of the configuration.
void config_write(struct sim *sim, bool is_valid);
void config_write_again(struct sim *sim);		     // one of before
size_t config_find(const struct sim *sim, const char *hash); // SIZE_MAX: unknown
const struct sim_version *config_of(const struct sim *sim, uint64_t generation);
void config_finish(struct sim *sim);
// A change is under way, or one was answered with "may be found after a restart all the same".
bool config_is_changing(const struct anna *anna);
void config_keep(struct sim *sim);	  // remembers the generations as the daemon has them
void config_check_start(struct sim *sim); // what is in force after a start

// clients.c
void clients_act(struct sim *sim);
void clients_burst(struct sim *sim);
void clients_flood(struct sim *sim);
void clients_ask(struct sim *sim, enum sim_call call);
void clients_leave(struct sim *sim); // all, at once
void clients_check(struct sim *sim); // that answers come
void clients_finish(struct sim *sim);

// scripted.c: a source of its own.
extern const struct capability source_scripted;
void scripted_burst(struct sim *sim, unsigned n);

// proof.c
void proof_bounds(struct sim *sim);
// The whole journal, or (after a crash) the part that was written lately.
void proof_journal(struct sim *sim, bool is_whole);
// At the end, when nothing of settled_id and before runs or waits any more.
void proof_all(struct sim *sim);
void proof_show(struct sim *sim);
