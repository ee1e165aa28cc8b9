// SPDX-License-Identifier: Apache-2.0
// The engine's surroundings for tests; see fake_engine.h.
#include "tests/fakes/fake_engine.h"

#include <ftw.h>

#include "actions/actions.h"
#include "base/alloc.h"
#include "engine/mapping.h"
#include "io/worker.h"

#define MIB (1024 * 1024)

static struct fake_engine *current; // the actions below have no other way to it

static void note_run(struct action_call *call) {
	buf_append_str(&current->noted, call->key);
	if (call->attempt != 1) {
		buf_appendf(&current->noted, "#%llu", (unsigned long long)call->attempt);
	}
	buf_append_char(&current->noted, ';');
	call->on_done(call, NULL);
}

static void hold_run(struct action_call *call) {
	assert(current->held_count < sizeof(current->held) / sizeof(current->held[0]));
	current->held[current->held_count++] = call;
}

static void forget_held(size_t i) {
	current->held_count--;
	memmove(&current->held[i], &current->held[i + 1],
		(current->held_count - i) * sizeof(current->held[0]));
}

static void hold_cancel(struct action_call *call) {
	struct err err;
	for (size_t i = 0; i < current->held_count; i++) {
		if (current->held[i] == call) {
			forget_held(i);
		}
	}
	err_set(&err, ERR_UNAVAILABLE, "cancelled");
	call->on_done(call, &err);
}

static const struct option no_rows[] = {{NULL}};
static const struct action note_action = {
	.name = "note", .summary = "Notes.", .rows = no_rows, .size = 1, .run = note_run};
static const struct action hold_action = {.name = "hold",
	.summary = "Holds.",
	.rows = no_rows,
	.size = 1,
	.run = hold_run,
	.cancel = hold_cancel};

static void make_schema(struct fake_engine *fake) {
	fake->schema_arena = arena_create();
	const struct action **all = arena_array(
		fake->schema_arena, actions_count + 2, sizeof(*all));
	memcpy(all, actions, actions_count * sizeof(*all));
	all[actions_count] = &note_action;
	all[actions_count + 1] = &hold_action;
	struct variants *set = ARENA_NEW(fake->schema_arena, struct variants);
	*set = mapping_action_variants(fake->schema_arena, all, actions_count + 2);
	const struct section **sections = arena_array(fake->schema_arena, 1, sizeof(*sections));
	sections[0] = &mappings_section;
	fake->schema = (struct schema){sections, 1, set, 1};
}

void fake_engine_init(struct fake_engine *fake, uint64_t seed) {
	*fake = (struct fake_engine){0};
	current = fake;
	fake_loop_init(&fake->loop, seed);
	fake_children_init(&fake->children, fake->loop.loop);
	(void)snprintf(fake->folder, sizeof(fake->folder), "/tmp/anna-engine-test-XXXXXX");
	char *made = mkdtemp(fake->folder);
	assert(made);
	(void)made;
	fake->journal_folder = xasprintf("%s/journal", fake->folder);
	fake->kinds = kinds_create();
	kinds_add(fake->kinds, core_kinds);
	kinds_add(fake->kinds, engine_kinds);
	fake->meters = meters_create();
	make_schema(fake);
}

static int remove_entry(const char *path, const struct stat *stat_now, int flag, struct FTW *walk) {
	(void)stat_now;
	(void)flag;
	(void)walk;
	return remove(path);
}

