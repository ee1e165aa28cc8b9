// SPDX-License-Identifier: Apache-2.0
// What happens on the machine: work, edits, faults, crashes, clocks that jump, all drawn from the
// seed; and the life of the daemon through it.
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/log.h"

#define CALM_NS (60 * NS_PER_SECOND) // by then all must be well again
#define STOP_MOST_NS (30 * NS_PER_SECOND)
#define SETTLE_MOST_NS (7200 * NS_PER_SECOND)

extern const struct capability source_timer;

const char *const sim_bug_names[SIM_BUGS] = {"none", "ack-before-sync", "no-directory-sync",
	"early-cursor", "stale-mappings", "forgotten-keys"};

// --- words ---

int64_t sim_now(const struct sim *sim) {
	return sim->fake.clock.monotonic_ns;
}

bool sim_chance(struct sim *sim, unsigned per_10000) {
	return random_below(&sim->random, 10000) < per_10000;
}

uint64_t sim_below(struct sim *sim, uint64_t bound) {
	return random_below(&sim->random, bound);
}

void sim_violate(struct sim *sim, const char *invariant, const char *format, ...) {
	struct sim_result *result = sim->result;
	va_list args;
	if (result->is_violated) {
		return; // what follows from the first says nothing
	}
	result->is_violated = true;
	result->at_ns = sim_now(sim) - sim->began_ns;
	int n = snprintf(result->violation, sizeof(result->violation), "%s: ", invariant);
	va_start(args, format);
	(void)vsnprintf(result->violation + n, sizeof(result->violation) - (size_t)n, format, args);
	va_end(args);
}

void sim_say(struct sim *sim, const char *format, ...) {
	va_list args;
	if (!sim->options.is_verbose) {
		return;
	}
	(void)printf("[%10.6f] ", (double)(sim_now(sim) - sim->began_ns) / 1e9);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)putchar('\n');
	(void)fflush(stdout);
}

// --- time ---

static void put_stale_mappings(struct sim *sim) {
	engine_configure(sim->anna->engine, sim->snapshot_before);
	sim->has_stale = false;
	snapshot_unref(sim->snapshot_before);
	sim->snapshot_before = snapshot_ref(sim->anna->snapshot);
}

void sim_advance(struct sim *sim, int64_t ns) {
	int64_t end = sim_now(sim) + ns;
	while (!sim->is_dead && !sim->has_stopped && !sim_is_over(sim)) {
		int64_t left = end - sim_now(sim);
		if (left < 0) {
			return;
		}
		loop_step(sim->fake.loop, left);
		if (sim->has_stale && !sim->is_dead) {
			put_stale_mappings(sim);
		}
		if (sim->anna && sim->anna->state == ANNA_RUNNING && sim->running_since_ns < 0) {
			sim->running_since_ns = sim_now(sim);
		}
		if (left == 0) {
			return;
		}
	}
}

// The machine is off, or nothing runs on it.
static void pass(struct sim *sim, int64_t ns) {
	fake_clock_advance(&sim->fake.clock, ns);
}

// --- faults ---

static void clear_faults(struct sim *sim) {
	struct sim_fs_faults none = {0};
	if (sim->has_fault) {
		sim_say(sim, "the disk is well again");
		sim->calm_ns = sim_now(sim);
	}
	sim->has_fault = false;
	sim_fs_set_faults(sim->platter, &none);
	sim_fs_set_capacity(sim->platter, -1);
}

static void begin_fault(struct sim *sim) {
	struct sim_fs_faults faults = {0};
	int64_t most = INT64_C(1) << 40;
	uint64_t kind = sim_below(sim, 5);
	sim_fs_set_capacity(sim->platter, -1);
	switch (kind) {
	case 0: { // full, or nearly so
		struct fs *fs = sim_fs(sim->platter);
		sim_fs_set_capacity(sim->platter, most);
		int64_t used = most - fs->free_bytes(fs, "/");
		sim_fs_set_capacity(sim->platter, used + (int64_t)sim_below(sim, 300000));
		break;
	}
	case 1:
		faults.sync_error = 500 + (unsigned)sim_below(sim, 9000);
		break;
	case 2:
		faults.write_error = 500 + (unsigned)sim_below(sim, 9000);
		break;
	case 3:
		faults.short_write = 5000;
		faults.no_space = (unsigned)sim_below(sim, 9000);
		break;
	default:
		faults.sync_error = faults.open_error = faults.name_error = 100 +
			(unsigned)sim_below(sim, 3000);
		break;
	}
	sim_fs_set_faults(sim->platter, &faults);
	sim->has_fault = sim->had_fault = true;
	sim->fault_end_ns = sim_now(sim) + (int64_t)sim_below(sim, 40 * (uint64_t)NS_PER_SECOND);
	sim_say(sim, "the disk fails in way %d until %.3f", (int)kind,
		(double)(sim->fault_end_ns - sim->began_ns) / 1e9);
}

