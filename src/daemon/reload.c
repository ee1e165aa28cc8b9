// SPDX-License-Identifier: Apache-2.0
// From one configuration to the next. A job reads, hands the texts to the disk, parses, checks and
// compares meanwhile, and makes the new generation durable; the loop applies it to every part; only
// then is it answered. When a part refuses, every part goes back and a second job says so in the
// generations. Whatever fails, one whole configuration is in force, and the state is the one before.
//
// While a job runs the list of generations is lent to it: nobody on the loop touches it.
#include "daemon/reload.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/notify.h"
#include "io/worker.h"

#define LOG_FOLDER "config"

typedef void reload_done_fn(void *arg, const struct reload_result *result, const struct err *err);

struct reload {
	struct anna *anna;
	char *author;
	bool is_dry_run;
	bool is_unasked; // a change noticed on disk: what was undone or refused is left alone
	bool is_undo;
	uint64_t undo_to; // generation
	int64_t confirm_ns;
	reload_done_fn *on_done;
	void *arg;
	struct snapshot *before; // a reference
	// The job's:
	struct snapshot *after;
	struct config_files files;
	bool has_files;
	struct staged *staged; // the new generation, on the disk while it is checked
	uint64_t number;       // of the generation that is durable now; 0: none, or nothing changed
	struct arena *arena;   // of the changes
	struct reload_result result;
	struct err err;
	int64_t begun_ns;
};

static void reload_destroy(struct reload *reload) {
	snapshot_unref(reload->before);
	snapshot_unref(reload->after);
	if (reload->has_files) {
		config_files_finish(&reload->files);
	}
	problems_finish(&reload->result.problems);
	arena_destroy(reload->arena);
	free(reload->author);
	free(reload);
}

// --- in the job ---

bool reload_is_distrusted(const struct generation *known, struct err *err) {
	if (!known || (known->verdict != VERDICT_UNDONE && known->verdict != VERDICT_REJECTED)) {
		return false;
	}
	err_set(err, ERR_CONFIG,
		"the file is the one that was %s as generation %llu; annactl reload tries it again",
		verdict_name(known->verdict), (unsigned long long)known->number);
	return true;
}

static bool read_files(struct reload *reload) {
	struct anna *anna = reload->anna;
	const struct arguments *arguments = anna->arguments;
	if (reload->is_undo) {
		reload->has_files = generations_read(
			anna->generations, reload->undo_to, &reload->files, &reload->err);
		reload->files.fs = anna->services.fs;
		return reload->has_files;
	}
	reload->has_files = config_files_read(anna->services.fs, arguments->config_path,
		arguments->config_is_named, &reload->files, &reload->err);
	if (reload->has_files && reload->files.n == 0 && anna->had_files) {
		return err_set(&reload->err, ERR_CONFIG,
			"%s is gone; put it back, or an empty file in its place to run without",
			arguments->config_path ? arguments->config_path : "the configuration file");
	}
	return reload->has_files &&
		!(reload->is_unasked &&
			reload_is_distrusted(
				generations_find_hash(anna->generations, reload->files.hash),
				&reload->err));
}

static void collect_restarts(struct reload *reload) {
	struct reload_result *result = &reload->result;
	struct strings *paths = &result->restart_needed;
	paths->items = arena_array(reload->arena, result->changes.n, sizeof(*paths->items));
	for (size_t i = 0; i < result->changes.n; i++) {
		if (result->changes.items[i].needs_restart) {
			paths->items[paths->n++] = str_from(result->changes.items[i].path);
		}
	}
}

static bool parse_files(struct reload *reload) {
	struct problems *problems = &reload->result.problems;
	reload->after = snapshot_create(&reload->anna->schema, &reload->files, problems);
	problems_sort(problems);
	for (size_t i = 0; !reload->after && i < problems->n; i++) {
		const struct problem *problem = &problems->items[i];
		if (!problem->is_warning) {
			return err_set(&reload->err, ERR_CONFIG, "%zu error%s %s:%u:%u: %s",
				problems->errors, problems->errors == 1 ? ":" : "s, the first at",
				problem->file ? problem->file : "config", problem->line,
				problem->column, problem->message);
		}
	}
	return reload->after != NULL;
}