void fake_engine_finish(struct fake_engine *fake) {
	if (fake->engine) {
		fake_engine_stop(fake);
	}
	fake_children_finish(&fake->children);
	fake_loop_finish(&fake->loop);
	kinds_destroy(fake->kinds);
	meters_destroy(fake->meters);
	arena_destroy(fake->schema_arena);
	buf_finish(&fake->noted);
	buf_finish(&fake->events);
	free(fake->journal_folder);
	(void)nftw(fake->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void note_event(void *arg, enum bus_phase phase, struct event *event) {
	struct fake_engine *fake = arg;
	static const char *const shown[] = {"mapping", "reason", "count", "ok", "error"};
	if (phase != PHASE_ACCEPTED || str_starts(event->kind, STR("test."))) {
		return;
	}
	buf_append_str(&fake->events, event->kind);
	const char *separator = "(";
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (event_attribute(event, str_from(shown[i]))) {
			buf_append_text(&fake->events, separator);
			(void)event_lookup_text(event, str_from(shown[i]), &fake->events);
			separator = " ";
		}
	}
	buf_append_text(&fake->events, separator[0] == '(' ? "; " : "); ");
}

static void on_result(void *arg, uint64_t first, uint64_t last, const struct err *err) {
	struct fake_engine *fake = arg;
	bus_on_result(fake->bus, first, last, err);
}

static void open_bus(struct fake_engine *fake) {
	static const struct journal_stream_options streams[] = {{"normal", 64 * MIB, 0},
		{"audit", 16 * MIB, 0}, {"telemetry", 16 * MIB, 0}, {"state", 16 * MIB, 0}};
	struct journal_options options = {streams, 4, 256 * 1024};
	struct journal_recovery recovery = {0};
	size_t capacity = fake->bus_capacity ? fake->bus_capacity : 4096;
	fake->journal = journal_open(fs_system(), &fake->loop.clock.clock, fake->journal_folder,
		&options, &recovery, NULL);
	assert(fake->journal);
	fake->writer = writer_start(
		fake->loop.loop, fake->journal, capacity + 16, on_result, fake, NULL);
	struct bus_options bus_options = {.loop = fake->loop.loop,
		.random = &fake->loop.random,
		.kinds = fake->kinds,
		.next_id = recovery.last_sequence + 1,
		.capacity = capacity,
		.reserve = 16};
	fake->bus = bus_create(&bus_options);
	bus_set_writer(fake->bus, fake->writer);
}

static void on_recovered(void *arg) {
	((struct fake_engine *)arg)->was_recovered = true;
}

void fake_engine_start(struct fake_engine *fake, const char *config, bool recovers) {
	open_bus(fake);
	fake->jobs = jobs_create(fake->loop.loop, 2, 64);
	fake->services = (struct services){.loop = fake->loop.loop,
		.jobs = fake->jobs,
		.fs = fs_system(),
		.children = &fake->children.runner,
		.random = &fake->loop.random,
		.bus = fake->bus,
		.meters = fake->meters,
		.state_folder = fake->folder,
		.sysroot = ""};
	bus_subscribe(fake->bus, &fake->subscription, note_event, fake);
	fake->engine = engine_create(&fake->services);
	fake_engine_configure(fake, config);
	if (recovers) {
		fake->was_recovered = false;
		engine_recover(fake->engine, fake->journal_folder, on_recovered, fake);
	}
}

struct snapshot *fake_engine_read_config(
	struct fake_engine *fake, const char *config, struct problems *problems) {
	struct config_files files = {.arena = arena_create(), .n = 1};
	files.items = ARENA_NEW(files.arena, struct config_file);
	files.items[0] = (struct config_file){STR("test.toml"), str_from(config)};
	struct snapshot *snapshot = snapshot_create(&fake->schema, &files, problems);
	config_files_finish(&files);
	return snapshot;
}

void fake_engine_configure(struct fake_engine *fake, const char *config) {
	struct problems problems = PROBLEMS_INIT;
	struct snapshot *snapshot = fake_engine_read_config(fake, config, &problems);
	struct buf text = BUF_INIT;
	problems_format(&problems, &text);
	if (!snapshot) {
		(void)fprintf(stderr, "%s", buf_text(&text));
	}
	assert(snapshot);
	buf_finish(&text);
	problems_finish(&problems);
	engine_configure(fake->engine, snapshot);
	snapshot_unref(fake->snapshot);
	fake->snapshot = snapshot;
}

static void close_all(struct fake_engine *fake) {
	engine_destroy(take_ptr(fake->engine));
	jobs_destroy(take_ptr(fake->jobs));
	writer_stop(take_ptr(fake->writer));
	bus_set_writer(fake->bus, NULL);
	bus_unsubscribe(&fake->subscription);
	bus_destroy(take_ptr(fake->bus));
	snapshot_unref(take_ptr(fake->snapshot));
	fake->held_count = 0;
}

void fake_engine_crash(struct fake_engine *fake) {
	bus_set_writer(fake->bus, NULL);
	close_all(fake);
}

void fake_engine_stop(struct fake_engine *fake) {
	close_all(fake);
}

uint64_t fake_engine_emit(struct fake_engine *fake, const char *kind, const char *attributes) {
	struct event *event = event_create(kind, "test", STR("it"));
	if (attributes) {
		struct arena *arena = arena_create();
		const struct value *table = json_parse(arena, str_from(attributes), 8, NULL);
		assert(table);
		for (size_t i = 0; i < table->table.n; i++) {
			char *name = arena_copy(arena, table->table.members[i].key);
			event_set_value(event, name, &table->table.members[i].value);
		}
		arena_destroy(arena);
	}
	return bus_publish(fake->bus, event, NULL, NULL, NULL);
}

void fake_engine_settle(struct fake_engine *fake) {
	loop_advance(fake->loop.loop, 200 * NS_PER_MS);
}

void fake_engine_release(struct fake_engine *fake, const char *error) {
	struct err err;
	assert(fake->held_count > 0);
	struct action_call *call = fake->held[0];
	forget_held(0);
	if (error) {
		err_set(&err, ERR_INTERNAL, "%s", error);
	}
	call->on_done(call, error ? &err : NULL);
}
