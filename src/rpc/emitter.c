// SPDX-License-Identifier: Apache-2.0
// Emitting for clients. The invariants: one key is one event, also while the first emit of it is
// still on its way to the disk; an emit is answered exactly once; and a key is forgotten when its
// event could not be kept, so that trying again works.
#include "rpc/emitter.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/map.h"
#include "io/fs.h"
#include "io/loop.h"
#include "io/worker.h"
#include "rpc/method.h"
#include "store/reader.h"

#define LOG_FOLDER "rpc"

#define KEY_WINDOW_NS (600 * NS_PER_SECOND)
#define KEYS_MAX 10000
// How much of the journal is looked through for keys after a restart.
#define READ_BACK_MAX 200000
#define RECENT 1024 // causes; a power of two

struct known_cause {
	uint64_t id;
	uint32_t depth;
	struct trace trace;
};

struct known_key {
	struct list node; // oldest first
	struct str text;
	uint64_t id; // 0: its event is under way
	int64_t until_ns;
	struct list waiters; // emits of the same key
};

struct emit {
	struct list node; // of a key's waiters, or of those that wait for the keys to be read
	struct emitter *emitter;
	struct event *event;
	uint64_t cause;
	struct known_key *key;
	emitter_done_fn *on_done;
	void *arg;
	// Of the job that looks a cause up:
	int found;
	struct known_cause known;
	struct err err;
};

struct emitter {
	struct services services;
	char *journal_folder;
	struct subscription subscription;
	struct known_cause recent[RECENT];
	struct map keys; // text -> known_key
	struct list by_age;
	int64_t created_ns;
	bool has_read_keys;
	bool is_reading_keys;
	struct list waiting; // for the keys to be read
	size_t under_way;    // emits with the bus or a job, and the reading of keys
	bool is_destroyed;
};

static int64_t now(const struct emitter *emitter) {
	return clock_monotonic(loop_clock(emitter->services.loop));
}

// --- keys ---

static void key_remove(struct emitter *emitter, struct known_key *key) {
	assert(list_is_empty(&key->waiters));
	(void)map_remove(&emitter->keys, key->text);
	list_remove(&key->node);
	free(key);
}

static struct known_key *key_add(struct emitter *emitter, struct str text, int64_t until_ns) {
	struct known_key *key = xcalloc(1, sizeof(*key) + text.len);
	char *copy = (char *)(key + 1);
	memcpy(copy, text.at, text.len);
	key->text = str_range(copy, text.len);
	key->until_ns = until_ns;
	list_init(&key->waiters);
	list_add_last(&emitter->by_age, &key->node);
	(void)map_put(&emitter->keys, key->text, key);
	return key;
}

static void forget_old_keys(struct emitter *emitter) {
	int64_t time = now(emitter);
	list_for_each (node, &emitter->by_age) {
		struct known_key *key = list_item(node, struct known_key, node);
		bool is_old = key->until_ns <= time || map_count(&emitter->keys) > KEYS_MAX;
		if (!is_old || key->id == 0) {
			return;
		}
		key_remove(emitter, key);
	}
}

static void release(struct emitter *emitter) {
	if (!emitter->is_destroyed || emitter->under_way > 0) {
		return;
	}
	list_for_each (node, &emitter->by_age) {
		key_remove(emitter, list_item(node, struct known_key, node));
	}
	map_finish(&emitter->keys);
	free(emitter->journal_folder);
	free(emitter);
}

// --- the end of an emit ---

static void answer(struct emit *emit, uint64_t id, const struct err *err) {
	event_unref(emit->event);
	emit->on_done(emit->arg, id, err);
	free(emit);
}

// The emit that a key stands for is through; the others with that key get the same answer.
static void settle_key(
	struct emitter *emitter, struct known_key *key, uint64_t id, const struct err *err) {
	struct list waiters;
	list_init(&waiters);
	while (!list_is_empty(&key->waiters)) {
		struct list *node = key->waiters.next;
		list_remove(node);
		list_add_last(&waiters, node);
	}
	key->id = id;
	if (err) {
		key_remove(emitter, key);
	}
	while (!list_is_empty(&waiters)) {
		struct emit *waiter = list_item(waiters.next, struct emit, node);
		list_remove(&waiter->node);
		answer(waiter, id, err);
	}
}

static void end(struct emit *emit, uint64_t id, const struct err *err) {
	struct emitter *emitter = emit->emitter;
	struct known_key *key = emit->key;
	answer(emit, id, err);
	if (key) {
		settle_key(emitter, key, id, err);
	}
	emitter->under_way--;
	release(emitter);
}

// --- publishing ---

static void on_durable(void *arg, const struct event *event, const struct err *err) {
	end(arg, err ? 0 : event->id, err);
}

