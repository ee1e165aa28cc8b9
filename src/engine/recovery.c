// SPDX-License-Identifier: Apache-2.0
// The cursor, and catching up from the journal: after a restart, and after a time in which more
// waited than memory is given for. Invariant: the cursor is below every event whose assured runs
// are not all finished, so whatever happens in between, reading on from it loses nothing.
#include "engine/lane.h"

#include "base/alloc.h"
#include "base/log.h"
#include "io/worker.h"
#include "store/reader.h"

#define LOG_FOLDER "engine"
#define CURSOR_KEY "engine.cursor"
#define CURSOR_EVERY_NS NS_PER_SECOND
#define CHUNK 256	   // events read by one job
#define EVENTS_PER_TURN 32 // of them looked at before others get their turn
#define BUSY_RETRY_NS (100 * NS_PER_MS)
#define FAILED_RETRY_NS (5 * NS_PER_SECOND)

// One read of the journal: first on a job's thread, where it owns all it needs, then on the loop.
struct catch_up {
	struct engine *engine; // NULL: gone meanwhile
	struct fs *fs;
	char *folder;
	bool is_first;
	bool is_reading; // on the job's thread
	bool has_damage; // in the stream that holds the cursor
	bool has_cursor;
	uint64_t cursor;
	uint64_t after, before;
	struct event *events[CHUNK];
	size_t n, next;
	uint64_t reached; // everything up to here was read
	struct map past;
	struct arena *past_arena;
	bool failed;
	struct err err;
};

// --- the cursor ---

uint64_t engine_cursor(const struct engine *engine) {
	if (list_is_empty(&engine->obligations)) {
		return engine->dispatched_id;
	}
	return list_item(engine->obligations.next, struct obligation, node)->id - 1;
}

static void on_cursor_due(void *arg) {
	cursor_save(arg);
}

void cursor_changed(struct engine *engine) {
	if (!timer_is_set(&engine->cursor_timer)) {
		timer_start(&engine->cursor_timer, engine->services->loop, CURSOR_EVERY_NS,
			on_cursor_due, engine);
	}
}

void cursor_save(struct engine *engine) {
	uint64_t cursor = engine_cursor(engine);
	char text[24];
	if (engine->needs_scan || cursor == engine->saved_cursor) {
		return;
	}
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)cursor);
	if (bus_keep_state(engine->services->bus, CURSOR_KEY, str_range(text, (size_t)n), NULL)) {
		engine->saved_cursor = cursor;
	} else {
		cursor_changed(engine); // later: a stale cursor only means more to read
	}
}

void obligation_release(struct engine *engine, struct obligation *obligation) {
	if (--obligation->pending == 0) {
		list_remove(&obligation->node);
		free(obligation);
		cursor_changed(engine);
	}
}

// --- what was done before ---

struct past_run *past_find(struct engine *engine, uint64_t event_id, struct str mapping) {
	char key[160];
	if (map_count(&engine->past) == 0) {
		return NULL;
	}
	int n = snprintf(
		key, sizeof(key), "%llu:%" STR_FMT, (unsigned long long)event_id, STR_ARG(mapping));
	return map_get(&engine->past, str_range(key, (size_t)n));
}

void past_clear(struct engine *engine) {
	map_finish(&engine->past);
	engine->past = (struct map)MAP_INIT;
	arena_destroy(take_ptr(engine->past_arena));
}

// --- on the job's thread ---

static bool read_cursor(struct catch_up *catch_up) {
	struct reader_query query = {.backward = true, .stream = "state"};
	struct reader *reader = reader_open(catch_up->fs, catch_up->folder, &query, &catch_up->err);
	struct str prefix = str_range(CURSOR_KEY, sizeof(CURSOR_KEY)); // with its NUL
	struct record record;
	int result = 0;
	if (!reader) {
		return false;
	}
	while (!catch_up->has_cursor &&
		(result = reader_next(reader, &record, &catch_up->err)) > 0) {
		catch_up->has_damage = catch_up->has_damage || record.type == RECORD_DAMAGE;
		if (record.type == RECORD_STATE && str_starts(record.payload, prefix)) {
			catch_up->has_cursor = str_to_uint64(
				str_skip(record.payload, prefix.len), &catch_up->cursor);
		}
	}
	reader_close(reader);
	return result >= 0;
}

