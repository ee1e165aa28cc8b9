// SPDX-License-Identifier: Apache-2.0
// From one configuration to the next: read, parse, check and compare in a job; apply on the loop;
// make the generation durable; only then answer. Whatever fails, the old configuration is in force
// as a whole and the state is the one before.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/notify.h"
#include "io/worker.h"

#define LOG_FOLDER "config"

struct reload {
	struct anna *anna;
	char *author;
	bool is_dry_run;
	bool is_unasked; // a change noticed on disk: what was undone or refused is left alone
	bool is_undo;
	uint64_t undo_to; // generation
	int64_t confirm_ns;
	void (*on_done)(void *arg, const struct reload_result *result, const struct err *err);
	void *arg;
	// The job's:
	struct snapshot *before; // a reference
	struct snapshot *after;
	struct config_files files;
	bool has_files;
	struct arena *arena; // of the changes
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

static bool read_files(struct reload *reload) {
	struct anna *anna = reload->anna;
	const struct arguments *arguments = anna->arguments;
	if (reload->is_undo) {
		return reload->has_files; // read on the loop: generations belong to it
	}
	reload->has_files = config_files_read(anna->services.fs, arguments->config_path,
		arguments->config_is_named, &reload->files, &reload->err);
	return reload->has_files;
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

// On a job thread: everything that needs no more than the files and the snapshot before.
static void prepare(void *arg) {
	struct reload *reload = arg;
	struct anna *anna = reload->anna;
	struct reload_result *result = &reload->result;
	int64_t begun = clock_monotonic(anna->clock);
	if (!read_files(reload)) {
		return;
	}
	int64_t read_done = clock_monotonic(anna->clock);
	reload->after = snapshot_create(&anna->schema, &reload->files, &result->problems);
	int64_t parsed = clock_monotonic(anna->clock);
	result->parse_us = (read_done - begun) / NS_PER_US;
	if (!reload->after) {
		problems_sort(&result->problems);
		const struct problem *first = &result->problems.items[0];
		err_set(&reload->err, ERR_CONFIG, "%zu error%s, the first: %s:%u:%u: %s",
			result->problems.errors, result->problems.errors == 1 ? "" : "s",
			first->file ? first->file : "config", first->line, first->column,
			first->message);
		return;
	}
	snapshot_diff(reload->before, reload->after, reload->arena, &result->changes);
	collect_restarts(reload);
	result->check_us = (clock_monotonic(anna->clock) - parsed) / NS_PER_US;
	result->parse_us = (parsed - begun) / NS_PER_US;
	result->changed = strcmp(snapshot_hash(reload->before), reload->files.hash) != 0;
}

static void publish_rejected(struct anna *anna, const struct reload *reload) {
	struct event *event = event_create("config.rejected", "daemon", STR("config"));
	event_set_text(event, "author", reload->author);
	event_set_text(event, "hash", reload->has_files ? reload->files.hash : "");
	event_set_int(event, "errors", (int64_t)reload->result.problems.errors);
	event_set_text(event, "first", reload->err.message);
	struct err err = ERR_INIT;
	if (!bus_publish_reserved(anna->services.bus, event, &err)) {
		log_warn("the refusal is not in the journal: %s", err.message);
	}
}

// Remembers the hash of what was refused, so that a restart does not try it again.
static void keep_rejected(struct anna *anna, const struct reload *reload) {
	struct generation wanted = {.author = reload->author, .verdict = VERDICT_REJECTED};
	if (!reload->has_files || reload->is_undo ||
		generations_find_hash(anna->generations, reload->files.hash)) {
		return;
	}
	struct err err = ERR_INIT;
	wanted.time_ns = clock_wall(anna->clock);
	if (!generations_add(anna->generations, &reload->files, &wanted, NULL, &err)) {
		log_warn("cannot remember the refused configuration: %s", err.message);
	}
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
		list.array.items[i] =
			(struct value){.type = VALUE_TABLE, .table = {members, used}};
	}
	event_set_value(event, "changes", &list);
}

static void publish_changed(
	struct anna *anna, const struct reload *reload, uint64_t previous, const char *verdict) {
	struct event *event = event_create("config.changed", "daemon", STR("config"));
	event_set_text(event, "author", reload->author);
	event_set_text(event, "hash", snapshot_hash(anna->snapshot));
	event_set_text(event, "verdict", verdict);
	event_set_int(event, "previous", (int64_t)previous);
	set_changes(event, &reload->result.changes);
	event_set_int(event, "total_us", reload->result.total_us);
	struct err err = ERR_INIT;
	if (!bus_publish_reserved(anna->services.bus, event, &err)) {
		log_warn("the change is not in the journal: %s", err.message);
	}
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
	struct err err = ERR_INIT;
	struct snapshot *old = snapshot_ref(anna->snapshot);
	snapshot_unref(anna->snapshot);
	anna->snapshot = snapshot_ref(reload->after); // what parts must be taken back from
	if (!parts_apply(anna, old, &err)) {
		log_error("a part did not come back after a refused reload: %s", err.message);
	}
	snapshot_unref(anna->snapshot);
	anna->snapshot = old;
	return false;
}

// The generation of what was applied, durable. For an undo: verdicts of both.
static bool commit(struct reload *reload, uint64_t *out_number) {
	struct anna *anna = reload->anna;
	uint64_t from = anna->generation;
	if (reload->is_undo) {
		// In this order: a crash in between leaves the undone one distrusted, not in force.
		if (!generations_set_verdict(
			    anna->generations, from, VERDICT_UNDONE, &reload->err)) {
			return false;
		}
		if (!generations_set_verdict(
			    anna->generations, reload->undo_to, VERDICT_ACTIVE, &reload->err)) {
			if (!generations_set_verdict(
				    anna->generations, from, VERDICT_ACTIVE, NULL)) {
				log_error("generation %llu is in force and marked undone",
					(unsigned long long)from);
			}
			return false;
		}
		*out_number = reload->undo_to;
		return true;
	}
	if (!reload->result.changed) {
		*out_number = from;
		return true;
	}
	const struct generation *added;
	struct generation wanted = {.author = reload->author,
		.verdict = reload->confirm_ns ? VERDICT_PENDING : VERDICT_ACTIVE,
		.time_ns = clock_wall(anna->clock),
		.confirm_by_ns = clock_wall(anna->clock) + reload->confirm_ns,
		.previous = from};
	if (!generations_add(anna->generations, &reload->files, &wanted, &added, &reload->err)) {
		return false;
	}
	*out_number = added->number;
	return true;
}

static bool apply(struct reload *reload) {
	struct anna *anna = reload->anna;
	uint64_t number = anna->generation, previous = anna->generation;
	struct snapshot *old = snapshot_ref(anna->snapshot);
	int64_t begun = clock_monotonic(anna->clock);
	if (!apply_parts(reload)) {
		snapshot_unref(old);
		reload->err.code = ERR_RELOAD;
		return false;
	}
	put_in_force(anna, reload->after);
	if (!commit(reload, &number)) { // not durable: nobody may believe in it
		struct err err = ERR_INIT;
		if (!parts_apply(anna, old, &err)) {
			log_error("a part did not come back after a refused reload: %s", err.message);
		}
		put_in_force(anna, old);
		snapshot_unref(old);
		return false;
	}
	snapshot_unref(old);
	anna->generation = number;
	anna->config_problem[0] = '\0';
	bus_set_generation(anna->services.bus, number);
	int64_t end = clock_monotonic(anna->clock);
	reload->result.apply_us = (end - begun) / NS_PER_US;
	reload->result.total_us =
		reload->result.parse_us + reload->result.check_us + reload->result.apply_us;
	histogram_record(&anna->reload_ns, end - reload->begun_ns);
	reload->result.generation = number;
	reload->result.is_pending = reload->confirm_ns > 0 && number != previous;
	if (number != previous) {
		publish_changed(anna, reload, previous,
			reload->result.is_pending ? "pending" : "active");
		log_info("generation %llu is in force (%zu changes, by %s)",
			(unsigned long long)number, reload->result.changes.n, reload->author);
	}
	reload_watch_confirm(anna);
	return true;
}

static bool is_distrusted(const struct generation *known) {
	return known && (known->verdict == VERDICT_UNDONE || known->verdict == VERDICT_REJECTED);
}

static bool is_left_alone(struct reload *reload) {
	struct anna *anna = reload->anna;
	if (!reload->is_unasked || !reload->has_files) {
		return false;
	}
	const struct generation *known =
		generations_find_hash(anna->generations, reload->files.hash);
	if (!is_distrusted(known)) {
		return false;
	}
	err_set(&reload->err, ERR_RELOAD,
		"the file is the one that was %s as generation %llu; annactl reload tries it again",
		verdict_name(known->verdict), (unsigned long long)known->number);
	return true;
}

// Back on the loop. The state may be stopping by now: then the result is dropped.
static void conclude(void *arg) {
	struct reload *reload = arg;
	struct anna *anna = reload->anna;
	bool is_real = !reload->is_dry_run;
	bool is_stopping = anna->state == ANNA_STOPPING;
	bool ok = reload->after != NULL && !is_stopping;
	if (is_stopping) {
		err_set(&reload->err, ERR_UNAVAILABLE, "Anna is stopping; nothing was changed");
	} else if (is_left_alone(reload)) {
		ok = false;
	} else if (ok && is_real) {
		ok = apply(reload);
	}
	if (!ok && is_real && !is_stopping) {
		log_error("the configuration was refused, generation %llu stays in force: %s",
			(unsigned long long)anna->generation, reload->err.message);
		(void)snprintf(anna->config_problem, sizeof(anna->config_problem), "%.190s",
			reload->err.message);
		keep_rejected(anna, reload);
		publish_rejected(anna, reload);
	}
	anna->reload = NULL;
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
		keeper_save_later(anna);
	}
	reload_destroy(reload);
	if (anna->reload_is_wanted && !anna->reload && anna->state == ANNA_RUNNING) {
		anna->reload_is_wanted = false;
		daemon_reload(anna, "SIGHUP");
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
	if (anna->reload) {
		return err_set(err, ERR_BUSY, "a reload is under way already: try again");
	}
	if (anna->state != ANNA_RUNNING) {
		return err_set(err, ERR_UNAVAILABLE, "Anna is %s: try again when she is running",
			anna_state_name(anna->state));
	}
	return true;
}

static bool begin(struct reload *reload, struct err *err) {
	struct anna *anna = reload->anna;
	if (!jobs_run(anna->services.jobs, prepare, conclude, reload)) {
		reload_destroy(reload);
		return err_set(err, ERR_BUSY, "all job threads are busy: try again");
	}
	anna->reload = reload;
	if (!reload->is_dry_run) {
		lifecycle_enter(anna, ANNA_RELOADING, reload->author);
	}
	return true;
}

bool anna_reload(struct anna *anna, const char *author, bool is_dry_run, int64_t confirm_ns,
	void (*on_done)(void *arg, const struct reload_result *result, const struct err *err),
	void *arg, struct err *err) {
	if (!may_begin(anna, err)) {
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
	if (!may_begin(anna, err)) {
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
	reload->has_files = generations_read(anna->generations, to, &reload->files, err);
	if (!reload->has_files) {
		reload_destroy(reload);
		return false;
	}
	reload->files.fs = anna->services.fs;
	return begin(reload, err);
}

void daemon_reload(struct anna *anna, const char *author) {
	struct err err = ERR_INIT;
	if (anna->reload || anna->state == ANNA_STARTING) {
		anna->reload_is_wanted = true; // any number of them is one
		return;
	}
	if (!anna_reload(anna, author, false, 0, NULL, NULL, &err)) {
		log_warn("no reload: %s", err.message);
	}
}

// --- confirmation ---

bool anna_confirm(struct anna *anna, struct err *err) {
	const struct generation *active = generations_find(anna->generations, anna->generation);
	if (!active || active->verdict != VERDICT_PENDING) {
		return err_set(err, ERR_INVALID, "generation %llu does not wait for a confirmation",
			(unsigned long long)anna->generation);
	}
	if (!generations_set_verdict(anna->generations, anna->generation, VERDICT_ACTIVE, err)) {
		return false;
	}
	timer_stop(&anna->confirm);
	struct event *event = event_create("config.confirmed", "daemon", STR("config"));
	event_set_text(event, "author", "rpc");
	struct err why = ERR_INIT;
	if (!bus_publish_reserved(anna->services.bus, event, &why)) {
		log_warn("the confirmation is not in the journal: %s", why.message);
	}
	return true;
}

static void on_confirm_due(void *arg) {
	struct anna *anna = arg;
	struct err err = ERR_INIT;
	const struct generation *active = generations_find(anna->generations, anna->generation);
	if (!active || active->verdict != VERDICT_PENDING) {
		return;
	}
	log_warn("generation %llu was not confirmed in time: going back to %llu",
		(unsigned long long)active->number, (unsigned long long)active->previous);
	if (!anna_undo(anna, active->previous, "not confirmed", NULL, NULL, &err)) {
		log_error("cannot go back yet: %s; trying again in 1 s", err.message);
		timer_start(&anna->confirm, anna->services.loop, NS_PER_SECOND, on_confirm_due, anna);
	}
}

void reload_watch_confirm(struct anna *anna) {
	const struct generation *active = generations_find(anna->generations, anna->generation);
	timer_stop(&anna->confirm);
	if (active && active->verdict == VERDICT_PENDING) {
		int64_t left = active->confirm_by_ns - clock_wall(anna->clock);
		timer_start(&anna->confirm, anna->services.loop, left > 0 ? left : 0,
			on_confirm_due, anna);
	}
}

void reload_cancel(struct anna *anna) {
	timer_stop(&anna->confirm); // a job under way drops its result when it sees `stopping`
}

// --- at start: no loop runs yet, so all of it may block ---

static bool use_generation(struct anna *anna, const struct generation *generation,
	struct problems *problems, struct err *err) {
	struct config_files files;
	if (!generations_read(anna->generations, generation->number, &files, err)) {
		return false;
	}
	files.fs = anna->services.fs;
	anna->snapshot = snapshot_create(&anna->schema, &files, problems);
	config_files_finish(&files);
	if (!anna->snapshot) {
		return err_set(err, ERR_CONFIG, "generation %llu does not load any more",
			(unsigned long long)generation->number);
	}
	anna->generation = generation->number;
	return true;
}

static bool use_files(struct anna *anna, struct config_files *files, struct problems *problems,
	struct err *err) {
	anna->snapshot = snapshot_create(&anna->schema, files, problems);
	if (!anna->snapshot) {
		return err_set(err, ERR_CONFIG, "the configuration has %zu error%s",
			problems->errors, problems->errors == 1 ? "" : "s");
	}
	const struct generation *active =
		generations_active(anna->generations, clock_wall(anna->clock));
	if (active && strcmp(active->hash, files->hash) == 0) {
		anna->generation = active->number;
		return true;
	}
	struct generation wanted = {.author = "start",
		.verdict = VERDICT_ACTIVE,
		.time_ns = clock_wall(anna->clock)};
	const struct generation *added;
	if (!generations_add(anna->generations, files, &wanted, &added, err)) {
		snapshot_unref(anna->snapshot);
		anna->snapshot = NULL;
		return false;
	}
	anna->generation = added->number;
	return true;
}

bool reload_at_start(struct anna *anna, struct problems *problems, struct err *err) {
	struct config_files files = {0};
	struct err why = ERR_INIT;
	bool has_files = config_files_read(anna->services.fs, anna->arguments->config_path,
		anna->arguments->config_is_named, &files, &why);
	const struct generation *last =
		generations_active(anna->generations, clock_wall(anna->clock));
	const struct generation *known =
		has_files ? generations_find_hash(anna->generations, files.hash) : NULL;
	bool ok = false;
	if (has_files && (!is_distrusted(known) || !last)) {
		ok = use_files(anna, &files, problems, &why);
	} else if (has_files) {
		err_set(&why, ERR_CONFIG,
			"the file is the one that was %s as generation %llu; annactl reload tries "
			"it again",
			verdict_name(known->verdict), (unsigned long long)known->number);
	}
	if (has_files) {
		config_files_finish(&files);
	}
	if (ok) {
		return true;
	}
	struct err older = ERR_INIT;
	struct problems unseen = PROBLEMS_INIT;
	if (last && use_generation(anna, last, &unseen, &older)) {
		(void)snprintf(
			anna->config_problem, sizeof(anna->config_problem), "%.190s", why.message);
		log_error("the configuration is not in force: %s; running with generation %llu, "
			  "the last good one",
			why.message, (unsigned long long)anna->generation);
		problems_finish(&unseen);
		return true;
	}
	problems_finish(&unseen);
	*err = why;
	return false;
}