// Remembers what was refused by its hash, so that a restart does not try it again.
static void keep_rejected(struct reload *reload) {
	struct generations *generations = reload->anna->generations;
	struct generation wanted = {.author = reload->author,
		.verdict = VERDICT_REJECTED,
		.time_ns = clock_wall(reload->anna->clock)};
	struct err err = ERR_INIT;
	if (reload->is_undo || reload->is_dry_run ||
		generations_find_hash(generations, reload->files.hash)) {
		return;
	}
	if (!generations_add(generations, &reload->files, &wanted, NULL, &err)) {
		log_warn("cannot remember the refused configuration: %s", err.message);
	}
}

// In this order: a crash in between leaves the undone one distrusted, not in force.
static bool commit_undo(struct reload *reload) {
	struct anna *anna = reload->anna;
	struct err err = ERR_INIT;
	if (!generations_set_verdict(
		    anna->generations, anna->generation, VERDICT_UNDONE, &reload->err)) {
		return false;
	}
	if (generations_set_verdict(
		    anna->generations, reload->undo_to, VERDICT_ACTIVE, &reload->err)) {
		reload->number = reload->undo_to;
		return true;
	}
	if (!generations_set_verdict(anna->generations, anna->generation, VERDICT_ACTIVE, &err)) {
		log_error("generation %llu is in force and marked undone: %s",
			(unsigned long long)anna->generation, err.message);
	}
	return false;
}

// Hands the texts to the disk, which takes its time while they are checked.
static bool stage(struct reload *reload) {
	struct anna *anna = reload->anna;
	if (!reload->result.changed || reload->is_undo || reload->is_dry_run) {
		return true;
	}
	int64_t now = clock_wall(anna->clock);
	struct generation wanted = {.author = reload->author,
		.verdict = reload->confirm_ns ? VERDICT_PENDING : VERDICT_ACTIVE,
		.time_ns = now,
		.confirm_by_ns = now + reload->confirm_ns,
		.previous = anna->generation};
	reload->staged = generations_stage(
		anna->generations, &reload->files, &wanted, &reload->err);
	return reload->staged != NULL;
}

// Makes durable which generation is in force from now on.
static bool commit(struct reload *reload) {
	struct anna *anna = reload->anna;
	if (reload->is_undo) {
		return commit_undo(reload);
	}
	if (!reload->staged) {
		return true; // nothing changed
	}
	const struct generation *added;
	struct staged *staged = reload->staged;
	reload->staged = NULL;
	if (!generations_put(anna->generations, staged, &added, &reload->err)) {
		return false;
	}
	reload->number = added->number;
	return true;
}

static void prepare(void *arg) {
	struct reload *reload = arg;
	struct reload_result *result = &reload->result;
	struct clock *clock = reload->anna->clock;
	int64_t begun = clock_monotonic(clock);
	if (!read_files(reload)) {
		return;
	}
	result->changed = strcmp(snapshot_hash(reload->before), reload->files.hash) != 0;
	if (!stage(reload)) {
		return;
	}
	bool ok = parse_files(reload);
	int64_t parsed = clock_monotonic(clock);
	result->parse_us = (parsed - begun) / NS_PER_US;
	if (!ok) {
		generations_drop(reload->anna->generations, reload->staged);
		reload->staged = NULL;
		keep_rejected(reload);
		return;
	}
	snapshot_diff(reload->before, reload->after, reload->arena, &result->changes);
	collect_restarts(reload);
	result->check_us = (clock_monotonic(clock) - parsed) / NS_PER_US;
	if (!reload->is_dry_run && !commit(reload)) {
		snapshot_unref(reload->after);
		reload->after = NULL;
	}
	result->total_us = result->parse_us + result->check_us; // + apply, later
	result->commit_us = (clock_monotonic(clock) - parsed) / NS_PER_US - result->check_us;
}

// --- on the loop ---

static void publish(struct anna *anna, struct event *event) {
	struct err err = ERR_INIT;
	if (!bus_publish_reserved(anna->services.bus, event, &err)) {
		log_warn("this is not in the journal: %s", err.message);
	}
}

static void publish_rejected(struct anna *anna, const struct reload *reload) {
	struct event *event = event_create("config.rejected", "daemon", STR("config"));
	event_set_text(event, "author", reload->author);
	event_set_text(event, "hash", reload->has_files ? reload->files.hash : "");
	event_set_int(event, "errors", (int64_t)reload->result.problems.errors);
	event_set_text(event, "first", reload->err.message);
	publish(anna, event);
}