static void note_past(struct catch_up *catch_up, const struct record *record, bool is_finished) {
	struct event *event = event_decode(record, NULL);
	const struct value *key = event ? event_attribute(event, STR("key")) : NULL;
	const struct value *cancelled = event ? event_attribute(event, STR("cancelled")) : NULL;
	if (key && key->type == VALUE_STRING) {
		struct past_run *past = map_get(&catch_up->past, key->string);
		if (!past) {
			past = ARENA_NEW(catch_up->past_arena, struct past_run);
			past->key = arena_copy_str(catch_up->past_arena, key->string);
			(void)map_put(&catch_up->past, past->key, past);
		}
		past->attempts += !is_finished;
		past->is_finished = past->is_finished || (is_finished && !cancelled);
	}
	event_unref(event);
}

// What was started and finished for events after the cursor.
static bool scan_past(struct catch_up *catch_up) {
	struct reader_query query = {.after = catch_up->after};
	struct reader *reader = reader_open(catch_up->fs, catch_up->folder, &query, &catch_up->err);
	struct record record;
	struct str kind;
	int result;
	if (!reader) {
		return false;
	}
	while ((result = reader_next(reader, &record, &catch_up->err)) > 0) {
		if (record.type != RECORD_EVENT || !event_peek_kind(record.payload, &kind)) {
			continue;
		}
		bool is_finished = str_is(kind, "action.finished");
		if (is_finished || str_is(kind, "action.started")) {
			note_past(catch_up, &record, is_finished);
		}
	}
	reader_close(reader);
	return result == 0;
}

static bool read_chunk(struct catch_up *catch_up) {
	struct reader_query query = {.after = catch_up->after, .before = catch_up->before};
	struct reader *reader = reader_open(catch_up->fs, catch_up->folder, &query, &catch_up->err);
	struct record record;
	int result = 0;
	if (!reader) {
		return false;
	}
	while (catch_up->n < CHUNK && (result = reader_next(reader, &record, &catch_up->err)) > 0) {
		struct event *event = record.type == RECORD_EVENT ? event_decode(&record, NULL)
								  : NULL;
		if (event) {
			catch_up->events[catch_up->n++] = event;
		}
		if (record.type != RECORD_DAMAGE) {
			catch_up->reached = record.sequence;
		}
	}
	if (result == 0) {
		catch_up->reached = catch_up->before - 1;
	}
	reader_close(reader);
	return result >= 0;
}

static void read_journal(void *arg) {
	struct catch_up *catch_up = arg;
	if (catch_up->is_first) {
		catch_up->failed = !read_cursor(catch_up);
		if (!catch_up->has_cursor && catch_up->has_damage) {
			catch_up->cursor = catch_up->before - 1; // repeat nothing rather than all
		}
		catch_up->after = catch_up->cursor;
		catch_up->failed = catch_up->failed || !scan_past(catch_up);
	}
	catch_up->reached = catch_up->after;
	if (!catch_up->failed && catch_up->after + 1 < catch_up->before) {
		catch_up->failed = !read_chunk(catch_up);
	}
}

// --- on the loop ---

static void catch_up_free(struct catch_up *catch_up) {
	for (; catch_up->next < catch_up->n; catch_up->next++) {
		event_unref(catch_up->events[catch_up->next]);
	}
	map_finish(&catch_up->past);
	arena_destroy(catch_up->past_arena);
	free(catch_up->folder);
	free(catch_up);
}

void catch_up_forget(struct engine *engine) {
	struct catch_up *catch_up = take_ptr(engine->catch_up);
	if (!catch_up) {
		return;
	}
	if (catch_up->is_reading) {
		catch_up->engine = NULL; // its own end frees it
	} else {
		catch_up_free(catch_up);
	}
}

static void tell_recovered(struct engine *engine) {
	if (engine->on_recovered) {
		void (*on_recovered)(void *arg) = take_ptr(engine->on_recovered);
		on_recovered(engine->on_recovered_arg);
	}
}

static void on_catch_up_due(void *arg) {
	catch_up(arg);
}

static void catch_up_later(struct engine *engine, int64_t delay_ns) {
	timer_start(
		&engine->catch_up_timer, engine->services->loop, delay_ns, on_catch_up_due, engine);
}

