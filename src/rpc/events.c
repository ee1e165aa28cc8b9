// SPDX-License-Identifier: Apache-2.0
// events: pages of the journal, and waiting for what comes next. The invariants: only what is
// durable is shown; `next` never skips an event that was not looked at; a waiting call holds no
// thread.
#include "rpc/method.h"

#include "base/alloc.h"
#include "io/loop.h"
#include "io/worker.h"
#include "rpc/anna.h"
#include "store/reader.h"

#define PAGE_EVENTS 500
#define PAGE_BYTES (256 * 1024)

struct events_params {
	int64_t limit;
	int64_t after; // -1: not given
	int64_t before;
	struct str since;
	struct strings kind;
	struct str subject;
	struct str source;
	int64_t wait_ms;
};

// One call: a job that reads a page; perhaps a wait; the answer.
struct page {
	struct call *call;
	struct services services;
	const char *journal_folder;
	const struct events_params *params;
	int64_t since_ns;
	uint64_t after;
	bool has_after;
	uint64_t durable; // the newest event that may be shown
	int64_t wait_until_ns;
	uint64_t asked_at_id; // the newest event when it was asked
	int64_t settle_until_ns;
	struct subscription subscription;
	struct timer timeout;
	struct task delivery;
	bool is_waiting;
	// What is answered:
	struct buf entries;
	struct json_writer writer;
	size_t count;
	uint64_t next;
	bool is_complete;
	bool failed;
	struct err err;
};

// --- which events are asked for ---

static bool matches_kind(const struct events_params *params, struct str kind) {
	for (size_t i = 0; i < params->kind.n; i++) {
		if (str_glob(params->kind.items[i], kind)) {
			return true;
		}
	}
	return params->kind.n == 0;
}

static bool matches(const struct events_params *params, const struct event *event) {
	return matches_kind(params, event->kind) &&
		(params->subject.len == 0 || str_glob(params->subject, event->subject)) &&
		(params->source.len == 0 || str_glob(params->source, event->source));
}

// The event of a record if it is asked for, else NULL. The kind is looked at first, since decoding
// all the rest costs far more.
static struct event *matching_event(const struct page *page, const struct record *record) {
	struct str kind;
	struct err ignored; // what is no event was written by another version; it is not shown
	if (record->type != RECORD_EVENT || !event_peek_kind(record->payload, &kind) ||
		!matches_kind(page->params, kind)) {
		return NULL;
	}
	struct event *event = event_decode(record, &ignored);
	if (event && !matches(page->params, event)) {
		event_unref(event);
		return NULL;
	}
	return event;
}

// --- reading, in a job ---

static size_t page_limit(const struct page *page) {
	int64_t limit = page->params->limit;
	return limit > 0 && limit < PAGE_EVENTS ? (size_t)limit : PAGE_EVENTS;
}

static bool is_full(const struct page *page) {
	return page->count >= page_limit(page) || page->entries.len >= PAGE_BYTES;
}

static struct reader *open_reader(struct page *page, uint64_t after, bool backward) {
	struct reader_query query = {.after = after,
		.before = page->durable + 1,
		.since_ns = page->since_ns,
		.backward = backward};
	uint64_t before = (uint64_t)page->params->before;
	if (before && before < query.before) {
		query.before = before;
	}
	return reader_open(page->services.fs, page->journal_folder, &query, &page->err);
}

// Where the newest `limit` events begin: *out is the sequence before them.
static bool find_start(struct page *page, uint64_t *out) {
	struct reader *reader = open_reader(page, 0, true);
	if (!reader) {
		return false;
	}
	struct record record;
	int64_t left = page->params->limit;
	int rc;
	*out = 0;
	while ((rc = reader_next(reader, &record, &page->err)) > 0) {
		struct event *event = matching_event(page, &record);
		if (!event) {
			continue;
		}
		*out = event->id - 1;
		event_unref(event);
		if (--left == 0) {
			break;
		}
	}
	if (left > 0) {
		*out = 0; // all of them; also show what was damaged before the first
	}
	reader_close(reader);
	return rc >= 0;
}

static void write_gap(struct page *page, const struct record *record) {
	struct json_writer *w = &page->writer;
	json_begin_object(w);
	json_key(w, "gap");
	json_begin_object(w);
	json_member_uint(w, "from", record->sequence);
	json_member_uint(w, "to", record->cause);
	json_member_text(w, "reason", "the journal is damaged there");
	json_member_str(w, "stream", record->payload);
	json_end_object(w);
	json_end_object(w);
}

// Puts one record on the page. False: the page is full and this one belongs on the next.
static bool add_record(struct page *page, const struct record *record) {
	if (record->type == RECORD_DAMAGE) {
		if (is_full(page)) {
			return false;
		}
		write_gap(page, record);
		page->count++;
		page->next = record->cause > page->next ? record->cause : page->next;
		return true;
	}
	struct event *event = matching_event(page, record);
	if (!event) {
		return true;
	}
	bool fits = !is_full(page);
	if (fits) {
		event_format_json(event, &page->writer);
		page->count++;
		page->next = event->id;
	}
	event_unref(event);
	return fits;
}