static void set_changes(struct event *event, const struct changes *changes) {
	struct arena *arena = event->arena;
	size_t n = changes->n < 50 ? changes->n : 50; // an event is a note, not a copy of the file
	struct value list = {.type = VALUE_ARRAY};
	list.array.items = arena_array(arena, n, sizeof(struct value));
	list.array.n = n;
	for (size_t i = 0; i < n; i++) {
		const struct change *change = &changes->items[i];
		struct member *members = arena_array(arena, 3, sizeof(*members));
		const char *texts[3] = {change->path, change->before, change->after};
		static const char *const keys[3] = {"path", "before", "after"};
		size_t used = 0;
		for (int k = 0; k < 3; k++) {
			if (texts[k]) {
				struct str text = str_head(str_from(texts[k]), 512);
				members[used++] = (struct member){.key = str_from(keys[k]),
					.value = value_of_string(arena_copy_str(arena, text))};
			}
		}
		list.array.items[i] = (struct value){.type = VALUE_TABLE, .table = {members, used}};
	}
	event_set_value(event, "changes", &list);
}

static void set_restarts(struct event *event, const struct strings *paths) {
	size_t n = paths->n < 50 ? paths->n : 50;
	struct value list = {.type = VALUE_ARRAY};
	list.array.items = arena_array(event->arena, n, sizeof(struct value));
	for (size_t i = 0; i < n; i++) {
		list.array.items[list.array.n++] = value_of_string(paths->items[i]);
	}
	event_set_value(event, "restart_needed", &list);
}

static void publish_changed(
	struct anna *anna, const struct reload *reload, uint64_t previous, const char *verdict) {
	struct event *event = event_create("config.changed", "daemon", STR("config"));
	event_set_text(event, "author", reload->author);
	event_set_text(event, "hash", snapshot_hash(anna->snapshot));
	event_set_text(event, "verdict", verdict);
	event_set_int(event, "previous", (int64_t)previous);
	set_changes(event, &reload->result.changes);
	set_restarts(event, &reload->result.restart_needed);
	event_set_int(event, "total_us", reload->result.total_us);
	publish(anna, event);
}

void reload_apply_log(struct anna *anna) {
	const struct daemon_config *config = snapshot_section(anna->snapshot, &daemon_section);
	static const enum log_format formats[] = {LOG_TEXT, LOG_TEXT, LOG_JSON, LOG_JOURNALD};
	enum log_format format = formats[config->log_format];
	if (config->log_format == 0 && notify_stderr_is_journal()) {
		format = LOG_JOURNALD;
	}
	log_set_level(anna->arguments->has_log_level ? anna->arguments->log_level
						     : (enum log_level)config->log_level);
	log_set_format(anna->arguments->has_log_format ? anna->arguments->log_format : format);
}

static void put_in_force(struct anna *anna, struct snapshot *snapshot) {
	struct snapshot *old = anna->snapshot;
	anna->snapshot = snapshot_ref(snapshot);
	engine_configure(anna->engine, snapshot);
	reload_apply_log(anna);
	snapshot_unref(old);
}

// Every part to the new snapshot, or every part back to the old one.
static bool apply_parts(struct reload *reload) {
	struct anna *anna = reload->anna;
	if (parts_apply(anna, reload->after, &reload->err)) {
		return true;
	}
	struct snapshot *old = anna->snapshot;
	anna->snapshot = reload->after; // what parts must be taken back from
	parts_restore(anna, old);
	anna->snapshot = old;
	reload->err.code = ERR_RELOAD;
	return false;
}

static void apply(struct reload *reload) {
	struct anna *anna = reload->anna;
	struct reload_result *result = &reload->result;
	uint64_t previous = anna->generation;
	put_in_force(anna, reload->after);
	anna->had_files = reload->files.n > 0;
	(void)snprintf(anna->config_problem, sizeof(anna->config_problem), "%s",
		reload->is_undo ? "it was undone" : "");
	result->is_pending = reload->confirm_ns > 0 && reload->number != 0;
	if (reload->number) {
		anna->generation = reload->number;
		bus_set_generation(anna->services.bus, reload->number);
	}
	int64_t now = clock_monotonic(anna->clock);
	result->apply_us += now / NS_PER_US;
	result->total_us += result->apply_us;
	histogram_record(&anna->reload_ns, now - reload->begun_ns);
	if (reload->number) {
		publish_changed(anna, reload, previous, result->is_pending ? "pending" : "active");
		log_info("generation %llu is in force (%zu change%s, by %s)",
			(unsigned long long)reload->number, result->changes.n,
			result->changes.n == 1 ? "" : "s", reload->author);
	}
}