static void dispatch_some(struct engine *engine) {
	struct catch_up *chunk = engine->catch_up;
	for (int i = 0; i < EVENTS_PER_TURN && chunk->next < chunk->n; i++) {
		if (engine_is_full(engine)) {
			return; // start_waiting calls again when there is room
		}
		struct event *event = chunk->events[chunk->next++];
		tables_forget_before(engine, event->id);
		struct table *table = table_for(engine, event->id);
		if (table) {
			dispatch_event(engine, table, PHASE_DURABLE, event);
		}
		engine->dispatched_id = event->id;
		event_unref(event);
	}
	cursor_changed(engine);
	if (chunk->next == chunk->n) {
		engine->dispatched_id = chunk->reached;
		engine->catch_up = NULL;
		catch_up_free(chunk);
	}
	catch_up_later(engine, 0);
}

static void adopt_scan(struct engine *engine, struct catch_up *scan) {
	if (!scan->has_cursor && scan->has_damage) {
		log_error("the journal's record of what was finished is damaged: assured actions"
			  " that the last stop interrupted are not repeated");
	}
	engine->needs_scan = false;
	engine->dispatched_id = scan->cursor;
	engine->saved_cursor = scan->has_cursor ? scan->cursor : UINT64_MAX;
	engine->past = scan->past;
	engine->past_arena = take_ptr(scan->past_arena);
	scan->past = (struct map)MAP_INIT;
}

static void on_read(void *arg) {
	struct catch_up *chunk = arg;
	struct engine *engine = chunk->engine;
	chunk->is_reading = false;
	if (!engine) {
		catch_up_free(chunk);
		return;
	}
	if (chunk->failed) {
		log_error("cannot read the journal to go on with assured actions: %s; they wait,"
			  " trying again in 5 s",
			chunk->err.message);
		engine->catch_up = NULL;
		catch_up_free(chunk);
		catch_up_later(engine, FAILED_RETRY_NS);
		tell_recovered(engine);
		return;
	}
	bool is_first = chunk->is_first;
	if (is_first) {
		adopt_scan(engine, chunk);
	}
	dispatch_some(engine);
	// What is to be repeated is known, and anything new comes after it while the engine is
	// behind: nobody needs to wait for the runs themselves, which may take for ever.
	if (is_first) {
		tell_recovered(engine);
	}
}

static void read_on(struct engine *engine) {
	struct catch_up *chunk = xcalloc(1, sizeof(*chunk));
	chunk->engine = engine;
	chunk->fs = engine->services->fs;
	chunk->folder = xstrdup(engine->journal_folder);
	chunk->is_first = engine->needs_scan;
	chunk->is_reading = true;
	chunk->after = engine->dispatched_id;
	chunk->before = engine->durable_id + 1;
	chunk->past_arena = arena_create();
	if (!jobs_run(engine->services->jobs, read_journal, on_read, chunk)) {
		catch_up_free(chunk);
		catch_up_later(engine, BUSY_RETRY_NS);
		return;
	}
	engine->catch_up = chunk;
}

void catch_up(struct engine *engine) {
	if (!engine->is_behind || engine->is_draining || list_is_empty(&engine->tables)) {
		return; // engine_configure calls again
	}
	if (engine->catch_up) {
		if (!engine->catch_up->is_reading && !engine_is_full(engine)) {
			dispatch_some(engine);
		}
		return;
	}
	if (!engine->needs_scan && engine->dispatched_id >= engine->durable_id) {
		engine->is_behind = false;
		past_clear(engine);
		cursor_save(engine);
		return;
	}
	// Half empty before more is read, so that reading is worth its while.
	if (engine_is_half_empty(engine) && !timer_is_set(&engine->catch_up_timer)) {
		read_on(engine);
	}
}

void engine_recover(
	struct engine *engine, const char *journal_folder, void (*on_done)(void *arg), void *arg) {
	struct bus_stats stats;
	assert(!engine->journal_folder);
	bus_get_stats(engine->services->bus, &stats);
	engine->journal_folder = xstrdup(journal_folder);
	engine->on_recovered = on_done;
	engine->on_recovered_arg = arg;
	engine->needs_scan = true;
	engine->is_behind = true;
	engine->durable_id = stats.durable_id;
	catch_up(engine);
}