static void begin_page(struct page *page) {
	buf_clear(&page->entries);
	json_writer_init(&page->writer, &page->entries);
	json_begin_array(&page->writer);
	page->count = 0;
	page->next = page->after;
	page->is_complete = false;
}

static bool read_forward(struct page *page, uint64_t start) {
	struct reader *reader = open_reader(page, start, false);
	if (!reader) {
		return false;
	}
	struct record record;
	int rc;
	while ((rc = reader_next(reader, &record, &page->err)) > 0) {
		if (!add_record(page, &record)) {
			break;
		}
	}
	reader_close(reader);
	page->is_complete = rc == 0;
	return rc >= 0;
}

static void read_page(void *arg) {
	struct page *page = arg;
	uint64_t start = page->after;
	begin_page(page);
	page->failed = (!page->has_after && page->params->limit > 0 && !find_start(page, &start)) ||
		!read_forward(page, start);
	uint64_t end = page->durable;
	uint64_t before = (uint64_t)page->params->before;
	if (before && before - 1 < end) {
		end = before - 1;
	}
	if (page->is_complete && end > page->next) {
		page->next = end; // so that a filter does not read the same again and again
	}
}

// --- answering and waiting, on the loop ---

static void stop_waiting(struct page *page) {
	if (page->is_waiting) {
		page->is_waiting = false;
		bus_unsubscribe(&page->subscription);
		timer_stop(&page->timeout);
		task_cancel(&page->delivery);
		call_set_on_abandon(page->call, NULL, NULL);
		call_waited(page->call);
	}
}

static void answer(struct page *page) {
	stop_waiting(page);
	json_end_array(&page->writer);
	struct json_writer *w = call_result(page->call);
	json_begin_object(w);
	json_key(w, "events");
	json_raw(w, buf_str(&page->entries));
	json_member_uint(w, "next", page->next);
	json_member_bool(w, "complete", page->is_complete);
	json_end_object(w);
	buf_finish(&page->entries);
	call_reply(page->call); // the page goes with the call
}

static void fail(struct page *page, const struct err *err) {
	struct err copy = *err;
	stop_waiting(page);
	buf_finish(&page->entries);
	call_fail(page->call, &copy);
}

static void on_event(void *arg, enum bus_phase phase, struct event *event) {
	struct page *page = arg;
	if (phase != PHASE_DURABLE || event->id <= page->next || !matches(page->params, event) ||
		!page->is_complete) {
		return;
	}
	if (is_full(page)) {
		page->is_complete = false; // the rest is for the next page
		return;
	}
	event_format_json(event, &page->writer);
	page->count++;
	page->next = event->id;
	if (!page->delivery.is_posted) {
		task_post(&page->delivery, page->services.loop, page->delivery.run, page);
	}
}

static uint64_t durable_id(const struct page *page) {
	struct bus_stats stats;
	bus_get_stats(page->services.bus, &stats);
	return stats.durable_id;
}

// All events that became durable together are on the page by now.
static void deliver(void *arg) {
	struct page *page = arg;
	if (page->is_complete && durable_id(page) > page->next) {
		page->next = durable_id(page);
	}
	answer(page);
}

static void on_abandon(void *arg) {
	struct page *page = arg;
	struct err err = ERR_INIT;
	err_set(&err, ERR_CLOSED, "the client is gone");
	fail(page, &err);
}

// Reading and waiting take turns: the one function declared before its definition.
static void start_reading(struct page *page);

static void wait(struct page *page) {
	page->is_waiting = true;
	page->delivery.run = deliver;
	bus_subscribe(page->services.bus, &page->subscription, on_event, page);
	timer_start_at(&page->timeout, page->services.loop, page->wait_until_ns, deliver, page);
	call_set_on_abandon(page->call, on_abandon, page);
}

static void on_read(void *arg) {
	struct page *page = arg;
	bool may_wait = page->count == 0 && page->is_complete && page->params->before == 0 &&
		loop_now(page->services.loop) < page->wait_until_ns;
	if (page->failed) {
		fail(page, &page->err);
	} else if (!may_wait || call_is_abandoned(page->call)) {
		answer(page);
	} else if (durable_id(page) > page->durable) {
		page->after = page->next; // something came while we were reading
		page->has_after = true;
		start_reading(page);
	} else {
		wait(page);
	}
}

static void start_reading(struct page *page) {
	page->durable = durable_id(page);
	if (!jobs_run_asked(page->services.jobs, read_page, on_read, page)) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_BUSY, "too many readers of the journal are waiting");
		fail(page, &err);
	}
}

