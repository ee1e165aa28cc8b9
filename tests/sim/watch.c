// SPDX-License-Identifier: Apache-2.0
// Looks over the daemon's shoulder: each event that is accepted or durable, each process started.
// Here the mistakes are planted that need a hand on the bus.
#include "base/alloc.h"
#include "tests/sim/sim.h"

struct sim_id *watch_id(struct sim *sim, uint64_t id) {
	if (id >= sim->id_cap) {
		size_t cap = sim->id_cap ? sim->id_cap : 4096;
		while (cap <= id) {
			cap *= 2;
		}
		sim->ids = xreallocarray(sim->ids, cap, sizeof(*sim->ids));
		memset(sim->ids + sim->id_cap, 0, (cap - sim->id_cap) * sizeof(*sim->ids));
		sim->id_cap = cap;
	}
	sim->last_id = id > sim->last_id ? id : sim->last_id;
	return &sim->ids[id];
}

// --- runs by event and mapping ---

static struct sim_run *find_slot(
	struct sim_run *runs, size_t cap, uint64_t event, unsigned mapping) {
	size_t at = (size_t)(event * 31 + mapping) * 0x9e3779b97f4a7c15u >> 20;
	for (;; at++) {
		struct sim_run *run = &runs[at & (cap - 1)];
		if (!run->event || (run->event == event && run->mapping == mapping)) {
			return run;
		}
	}
}

static void grow_runs(struct sim *sim) {
	size_t cap = sim->run_cap ? sim->run_cap * 2 : 4096;
	struct sim_run *runs = xcalloc(cap, sizeof(*runs));
	for (size_t i = 0; i < sim->run_cap; i++) {
		if (sim->runs[i].event) {
			*find_slot(
				runs, cap, sim->runs[i].event, sim->runs[i].mapping) = sim->runs[i];
		}
	}
	free(sim->runs);
	sim->runs = runs;
	sim->run_cap = cap;
}

struct sim_run *watch_run(struct sim *sim, uint64_t event, unsigned mapping) {
	if (sim->run_count * 2 >= sim->run_cap) {
		grow_runs(sim);
	}
	struct sim_run *run = find_slot(sim->runs, sim->run_cap, event, mapping);
	if (!run->event) {
		run->event = event;
		run->mapping = (uint8_t)mapping;
		sim->run_count++;
	}
	return run;
}

bool watch_parse_key(struct str key, uint64_t *out_event, unsigned *out_mapping) {
	struct str rest = key, event;
	uint64_t number;
	if (!str_split(&rest, ':', &event) || !str_to_uint64(event, out_event) || !*out_event ||
		rest.len < 2 || rest.at[0] != 'm' || !str_to_uint64(str_skip(rest, 1), &number) ||
		number >= SIM_NAMES) {
		return false;
	}
	*out_mapping = (unsigned)number;
	return true;
}

static struct sim_run *run_of(struct sim *sim, const struct event *event) {
	const struct value *key = event_attribute(event, STR("key"));
	uint64_t cause;
	unsigned mapping;
	if (!key || key->type != VALUE_STRING || !watch_parse_key(key->string, &cause, &mapping)) {
		sim_violate(sim, "Explained", "event %llu, %.*s, has no key of a run",
			(unsigned long long)event->id, STR_ARG(event->kind));
		return NULL;
	}
	if (cause != event->cause) {
		sim_violate(sim, "Explained", "event %llu has the key %.*s and the cause %llu",
			(unsigned long long)event->id, STR_ARG(key->string),
			(unsigned long long)event->cause);
	}
	return watch_run(sim, cause, mapping);
}

// --- configurations in force ---

static void add_generation(struct sim *sim, uint64_t number, size_t version) {
	if (sim->generation_count == sim->generation_cap) {
		sim->generation_cap = sim->generation_cap ? sim->generation_cap * 2 : 64;
		sim->generations = xreallocarray(
			sim->generations, sim->generation_cap, sizeof(*sim->generations));
	}
	sim->generations[sim->generation_count++] = (struct sim_generation){number, version};
}

// A generation is in force from now on, as far as the daemon says.
void watch_force(struct sim *sim, uint64_t generation) {
	size_t version = config_find(sim, snapshot_hash(sim->anna->snapshot));
	if (version == SIZE_MAX) {
		sim_violate(sim, "Undoable", "generation %llu was never written: hash %s",
			(unsigned long long)generation, snapshot_hash(sim->anna->snapshot));
		return;
	}
	const struct sim_version *known = config_of(sim, generation);
	if (!known) {
		add_generation(sim, generation, version);
	} else if (known != &sim->versions[version]) {
		sim_violate(sim, "Undoable", "generation %llu is another configuration than before",
			(unsigned long long)generation);
	}
	if (version != sim->in_force) {
		const struct sim_version *old = &sim->versions[sim->in_force];
		const struct sim_version *new = &sim->versions[version];
		bool has_stop = false; // in one that changed: then those below it change too
		for (size_t i = 0; i < SIM_NAMES; i++) {
			struct str before = buf_str(&old->mappings[i]);
			struct str after = buf_str(&new->mappings[i]);
			bool has_changed = !str_equal(before, after);
			has_stop = has_stop ||
				(has_changed &&
					(str_find(before, STR(SIM_STOP)) >= 0 ||
						str_find(after, STR(SIM_STOP)) >= 0));
			if (has_changed || has_stop) {
				sim->changed_at[i] = sim->last_id;
			}
		}
		sim->in_force = version;
		sim->has_stale = sim->options.bug == SIM_STALE_MAPPINGS && sim->snapshot_before;
	}
	if (!sim->has_stale) {
		snapshot_unref(sim->snapshot_before);
		sim->snapshot_before = snapshot_ref(sim->anna->snapshot);
	}
}