static void publish(struct emit *emit) {
	struct err err = ERR_INIT;
	struct emitter *emitter = emit->emitter;
	if (emitter->is_destroyed) {
		err_set(&err, ERR_UNAVAILABLE, "Anna is stopping; nothing more is accepted");
		end(emit, 0, &err);
	} else if (!bus_publish(
			   emitter->services.bus, take_ptr(emit->event), on_durable, emit, &err)) {
		end(emit, 0, &err);
	}
}

static void publish_with_cause(struct emit *emit, const struct known_cause *known) {
	// What an effect takes from its cause is all that is known, and all that is needed.
	struct event cause = {.id = known->id, .depth = known->depth, .trace = known->trace};
	event_set_cause(emit->event, &cause);
	publish(emit);
}

// In a job: the cause is looked up in the journal.
static void find_cause(void *arg) {
	struct emit *emit = arg;
	struct buf payload = BUF_INIT;
	struct record record = {0};
	emit->found = reader_find(emit->emitter->services.fs, emit->emitter->journal_folder,
		emit->cause, &payload, &record, &emit->err);
	if (emit->found == 1) {
		struct event *event = record.type == RECORD_EVENT
			? event_decode(&record, &emit->err)
			: NULL;
		emit->found = event ? 1 : 0;
		if (event) {
			emit->known = (struct known_cause){event->id, event->depth, event->trace};
		}
		event_unref(event);
	}
	buf_finish(&payload);
}

static void on_cause_found(void *arg) {
	struct emit *emit = arg;
	if (emit->found == 1) {
		publish_with_cause(emit, &emit->known);
		return;
	}
	if (emit->found == 0) {
		err_set(&emit->err, ERR_INVALID,
			"cause %llu is not an event in the journal (never was, or is beyond "
			"retention)",
			(unsigned long long)emit->cause);
	}
	struct err err = emit->err;
	end(emit, 0, &err);
}

static void publish_or_look_up(struct emit *emit) {
	struct emitter *emitter = emit->emitter;
	emitter->under_way++;
	if (emit->cause == 0) {
		publish(emit);
		return;
	}
	const struct known_cause *known = &emitter->recent[emit->cause % RECENT];
	if (known->id == emit->cause) {
		publish_with_cause(emit, known);
	} else if (!jobs_run(emitter->services.jobs, find_cause, on_cause_found, emit)) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_BUSY, "too many look-ups are waiting to find cause %llu",
			(unsigned long long)emit->cause);
		end(emit, 0, &err);
	}
}

static void start(struct emit *emit) {
	struct emitter *emitter = emit->emitter;
	if (emit->event->key.len) {
		forget_old_keys(emitter);
		struct known_key *key = map_get(&emitter->keys, emit->event->key);
		if (key && key->id) {
			answer(emit, key->id, NULL);
			return;
		}
		if (key) {
			list_add_last(&key->waiters, &emit->node);
			return;
		}
		emit->key = key_add(emitter, emit->event->key, now(emitter) + KEY_WINDOW_NS);
	}
	publish_or_look_up(emit);
}

// --- keys of the time before a restart ---

struct found_key {
	struct str text;
	uint64_t id;
	int64_t time_ns;
};

struct key_search {
	struct emitter *emitter;
	struct arena *arena;
	int64_t since_ns;
	int64_t now_ns;		 // wall
	struct found_key *found; // newest first
	size_t n;
	struct err err;
	bool failed;
};

static void look_for_key(struct key_search *search, const struct record *record) {
	struct str kind;
	if (record->type != RECORD_EVENT || !event_peek_kind(record->payload, &kind) ||
		!kind_is_free(kind)) {
		return;
	}
	struct err ignored; // a record that is no event has no key
	struct event *event = event_decode(record, &ignored);
	if (event && event->key.len) {
		search->found[search->n++] = (struct found_key){
			arena_copy_str(search->arena, event->key), event->id, event->time_ns};
	}
	event_unref(event);
}

// In a job.
static void search_keys(void *arg) {
	struct key_search *search = arg;
	struct reader_query query = {.since_ns = search->since_ns, .backward = true};
	struct reader *reader = reader_open(search->emitter->services.fs,
		search->emitter->journal_folder, &query, &search->err);
	if (!reader) {
		search->failed = true;
		return;
	}
	struct record record;
	int rc = 1;
	for (int i = 0; i < READ_BACK_MAX && search->n < KEYS_MAX; i++) {
		rc = reader_next(reader, &record, &search->err);
		if (rc <= 0) {
			break;
		}
		look_for_key(search, &record);
	}
	search->failed = rc < 0;
	reader_close(reader);
}