static void on_settling_abandoned(void *arg) {
	struct page *page = arg;
	timer_stop(&page->timeout);
	on_abandon(page);
}

// What was accepted before the question is in the answer: waits for the disk, a second at most.
static void start_when_durable(void *arg) {
	struct page *page = arg;
	struct loop *loop = page->services.loop;
	call_set_on_abandon(page->call, NULL, NULL);
	if (durable_id(page) >= page->asked_at_id || loop_now(loop) >= page->settle_until_ns ||
		call_is_abandoned(page->call)) {
		start_reading(page);
		return;
	}
	timer_start(&page->timeout, loop, NS_PER_MS, start_when_durable, page);
	call_set_on_abandon(page->call, on_settling_abandoned, page);
}

static bool parse_since(struct page *page, struct err *err) {
	struct str text = page->params->since;
	int64_t ns;
	if (text.len == 0) {
		return true;
	}
	if (duration_parse(text, &ns)) {
		page->since_ns = clock_wall(loop_clock(page->services.loop)) - ns;
		return true;
	}
	if (time_parse(text, &page->since_ns)) {
		return true;
	}
	return err_set(err, ERR_TIME_RANGE,
		"since \"%" STR_FMT
		"\" is neither a duration (90s, 5m, 2h, 1d) nor a time (RFC 3339, "
		"2026-01-31T12:00:00Z)",
		STR_ARG(str_head(text, 64)));
}

static bool check_after(struct page *page, struct err *err) {
	struct bus_stats stats;
	bus_get_stats(page->services.bus, &stats);
	page->has_after = page->params->after >= 0;
	page->after = page->has_after ? (uint64_t)page->params->after : 0;
	if (page->after > stats.last_id) {
		return err_set(err, ERR_INVALID,
			"after %llu is beyond the newest event (%llu): is this another journal?",
			(unsigned long long)page->after, (unsigned long long)stats.last_id);
	}
	return true;
}

static void handle(struct call *call) {
	struct err err = ERR_INIT;
	struct anna *anna = call_anna(call);
	struct page *page = ARENA_NEW(call_arena(call), struct page);
	page->call = call;
	page->services = *anna_services(anna);
	page->journal_folder = anna_journal_folder(anna);
	page->params = call_params(call);
	page->wait_until_ns = loop_now(page->services.loop) + page->params->wait_ms * NS_PER_MS;
	if (!parse_since(page, &err) || !check_after(page, &err)) {
		fail(page, &err);
		return;
	}
	struct bus_stats stats;
	bus_get_stats(page->services.bus, &stats);
	page->asked_at_id = stats.last_id;
	page->settle_until_ns = loop_now(page->services.loop) + NS_PER_SECOND;
	start_when_durable(page);
}

static const struct option params[] = {
	{.key = "limit",
		.type = OPTION_INT,
		.offset = offsetof(struct events_params, limit),
		.fallback = "50",
		.min = 0,
		.max = 1000000000,
		.help = "At most so many, the newest unless `after` is given; 0 is all."},
	{.key = "after",
		.type = OPTION_INT,
		.offset = offsetof(struct events_params, after),
		.fallback = "-1",
		.min = -1,
		.max = 9007199254740991.0,
		.help = "Only events with a higher id, the oldest first: the `next` of the page "
			"before."},
	{.key = "before",
		.type = OPTION_INT,
		.offset = offsetof(struct events_params, before),
		.max = 9007199254740991.0,
		.help = "Only events with a lower id; 0 is no limit."},
	{.key = "since",
		.type = OPTION_STRING,
		.offset = offsetof(struct events_params, since),
		.max = 64,
		.help = "Only events of the last \"5m\", or since an RFC 3339 time."},
	{.key = "kind",
		.type = OPTION_STRINGS,
		.offset = offsetof(struct events_params, kind),
		.max = 64,
		.help = "Only kinds that match one of these patterns (host.*)."},
	{.key = "subject",
		.type = OPTION_STRING,
		.offset = offsetof(struct events_params, subject),
		.max = 1024,
		.help = "Only subjects that match this pattern."},
	{.key = "source",
		.type = OPTION_STRING,
		.offset = offsetof(struct events_params, source),
		.max = 256,
		.help = "Only sources that match this pattern."},
	{.key = "wait_ms",
		.type = OPTION_INT,
		.offset = offsetof(struct events_params, wait_ms),
		.min = 0,
		.max = 60000,
		.unit = "ms",
		.help = "When there is nothing to show, wait so long for something."},
	{0}};

DEFINE_METHOD(events) = {
	.name = "events",
	.summary = "Pages of what happened, oldest first; can wait for more.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.params = params,
	.params_size = sizeof(struct events_params),
	.result = "{events: [event or {gap: {from, to, reason}}], next: the `after` of the next "
		  "page, complete: nothing more is there now}",
	.handle = handle,
};