// --- events ---

static void note_finished(struct sim *sim, const struct event *event) {
	const struct value *class = event_attribute(event, STR("class"));
	const struct value *cancelled = event_attribute(event, STR("cancelled"));
	struct sim_run *run = run_of(sim, event);
	if (!run || !class) {
		return;
	}
	run->class = str_is(class->string, "reflex") ? CLASS_REFLEX : CLASS_ASSURED;
	if (run->class == CLASS_REFLEX && run->accepted_life == sim->life) {
		sim_violate(sim, "Gapless", "the reflex of event %llu by m%u ended twice",
			(unsigned long long)run->event, run->mapping);
	}
	if (!cancelled || run->class == CLASS_REFLEX) {
		run->accepted_life = sim->life;
		run->finish = event->id;
	}
	sim->result->runs++;
}

static void on_accepted(struct sim *sim, struct event *event) {
	struct sim_id *id = watch_id(sim, event->id);
	if (id->flags & (ID_DURABLE | ID_FOUND)) {
		sim_violate(sim, "Gapless", "id %llu was given twice, and had been durable",
			(unsigned long long)event->id);
	}
	*id = (struct sim_id){.flags = ID_ACCEPTED,
		.life = sim->life,
		.depth = event->depth,
		.cause = event->cause};
	sim->result->events++;
	if (!sim->generation_count ||
		sim->generations[sim->generation_count - 1].number != event->generation ||
		strcmp(snapshot_hash(sim->anna->snapshot), sim->versions[sim->in_force].hash) !=
			0) {
		watch_force(sim, event->generation);
	}
	if (str_is(event->kind, "action.finished")) {
		id->flags |= ID_ACTION;
		note_finished(sim, event);
	} else if (str_is(event->kind, "action.started")) {
		id->flags |= ID_ACTION;
		(void)run_of(sim, event);
	}
	if (sim->options.bug == SIM_FORGOTTEN_KEYS) {
		event->key.len = 0;
	}
}

static void on_event(void *arg, enum bus_phase phase, struct event *event) {
	struct sim *sim = arg;
	if (sim->is_dead) {
		return; // what a dead process does while its memory is freed
	}
	if (phase == PHASE_ACCEPTED) {
		on_accepted(sim, event);
		return;
	}
	watch_id(sim, event->id)->flags |= ID_DURABLE;
	if (sim->options.bug == SIM_EARLY_CURSOR && sim->anna->state == ANNA_RUNNING) {
		char text[24];
		int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)event->id);
		(void)bus_keep_state(
			sim->anna->services.bus, "engine.cursor", str_range(text, (size_t)n), NULL);
	}
}

// Right after daemon_create, which published a few events already.
void watch_begin(struct sim *sim) {
	struct bus_stats stats;
	bus_get_stats(sim->anna->services.bus, &stats);
	for (uint64_t id = stats.durable_id + 1; id <= stats.last_id; id++) {
		*watch_id(sim, id) = (struct sim_id){.flags = ID_ACCEPTED, .life = sim->life};
		sim->result->events++;
	}
	bus_subscribe(sim->anna->services.bus, &sim->subscription, on_event, sim);
}

// --- processes ---

static const char *environment_of(const struct child_spec *spec, const char *name) {
	size_t n = strlen(name);
	for (size_t i = 0; spec->environment[i]; i++) {
		if (strncmp(spec->environment[i], name, n) == 0 && spec->environment[i][n] == '=') {
			return spec->environment[i] + n + 1;
		}
	}
	return "";
}

static struct fake_plan choose_plan(struct sim *sim) {
	struct fake_plan plan = {.duration_ns = (int64_t)sim_below(sim, 200 * (uint64_t)NS_PER_MS)};
	switch (sim_below(sim, 40)) {
	case 0:
		plan.spawn_error = "there is no such program here";
		break;
	case 1: // hangs, and does not want to go
		plan.duration_ns = 3600 * NS_PER_SECOND;
		plan.ignores_sigterm = true;
		break;
	case 2:
		plan.duration_ns = 3 * NS_PER_SECOND;
		break;
	case 3:
	case 4:
		plan.exit_status = 1;
		break;
	case 5:
	case 6:
		plan.output = "said \xffsomething\n";
		break;
	default:
		break;
	}
	return plan;
}

static struct child *spawn(
	struct child_runner *runner, const struct child_spec *spec, struct err *err) {
	struct sim_children *children = (struct sim_children *)(void *)runner;
	struct sim *sim = children->sim;
	uint64_t event;
	unsigned mapping;
	children->fake.plans[0] = choose_plan(sim);
	children->fake.plan_next = 0;
	children->fake.plan_count = 1;
	if (!sim->is_dead &&
		watch_parse_key(str_from(environment_of(spec, "ANNA_KEY")), &event, &mapping)) {
		struct sim_run *run = watch_run(sim, event, mapping);
		if (run->spawned_life == sim->life) {
			sim_violate(sim, "Gapless",
				"a process for event %llu and m%u was started twice in one life",
				(unsigned long long)event, mapping);
		}
		run->spawned_life = sim->life;
		run->spawns++;
	}
	return children->fake.runner.spawn(&children->fake.runner, spec, err);
}

void children_init(struct sim *sim) {
	fake_children_init(&sim->children.fake, sim->fake.loop);
	sim->children.runner = sim->children.fake.runner;
	sim->children.runner.spawn = spawn;
	sim->children.sim = sim;
}