// Whoever checks the daemon reads the disk without faults; they come back after.
static void prove(struct sim *sim, bool is_whole) {
	if (!sim->has_fault) {
		proof_journal(sim, is_whole);
	}
}

// --- the daemon's life ---

static void on_stopped(void *arg) {
	((struct sim *)arg)->has_stopped = true;
}

static void arm(struct sim *sim, uint64_t calls) {
	sim->calls_left = (int64_t)calls;
	sim->loses_power = sim_below(sim, 4) != 0;
}

// Frees the memory of a process that is no more.
static void bury(struct sim *sim) {
	clients_leave(sim);
	if (sim->anna) {
		sim->anna->state = ANNA_STOPPING; // nothing may be begun any more
		daemon_destroy(sim->anna);
	}
	fake_children_finish(&sim->children.fake);
	children_init(sim);
	sim->anna = NULL;
	sim->running_since_ns = -1;
	sim->has_stale = false;
	snapshot_unref(sim->snapshot_before);
	sim->snapshot_before = NULL;
}

static bool create(struct sim *sim) {
	struct problems problems = PROBLEMS_INIT;
	struct err err = ERR_INIT;
	sim->life++;
	sim->is_creating = true;
	sim->is_calm_start = !sim->has_fault && sim->calls_left < 0;
	sim->had_fault = sim->has_fault;
	sim->anna = daemon_create(&sim->seam, &sim->arguments, &problems, &err);
	if (sim->anna && !sim->is_dead) {
		sim->anna->on_stopped = on_stopped;
		sim->anna->on_stopped_arg = sim;
		watch_begin(sim);
		config_check_start(sim);
		if (!sim_is_over(sim)) {
			watch_force(sim, sim->anna->generation);
		}
		if (!daemon_start(sim->anna, &err) && !sim->is_dead) {
			sim_violate(sim, "Bounded", "it does not start: %s", err.message);
		}
	} else if (!sim->anna && !sim->is_dead && sim->is_calm_start) {
		sim_violate(
			sim, "Bounded", "it does not start, and nothing is wrong: %s", err.message);
	}
	sim->is_creating = false;
	problems_finish(&problems);
	return sim->anna != NULL;
}

// Until it runs, or the machine dies again: systemd tries again and again.
static void start(struct sim *sim) {
	while (!sim_is_over(sim)) {
		sim->has_stopped = false;
		sim->calls_left = -1;
		if (sim_chance(sim, 1500)) {
			arm(sim, sim_below(sim, 60)); // and dies on the way
		}
		if (create(sim) && !sim->is_dead) {
			sim_say(sim, "life %d begins, generation %llu", sim->life,
				(unsigned long long)sim->anna->generation);
			break;
		}
		sim_say(sim, "life %d does not come about", sim->life);
		sim->was_uncertain = true;
		bury(sim);
		sim->is_dead = false;
		sim_fs_boot(sim->platter);
		pass(sim, (int64_t)sim_below(sim, 5 * (uint64_t)NS_PER_SECOND) + NS_PER_MS);
		if (sim->has_fault && sim_now(sim) >= sim->fault_end_ns) {
			clear_faults(sim);
		}
	}
	sim->calm_ns = sim_now(sim);
	prove(sim, false);
}

static void rise(struct sim *sim) {
	sim->result->crashes++;
	sim_say(sim, "%s", sim->loses_power ? "the power is gone" : "killed");
	bury(sim);
	sim->is_dead = false;
	sim->calls_left = -1;
	sim_fs_boot(sim->platter);
	pass(sim, (int64_t)sim_below(sim, 30 * (uint64_t)NS_PER_SECOND));
	if (sim->has_fault && sim_below(sim, 2)) {
		clear_faults(sim);
	}
	start(sim);
}