static void on_keys_found(void *arg) {
	struct key_search *search = arg;
	struct emitter *emitter = search->emitter;
	bool is_read = !search->failed;
	struct err why = ERR_INIT;
	if (!is_read) {
		log_warn("the keys of earlier emits cannot be read back: %s", search->err.message);
		err_set(&why, ERR_UNAVAILABLE,
			"the keys of earlier emits cannot be read back now, so this might be a "
			"double: "
			"%.200s",
			search->err.message);
		search->n = 0; // the next keyed emit reads them all again
	}
	for (size_t i = search->n; i-- > 0;) { // oldest first
		const struct found_key *found = &search->found[i];
		if (!map_get(&emitter->keys, found->text)) {
			int64_t age = search->now_ns - found->time_ns;
			struct known_key *key = key_add(
				emitter, found->text, now(emitter) + KEY_WINDOW_NS - age);
			key->id = found->id;
		}
	}
	free(search->found);
	arena_destroy(search->arena);
	free(search);
	emitter->has_read_keys = is_read;
	emitter->is_reading_keys = false;
	struct list waiting; // an answer may bring the next emit
	list_init(&waiting);
	while (!list_is_empty(&emitter->waiting)) {
		struct list *node = emitter->waiting.next;
		list_remove(node);
		list_add_last(&waiting, node);
	}
	while (!list_is_empty(&waiting)) {
		struct emit *emit = list_item(waiting.next, struct emit, node);
		list_remove(&emit->node);
		if (is_read) {
			start(emit);
		} else {
			answer(emit, 0, &why);
		}
	}
	emitter->under_way--;
	release(emitter);
}

// Only the first keyed emit soon after a start needs it: what runs for longer than the window
// has seen every key itself.
static void read_keys(struct emitter *emitter) {
	if (now(emitter) - emitter->created_ns > KEY_WINDOW_NS) {
		emitter->has_read_keys = true;
		return;
	}
	struct key_search *search = xcalloc(1, sizeof(*search));
	search->emitter = emitter;
	search->arena = arena_create();
	search->now_ns = clock_wall(loop_clock(emitter->services.loop));
	search->since_ns = search->now_ns - KEY_WINDOW_NS;
	search->found = xcalloc(KEYS_MAX, sizeof(*search->found));
	if (jobs_run(emitter->services.jobs, search_keys, on_keys_found, search)) {
		emitter->is_reading_keys = true;
		emitter->under_way++;
		return;
	}
	free(search->found); // the next keyed emit tries again
	arena_destroy(search->arena);
	free(search);
}

// --- the public side ---

static void on_event(void *arg, enum bus_phase phase, struct event *event) {
	struct emitter *emitter = arg;
	if (phase == PHASE_DURABLE) {
		emitter->recent[event->id % RECENT] = (struct known_cause){
			event->id, event->depth, event->trace};
	}
}

struct emitter *emitter_create(const struct services *services, const char *journal_folder) {
	struct emitter *emitter = xcalloc(1, sizeof(*emitter));
	emitter->services = *services;
	emitter->journal_folder = xstrdup(journal_folder);
	list_init(&emitter->by_age);
	list_init(&emitter->waiting);
	emitter->created_ns = now(emitter);
	bus_subscribe(services->bus, &emitter->subscription, on_event, emitter);
	return emitter;
}

void emitter_destroy(struct emitter *emitter) {
	if (!emitter) {
		return;
	}
	struct err err = ERR_INIT;
	err_set(&err, ERR_UNAVAILABLE, "Anna is stopping; nothing more is accepted");
	emitter->is_destroyed = true;
	emitter->under_way++; // our own hold
	bus_unsubscribe(&emitter->subscription);
	while (!list_is_empty(&emitter->waiting)) {
		struct emit *emit = list_item(emitter->waiting.next, struct emit, node);
		list_remove(&emit->node);
		answer(emit, 0, &err);
	}
	emitter->under_way--;
	release(emitter);
}

void emitter_emit(struct emitter *emitter, struct event *event, uint64_t cause,
	emitter_done_fn *on_done, void *arg) {
	struct emit *emit = xcalloc(1, sizeof(*emit));
	emit->emitter = emitter;
	emit->event = event;
	emit->cause = cause;
	emit->on_done = on_done;
	emit->arg = arg;
	if (event->key.len && !emitter->has_read_keys && !emitter->is_reading_keys) {
		read_keys(emitter);
	}
	if (event->key.len && emitter->is_reading_keys && !emitter->has_read_keys) {
		list_add_last(&emitter->waiting, &emit->node);
		return;
	}
	if (event->key.len && !emitter->has_read_keys) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_BUSY, "all job threads are busy: the key cannot be looked up");
		answer(emit, 0, &err);
		return;
	}
	start(emit);
}

void emitter_answer(void *arg, uint64_t id, const struct err *err) {
	struct call *call = arg;
	if (err) {
		call_fail(call, err);
		return;
	}
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_uint(w, "id", id);
	json_end_object(w);
	call_reply(call);
}
