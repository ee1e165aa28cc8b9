// SPDX-License-Identifier: Apache-2.0
// Which configuration a start begins with: the files, unless they are invalid or were undone or
// refused before; then the last good generation, said loudly. No loop runs yet: all may block.
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/reload.h"

#define LOG_FOLDER "config"

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

static bool use_files(
	struct anna *anna, struct config_files *files, struct problems *problems, struct err *err) {
	anna->snapshot = snapshot_create(&anna->schema, files, problems);
	if (!anna->snapshot) {
		return err_set(err, ERR_CONFIG, "the configuration has %zu error%s",
			problems->errors, problems->errors == 1 ? "" : "s");
	}
	const struct generation *active = generations_active(
		anna->generations, clock_wall(anna->clock));
	if (active && strcmp(active->hash, files->hash) == 0) {
		anna->generation = active->number;
		return true;
	}
	struct generation wanted = {
		.author = "start", .verdict = VERDICT_ACTIVE, .time_ns = clock_wall(anna->clock)};
	const struct generation *added;
	if (!generations_add(anna->generations, files, &wanted, &added, err)) {
		snapshot_unref(anna->snapshot);
		anna->snapshot = NULL;
		return false;
	}
	anna->generation = added->number;
	return true;
}

// A generation that waited for a confirmation when its time ran out is undone now.
static void undo_unconfirmed(struct anna *anna) {
	int64_t now = clock_wall(anna->clock);
	for (size_t i = generations_count(anna->generations); i > 0; i--) {
		const struct generation *item = generations_get(anna->generations, i - 1);
		uint64_t number = item->number, previous = item->previous;
		struct err err = ERR_INIT;
		if (item->verdict != VERDICT_PENDING || item->confirm_by_ns > now) {
			continue;
		}
		log_warn("generation %llu was not confirmed in time: going back to %llu",
			(unsigned long long)number, (unsigned long long)previous);
		if (!generations_set_verdict(anna->generations, number, VERDICT_UNDONE, &err) ||
			!generations_set_verdict(
				anna->generations, previous, VERDICT_ACTIVE, &err)) {
			log_error("generation %llu could not be marked undone: %s",
				(unsigned long long)number, err.message);
		}
		return; // there is at most one
	}
}

// What ran last may have been written by a newer annad and be nonsense to this one, which came back
// after an upgrade that failed: then the newest that still loads, which is the last of its own.
static bool use_last_that_loads(struct anna *anna, struct err *err) {
	struct err ignored = ERR_INIT;
	for (size_t i = generations_count(anna->generations); i > 0; i--) {
		const struct generation *item = generations_get(anna->generations, i - 1);
		struct problems unseen = PROBLEMS_INIT;
		bool was_good = item->verdict == VERDICT_ACTIVE || item->verdict == VERDICT_GOOD;
		bool ok = was_good && use_generation(anna, item, &unseen, &ignored);
		problems_finish(&unseen);
		if (ok) {
			uint64_t number = item->number;
			if (!generations_set_verdict(
				    anna->generations, number, VERDICT_ACTIVE, &ignored)) {
				log_warn("generation %llu runs, but could not be marked so: %s",
					(unsigned long long)number, ignored.message);
			}
			return true;
		}
		if (was_good) {
			log_warn("generation %llu, written by annad %s, does not load here: %s",
				(unsigned long long)item->number,
				item->writer[0] ? item->writer : "(it does not say which)",
				ignored.message);
		}
	}
	return err_set(err, ERR_CONFIG, "no configuration generation loads any more");
}

bool reload_at_start(struct anna *anna, struct problems *problems, struct err *err) {
	struct config_files files = {0};
	struct err why = ERR_INIT;
	vitals_read_now(anna);
	atomic_store(&anna->schema.memory_max, vitals_config_memory(anna));
	undo_unconfirmed(anna);
	bool has_files = config_files_read(anna->services.fs, anna->arguments->config_path,
		anna->arguments->config_is_named, &files, &why);
	const struct generation *last = generations_active(
		anna->generations, clock_wall(anna->clock));
	const struct generation *known = has_files
		? generations_find_hash(anna->generations, files.hash)
		: NULL;
	bool ok = false;
	if (has_files && (!last || !reload_is_distrusted(known, &why))) {
		ok = use_files(anna, &files, problems, &why);
	}
	anna->had_files = has_files && files.n > 0;
	if (has_files) {
		config_files_finish(&files);
	}
	if (ok) {
		return true;
	}
	struct err older = ERR_INIT;
	struct problems unseen = PROBLEMS_INIT;
	if (last &&
		(use_generation(anna, last, &unseen, &older) ||
			use_last_that_loads(anna, &older))) {
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