// The end of every reload, whichever way it went.
static void conclude(struct reload *reload, bool ok) {
	struct anna *anna = reload->anna;
	bool is_real = !reload->is_dry_run;
	bool is_stopping = anna->state == ANNA_STOPPING;
	anna->reload = NULL;
	anna->generations_are_lent = false;
	if (!ok && is_real && !is_stopping) {
		log_error("the configuration was refused, generation %llu stays in force: %s",
			(unsigned long long)anna->generation, reload->err.message);
		if (!reload->is_undo) { // then the file is as much in force as before
			(void)snprintf(anna->config_problem, sizeof(anna->config_problem), "%.190s",
				reload->err.message);
		}
		publish_rejected(anna, reload);
	}
	anna->reloads += is_real ? 1 : 0;
	if (anna->state == ANNA_RELOADING) {
		lifecycle_enter(anna, ANNA_RUNNING, ok ? "reload done" : "reload refused");
	}
	reload->result.ok = ok;
	reload->result.dry_run = reload->is_dry_run;
	reload->result.generation = anna->generation;
	if (reload->on_done) {
		reload->on_done(reload->arg, &reload->result, ok ? NULL : &reload->err);
	}
	if (is_real && !is_stopping) {
		health_refresh(anna); // nobody can ask in between: the answer and the status agree
		reload_watch_confirm(anna);
		anna->state_is_stale = true;
	}
	reload_destroy(reload);
	if (anna->reload_is_wanted && !anna->generations_are_lent && anna->state == ANNA_RUNNING) {
		anna->reload_is_wanted = false;
		daemon_reload(anna, "SIGHUP");
	}
}

// In a job: a part refused what was durable already, so the generations must say what is in force.
static void revert(void *arg) {
	struct reload *reload = arg;
	struct anna *anna = reload->anna;
	struct err err = ERR_INIT;
	enum verdict verdict = reload->is_undo ? VERDICT_GOOD : VERDICT_REJECTED;
	if (!generations_set_verdict(anna->generations, reload->number, verdict, &err) ||
		!generations_set_verdict(
			anna->generations, anna->generation, VERDICT_ACTIVE, &err)) {
		log_error("generation %llu was refused and is still marked as in force: %s",
			(unsigned long long)reload->number, err.message);
	}
}

static void on_reverted(void *arg) {
	conclude(arg, false);
}

static void on_prepared(void *arg) {
	struct reload *reload = arg;
	struct anna *anna = reload->anna;
	if (anna->state == ANNA_STOPPING) {
		err_set(&reload->err, ERR_UNAVAILABLE,
			"Anna is stopping: a configuration that was valid is used at the next "
			"start");
		conclude(reload, false);
		return;
	}
	if (!reload->after || reload->is_dry_run) {
		conclude(reload, reload->after != NULL);
		return;
	}
	reload->result.apply_us = -(clock_monotonic(anna->clock) / NS_PER_US);
	if (apply_parts(reload)) {
		apply(reload);
		conclude(reload, true);
	} else if (!reload->number || !jobs_run(anna->services.jobs, revert, on_reverted, reload)) {
		conclude(reload, false);
	}
}

static struct reload *reload_create(struct anna *anna, const char *author) {
	struct reload *reload = xcalloc(1, sizeof(*reload));
	reload->anna = anna;
	reload->author = xstrdup(author);
	reload->arena = arena_create();
	reload->before = snapshot_ref(anna->snapshot);
	reload->begun_ns = clock_monotonic(anna->clock);
	return reload;
}

static bool may_begin(const struct anna *anna, struct err *err) {
	if (anna->generations_are_lent) {
		return err_set(err, ERR_BUSY, "a reload is under way already: try again");
	}
	if (anna->state != ANNA_RUNNING) {
		return err_set(err, ERR_UNAVAILABLE, "Anna is %s: try again when she is running",
			anna_state_name(anna->state));
	}
	return true;
}

