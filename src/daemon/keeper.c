// SPDX-License-Identifier: Apache-2.0
// What survives a restart beside journal and generations: counters and the last errors, in the
// state file. Errors are observed where they are logged, from any thread.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "io/worker.h"
#include "store/state.h"

#define LOG_FOLDER "daemon"
#define ERRORS_KEPT 10

// The log is the process's, so what was observed of it is too. Any thread logs: hence a lock here, the
// one outside io/ and the log itself, never held while anything else is called.
static struct {
	pthread_mutex_t lock;
	struct clock *clock;
	struct last_error items[ERRORS_KEPT]; // a ring
	size_t next;
	uint64_t count;
} errors = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void add_error(int64_t time_ns, const char *folder, const char *message) {
	struct last_error *slot = &errors.items[errors.next++ % ERRORS_KEPT];
	slot->time_ns = time_ns;
	(void)snprintf(slot->folder, sizeof(slot->folder), "%s", folder);
	(void)snprintf(slot->message, sizeof(slot->message), "%s", message);
}

static void on_log(enum log_level level, const char *folder, const char *message) {
	if (level == LOG_ERROR) {
		pthread_mutex_lock(&errors.lock);
		errors.count++;
		add_error(clock_wall(errors.clock), folder, message);
		pthread_mutex_unlock(&errors.lock);
	}
}

void keeper_observe(struct anna *anna) {
	pthread_mutex_lock(&errors.lock);
	errors.clock = anna->clock;
	errors.next = 0;
	errors.count = 0;
	pthread_mutex_unlock(&errors.lock);
	log_set_observer(on_log);
}

uint64_t anna_error_count(const struct anna *anna) {
	pthread_mutex_lock(&errors.lock);
	uint64_t count = errors.count;
	pthread_mutex_unlock(&errors.lock);
	return anna->before.errors + count;
}

size_t anna_last_errors(const struct anna *anna, struct last_error *out, size_t n) {
	(void)anna;
	pthread_mutex_lock(&errors.lock);
	size_t kept = errors.next < ERRORS_KEPT ? errors.next : ERRORS_KEPT;
	n = n < kept ? n : kept;
	for (size_t i = 0; i < n; i++) {
		out[i] = errors.items[(errors.next - 1 - i) % ERRORS_KEPT];
	}
	pthread_mutex_unlock(&errors.lock);
	return n;
}

uint64_t anna_events_processed(const struct anna *anna) {
	struct bus_stats stats;
	bus_get_stats(anna->services.bus, &stats);
	return anna->before.events + stats.durable;
}

uint64_t anna_reload_count(const struct anna *anna) {
	return anna->before.reloads + anna->reloads;
}

static void format_state(struct anna *anna, bool is_clean, struct buf *out) {
	struct json_writer writer;
	struct last_error last[ERRORS_KEPT];
	size_t n = anna_last_errors(anna, last, ERRORS_KEPT);
	json_writer_init(&writer, out);
	json_begin_object(&writer);
	json_member_bool(&writer, "clean", is_clean);
	json_member_time(&writer, "saved", clock_wall(anna->clock));
	json_member_uint(&writer, "generation", anna->generation);
	json_member_uint(&writer, "events", anna_events_processed(anna));
	json_member_uint(&writer, "errors", anna_error_count(anna));
	json_member_uint(&writer, "reloads", anna_reload_count(anna));
	json_member_uint(&writer, "starts", anna->before.starts + 1);
	json_key(&writer, "last_errors"); // oldest first: they are added again in this order
	json_begin_array(&writer);
	for (size_t i = n; i > 0; i--) {
		json_begin_object(&writer);
		json_member_time(&writer, "time", last[i - 1].time_ns);
		json_member_text(&writer, "folder", last[i - 1].folder);
		json_member_text(&writer, "message", last[i - 1].message);
		json_end_object(&writer);
	}
	json_end_array(&writer);
	json_end_object(&writer);
}

static uint64_t number(const struct value *state, const char *key) {
	const struct value *value = value_get(state, str_from(key));
	return value && value->type == VALUE_INT && value->integer > 0 ? (uint64_t)value->integer
								       : 0;
}

static void load_errors(const struct value *list) {
	if (!list || list->type != VALUE_ARRAY) {
		return;
	}
	for (size_t i = 0; i < list->array.n && i < ERRORS_KEPT; i++) {
		const struct value *item = &list->array.items[i];
		const struct value *time = value_get(item, STR("time"));
		const struct value *folder = value_get(item, STR("folder"));
		const struct value *message = value_get(item, STR("message"));
		int64_t time_ns;
		if (time && folder && message && time->type == VALUE_STRING &&
			folder->type == VALUE_STRING && message->type == VALUE_STRING &&
			time_parse(time->string, &time_ns)) {
			_cleanup_(freep) char *f = xstrndup(folder->string.at, folder->string.len);
			_cleanup_(freep) char *m = xstrndup(
				message->string.at, message->string.len);
			add_error(time_ns, f, m);
		}
	}
}

void keeper_load(struct anna *anna) {
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	enum state_source source = state_load(
		anna->services.fs, anna->arguments->state_folder, &text, &err);
	if (err.code != ERR_NONE) {
		log_warn("the state file is damaged (%s): %s", err.message,
			source == STATE_PREVIOUS ? "using the one before" : "counters begin anew");
	}
	if (source != STATE_NONE) {
		struct arena *arena = arena_create();
		const struct value *state = json_parse(arena, buf_str(&text), JSON_DEPTH, NULL);
		anna->before = (struct counters){number(state, "events"), number(state, "errors"),
			number(state, "reloads"), number(state, "starts")};
		load_errors(value_get(state, STR("last_errors")));
		arena_destroy(arena);
	}
	buf_finish(&text);
}

bool keeper_save_now(struct anna *anna, bool is_clean, struct err *err) {
	struct buf text = BUF_INIT;
	format_state(anna, is_clean, &text);
	bool ok = state_save(anna->services.fs, anna->arguments->state_folder, buf_str(&text), err);
	buf_finish(&text);
	return ok;
}

struct save {
	struct anna *anna;
	struct buf text;
	struct err err;
	bool ok;
};

static void run_save(void *arg) {
	struct save *save = arg;
	save->ok = state_save(save->anna->services.fs, save->anna->arguments->state_folder,
		buf_str(&save->text), &save->err);
}

static void on_saved(void *arg) {
	struct save *save = arg;
	save->anna->state_is_saving = false;
	if (!save->ok) {
		log_warn("the state file could not be written: %s; trying again in 30 s",
			save->err.message);
	}
	buf_finish(&save->text);
	free(save);
}

void keeper_save_later(struct anna *anna) {
	if (anna->state_is_saving) {
		return;
	}
	struct save *save = xcalloc(1, sizeof(*save));
	save->anna = anna;
	format_state(anna, false, &save->text);
	if (!jobs_run(anna->services.jobs, run_save, on_saved, save)) {
		buf_finish(&save->text);
		free(save); // the next round tries again
		return;
	}
	anna->state_is_saving = true;
	anna->state_is_stale = false;
	anna->state_saved_ns = clock_monotonic(anna->clock);
}