static void stop(struct sim *sim, bool starts_again) {
	if (sim->anna->state == ANNA_STARTING && !starts_again) {
		return;
	}
	sim_say(sim, "SIGTERM");
	sim->result->stops++;
	sim->calls_left = starts_again && sim_chance(sim, 1000) ? (int64_t)sim_below(sim, 30) : -1;
	daemon_stop(sim->anna, "SIGTERM");
	if (starts_again && sim_chance(sim, 1000)) {
		sim_advance(sim, (int64_t)sim_below(sim, (uint64_t)NS_PER_SECOND));
		if (!sim->has_stopped && !sim->is_dead) {
			daemon_stop(sim->anna, "SIGTERM");
		}
	}
	sim_advance(sim, STOP_MOST_NS);
	if (sim_is_over(sim)) {
		return;
	}
	if (!sim->has_stopped && !sim->is_dead) {
		sim_violate(sim, "Bounded", "it does not stop within %d s",
			(int)(STOP_MOST_NS / NS_PER_SECOND));
		return;
	}
	if (!sim->is_dead) {
		sim->was_uncertain = config_is_changing(sim->anna);
		config_keep(sim);
		clients_leave(sim);
		daemon_destroy(sim->anna);
		sim->anna = NULL;
	}
	if (sim->is_dead) {
		rise(sim);
		return;
	}
	bury(sim);
	if (starts_again) {
		pass(sim, (int64_t)sim_below(sim, 60 * (uint64_t)NS_PER_SECOND));
		start(sim);
	}
}

// --- what happens ---

static void edit(struct sim *sim) {
	switch (sim_below(sim, 6)) {
	case 0:
		config_write(sim, false);
		break;
	case 1:
		config_write_again(sim);
		break;
	default:
		config_write(sim, true);
		break;
	}
}

static void change_config(struct sim *sim) {
	switch (sim_below(sim, 8)) {
	case 0:
		edit(sim);
		daemon_reload(sim->anna, "SIGHUP");
		break;
	case 1:
		clients_ask(sim, CALL_UNDO);
		break;
	case 2:
		clients_ask(sim, CALL_CONFIRM);
		break;
	case 3:
		edit(sim);
		break; // and nobody says so
	default:
		edit(sim);
		clients_ask(sim, CALL_RELOAD);
		break;
	}
}

static void jump_clocks(struct sim *sim) {
	static const int64_t spans[] = {
		2 * NS_PER_SECOND, 60 * NS_PER_SECOND, 3600 * NS_PER_SECOND, 86400 * NS_PER_SECOND};
	int64_t by = 1 + (int64_t)sim_below(sim, (uint64_t)spans[sim_below(sim, 4)]);
	if (sim_below(sim, 2)) {
		sim->fake.clock.boot_ns += by; // the machine slept
		sim->fake.clock.wall_ns += by;
		sim_say(sim, "slept for %.3f s", (double)by / 1e9);
	} else {
		by = sim_below(sim, 2) ? by : -by;
		sim->fake.clock.wall_ns += by;
		sim_say(sim, "the clock is set by %.3f s", (double)by / 1e9);
	}
	sim->wall_offset += by;
}

// Seldom things, as often per hour as each line says at about 2,000 turns.
static void happen(struct sim *sim) {
	uint64_t what = sim_below(sim, 2000);
	if (sim->options.is_well) {
		clients_act(sim);
	} else if (what < 40) {
		change_config(sim);
	} else if (what < 46) {
		clients_burst(sim);
	} else if (what < 48) {
		jump_clocks(sim);
	} else if (what < 52) {
		begin_fault(sim);
	} else if (what < 57) {
		clients_burst(sim);
		arm(sim, sim_below(sim, 80));
	} else if (what < 59) {
		stop(sim, true);
	} else if (what < 60) {
		scripted_burst(sim, 100 + (unsigned)sim_below(sim, 1000));
	} else if (what < 61) {
		clients_flood(sim);
	} else {
		clients_act(sim);
	}
}

// Nothing was wrong for a while: then nothing may look wrong, and all answers are there.
static void check_calm(struct sim *sim) {
	struct health_reason reasons[4];
	size_t n = 0;
	if (sim->has_fault || sim->is_dead || sim_now(sim) - sim->calm_ns < CALM_NS) {
		return;
	}
	enum anna_state state = anna_get_state(sim->anna);
	enum anna_health health = anna_get_health(sim->anna, reasons, 4, &n);
	if (sim->options.is_well && health != HEALTH_OK) {
		sim_violate(sim, "Bounded", "health is %s on a machine that is well: %s: %s",
			anna_health_name(health), n ? reasons[0].part : "no reason",
			n ? reasons[0].text : "");
	} else if (health == HEALTH_CRITICAL) {
		sim_violate(sim, "Bounded", "health is critical though all is well: %s: %s",
			reasons[0].part, reasons[0].text);
	} else if (state != ANNA_RUNNING && state != ANNA_RELOADING) {
		sim_violate(sim, "Bounded", "stuck in the state %s", anna_state_name(state));
	}
	clients_check(sim);
}