// A run keeps the configuration that began it. Three of the largest are what there is room for; an undo
// is let through, as what may be needed most.
static bool has_room(const struct anna *anna, struct err *err) {
	size_t most = vitals_config_memory(anna);
	size_t held = snapshot_bytes();
	return !most || held <= 2 * most ||
		err_set(err, ERR_BUSY,
			"runs that go on still need earlier configurations, %.1f MB in all: "
			"try again when they have ended",
			(double)held / 1e6);
}

static bool begin(struct reload *reload, struct err *err) {
	struct anna *anna = reload->anna;
	atomic_store(&anna->schema.memory_max, vitals_config_memory(anna));
	if (!jobs_run(anna->services.jobs, prepare, on_prepared, reload)) {
		reload_destroy(reload);
		return err_set(err, ERR_BUSY, "all job threads are busy: try again");
	}
	anna->reload = reload;
	anna->generations_are_lent = true;
	if (!reload->is_dry_run) {
		lifecycle_enter(anna, ANNA_RELOADING, reload->author);
	}
	return true;
}

bool anna_reload(struct anna *anna, const char *author, bool is_dry_run, int64_t confirm_ns,
	void (*on_done)(void *arg, const struct reload_result *result, const struct err *err),
	void *arg, struct err *err) {
	if (!may_begin(anna, err) || !has_room(anna, err)) {
		return false;
	}
	struct reload *reload = reload_create(anna, author);
	reload->is_dry_run = is_dry_run;
	reload->confirm_ns = confirm_ns;
	reload->on_done = on_done;
	reload->arg = arg;
	return begin(reload, err);
}

bool anna_reload_changed(struct anna *anna, const char *author,
	void (*on_done)(void *arg, const struct reload_result *result, const struct err *err),
	void *arg, struct err *err) {
	if (!may_begin(anna, err) || !has_room(anna, err)) {
		return false;
	}
	struct reload *reload = reload_create(anna, author);
	reload->is_unasked = true;
	reload->on_done = on_done;
	reload->arg = arg;
	return begin(reload, err);
}

// The newest one before the active that was ever good; 0 when there is none.
static uint64_t generation_before(const struct anna *anna) {
	for (size_t i = generations_count(anna->generations); i > 0; i--) {
		const struct generation *generation = generations_get(anna->generations, i - 1);
		if (generation->number < anna->generation &&
			(generation->verdict == VERDICT_GOOD ||
				generation->verdict == VERDICT_ACTIVE)) {
			return generation->number;
		}
	}
	return 0;
}

bool anna_undo(struct anna *anna, uint64_t generation, const char *author,
	void (*on_done)(void *arg, const struct reload_result *result, const struct err *err),
	void *arg, struct err *err) {
	if (!may_begin(anna, err)) {
		return false;
	}
	uint64_t to = generation ? generation : generation_before(anna);
	if (!to || to == anna->generation) {
		return to ? err_set(err, ERR_INVALID, "generation %llu is in force already",
				    (unsigned long long)to)
			  : err_set(err, ERR_NOT_FOUND,
				    "there is no generation before %llu to go back to",
				    (unsigned long long)anna->generation);
	}
	const struct generation *target = generations_find(anna->generations, to);
	if (!target || target->verdict == VERDICT_REJECTED) {
		return err_set(err, target ? ERR_INVALID : ERR_NOT_FOUND,
			target ? "generation %llu was refused when it came; it cannot be activated"
			       : "there is no generation %llu: annactl config history lists them",
			(unsigned long long)to);
	}
	struct reload *reload = reload_create(anna, "");
	free(reload->author);
	reload->author = xasprintf(
		"%s: undo of %llu", author, (unsigned long long)anna->generation);
	reload->is_undo = true;
	reload->undo_to = to;
	reload->on_done = on_done;
	reload->arg = arg;
	return begin(reload, err);
}

void daemon_reload(struct anna *anna, const char *author) {
	struct err err = ERR_INIT;
	if (anna->generations_are_lent || anna->state == ANNA_STARTING) {
		anna->reload_is_wanted = true; // any number of them is one
		return;
	}
	if (!anna_reload(anna, author, false, 0, NULL, NULL, &err)) {
		log_warn("no reload: %s", err.message);
	}
}