static void play(struct sim *sim) {
	int64_t prove_ns = sim->began_ns + 3600 * NS_PER_SECOND;
	while (!sim_is_over(sim) && sim_now(sim) < sim->end_ns) {
		// In flurries: much of what goes wrong needs things close together.
		bool is_soon = sim_below(sim, 3) == 0;
		sim_advance(sim,
			(int64_t)sim_below(sim,
				is_soon ? 4 * (uint64_t)NS_PER_MS : 5 * (uint64_t)NS_PER_SECOND));
		if (sim->is_dead) {
			rise(sim);
			continue;
		}
		if (sim->has_fault && sim_now(sim) >= sim->fault_end_ns) {
			clear_faults(sim);
		}
		proof_bounds(sim);
		check_calm(sim);
		if (sim_now(sim) >= prove_ns && !sim->has_fault) {
			prove_ns = sim_now(sim) + 3600 * NS_PER_SECOND;
			prove(sim, true);
		}
		if (!sim_is_over(sim)) {
			happen(sim);
		}
		if (sim->is_dead) {
			rise(sim);
		}
	}
}

// The machine is left alone: everything comes to its end, and can be looked at as a whole.
static void settle(struct sim *sim) {
	struct engine_stats engine;
	int64_t until = sim_now(sim) + SETTLE_MOST_NS;
	sim->calls_left = -1;
	clear_faults(sim);
	clients_leave(sim);
	scripted_burst(sim, 1);
	sim_advance(sim, CALM_NS + NS_PER_SECOND);
	check_calm(sim);
	sim->settled_id = sim->last_id;
	for (;;) {
		engine_get_stats(sim->anna->engine, &engine);
		if (sim_is_over(sim) || (engine.running == 0 && engine.waiting == 0)) {
			break;
		}
		if (sim_now(sim) > until) {
			sim_violate(sim, "Bounded", "%zu runs and %zu that wait do not end",
				engine.running, engine.waiting);
			return;
		}
		sim_advance(sim, NS_PER_SECOND / 2);
	}
	sim_advance(sim, NS_PER_SECOND);
}

// --- the whole ---

static void init(struct sim *sim, const struct sim_options *options, struct sim_result *out) {
	static const struct capability *const parts[] = {&source_timer, &source_scripted};
	*out = (struct sim_result){0};
	*sim = (struct sim){.options = *options, .result = out, .running_since_ns = -1};
	random_init(&sim->random, options->seed);
	fake_loop_init(&sim->fake, options->seed ^ 0x5eed);
	sim->began_ns = sim_now(sim);
	sim->end_ns = sim->began_ns + (int64_t)(options->hours * 3600e9);
	disk_init(sim);
	children_init(sim);
	sim->scratch = arena_create();
	sim->arguments = (struct arguments){.config_path = (char *)(uintptr_t)SIM_CONFIG,
		.config_is_named = true,
		.state_folder = (char *)(uintptr_t)SIM_STATE,
		.socket_path = (char *)(uintptr_t) "/run/anna/annad.sock",
		.sysroot = (char *)(uintptr_t) "",
		.has_log_level = true,
		.log_level = options->is_verbose ? LOG_INFO : LOG_ERROR,
		.has_log_format = true,
		.log_format = LOG_TEXT};
	sim->seam = (struct daemon_seam){.loop = sim->fake.loop,
		.fs = &sim->disk.fs,
		.random = &sim->fake.random,
		.children = &sim->children.runner,
		.capabilities = parts,
		.capability_count = sizeof(parts) / sizeof(*parts),
		.segment_bytes = SIM_SEGMENT};
	daemon_build_schema(&sim->shadow, &sim->seam);
	for (size_t i = 0; i < SIM_CLIENTS; i++) {
		sim->clients[i].sim = sim;
	}
	log_set_clock(&sim->fake.clock.clock);
}

static void finish(struct sim *sim) {
	if (sim->anna) {
		sim->is_dead = true;
		sim_fs_kill(sim->platter);
	}
	bury(sim);
	fake_children_finish(&sim->children.fake);
	clients_finish(sim);
	config_finish(sim);
	daemon_finish_schema(&sim->shadow);
	log_set_observer(NULL);
	log_set_clock(NULL);
	sim_fs_destroy(sim->platter);
	fake_loop_finish(&sim->fake);
	arena_destroy(sim->scratch);
	free(sim->ids);
	free(sim->runs);
	free(sim->gaps);
}

bool sim_run(const struct sim_options *options, struct sim_result *out) {
	struct sim *sim = xcalloc(1, sizeof(*sim));
	init(sim, options, out);
	config_write(sim, true);
	start(sim);
	play(sim);
	if (!sim_is_over(sim)) {
		settle(sim);
		proof_all(sim);
	}
	if (!sim_is_over(sim)) {
		stop(sim, false);
	}
	if (sim_is_over(sim) && options->is_verbose) {
		sim_fs_boot(sim->platter);
		proof_show(sim);
	}
	out->disk = sim_fs_digest(sim->platter);
	finish(sim);
	free(sim);
	return !out->is_violated;
}
