// SPDX-License-Identifier: Apache-2.0
// The bus over a scripted writer: writer_append below stands in for the journal.
#include "tests/check.h"

#include "flow/bus.h"
#include "tests/fakes/fake_loop.h"

static struct {
	uint64_t sequences[256];
	const char *streams[256];
	size_t n;
} journal;

bool writer_append(struct writer *writer, const char *stream, uint64_t sequence, uint64_t cause,
	int64_t time_ns, enum record_type type, struct buf *payload) {
	(void)writer;
	(void)cause;
	(void)time_ns;
	(void)type;
	journal.sequences[journal.n] = sequence;
	journal.streams[journal.n++] = stream;
	buf_finish(payload);
	return true;
}

struct fixture {
	struct fake_loop fake;
	struct kinds *kinds;
	struct bus *bus;
	struct subscription first, second;
	char seen[512];
	size_t journaled_when_accepted;
	int durable, failed;
};

static void set_up(struct fixture *f, size_t capacity) {
	memset(f, 0, sizeof(*f));
	journal.n = 0;
	fake_loop_init(&f->fake, 5);
	f->kinds = kinds_create();
	kinds_add(f->kinds, core_kinds);
	struct bus_options options = {.loop = f->fake.loop,
		.random = &f->fake.random,
		.kinds = f->kinds,
		.next_id = 100,
		.capacity = capacity,
		.reserve = 2,
		.bytes_max = 65536};
	f->bus = bus_create(&options);
	bus_set_writer(f->bus, (struct writer *)f); // only its being there counts
}

static void tear_down(struct fixture *f) {
	bus_destroy(f->bus);
	kinds_destroy(f->kinds);
	fake_loop_finish(&f->fake);
}

static uint64_t publish(struct fixture *f, const char *kind, struct err *err) {
	return bus_publish(f->bus, event_create(kind, "test", STR("")), NULL, NULL, err);
}

static void on_event(void *arg, enum bus_phase phase, struct event *event) {
	struct fixture *f = arg;
	size_t used = strlen(f->seen);
	(void)snprintf(f->seen + used, sizeof(f->seen) - used, "%c%llu ",
		phase == PHASE_ACCEPTED ? 'a' : 'd', (unsigned long long)event->id);
	if (phase == PHASE_ACCEPTED) {
		f->journaled_when_accepted = journal.n;
	}
}

static void on_durable(void *arg, const struct event *event, const struct err *err) {
	struct fixture *f = arg;
	CHECK(event->id > 0);
	f->durable += err ? 0 : 1;
	f->failed += err ? 1 : 0;
}

TEST(a_published_event_gets_id_time_trace_and_generation) {
	struct fixture f;
	struct err err = ERR_INIT;
	set_up(&f, 8);
	bus_set_generation(f.bus, 7);
	struct event *event = event_ref(event_create("test.a", "test", STR("")));

	uint64_t id = bus_publish(f.bus, event, NULL, NULL, &err);

	CHECK_INT(id, 100);
	CHECK_INT(event->id, 100);
	CHECK_INT(event->generation, 7);
	CHECK_INT(event->time_ns, f.fake.clock.wall_ns);
	CHECK(event->trace.trace_id[0] | event->trace.trace_id[1] | event->trace.trace_id[2]);
	event_unref(event);
	tear_down(&f);
}

TEST(reflexes_see_an_event_before_the_journal_gets_it) {
	struct fixture f;
	set_up(&f, 8);
	bus_subscribe(f.bus, &f.first, on_event, &f);

	CHECK(publish(&f, "test.a", NULL));

	CHECK_TEXT(f.seen, "a100 ");
	CHECK_INT(f.journaled_when_accepted, 0);
	CHECK_INT(journal.n, 1);
	bus_unsubscribe(&f.first);
	tear_down(&f);
}

TEST(durable_comes_only_after_the_journal_says_so) {
	struct fixture f;
	set_up(&f, 8);
	bus_subscribe(f.bus, &f.first, on_event, &f);
	struct event *event = event_create("test.a", "test", STR(""));
	CHECK(bus_publish(f.bus, event, on_durable, &f, NULL));
	CHECK_INT(f.durable, 0);

	bus_on_result(f.bus, 100, 100, NULL);

	CHECK_TEXT(f.seen, "a100 d100 ");
	CHECK_INT(f.durable, 1);
	tear_down(&f);
}

static void publish_inside(void *arg, enum bus_phase phase, struct event *event) {
	struct fixture *f = arg;
	if (phase == PHASE_ACCEPTED && event->id == 100) {
		CHECK_INT(publish(f, "test.b", NULL), 101);
	}
}

TEST(an_event_published_inside_a_callback_is_seen_by_all_after_the_first) {
	struct fixture f;
	set_up(&f, 8);
	bus_subscribe(f.bus, &f.first, publish_inside, &f);
	bus_subscribe(f.bus, &f.second, on_event, &f);

	CHECK(publish(&f, "test.a", NULL));

	CHECK_TEXT(f.seen, "a100 a101 ");
	CHECK_INT(journal.sequences[0], 100);
	CHECK_INT(journal.sequences[1], 101);
	tear_down(&f);
}

TEST(a_full_queue_refuses_ordinary_events_and_keeps_a_reserve) {
	struct fixture f;
	struct err err = ERR_INIT;
	set_up(&f, 4);
	CHECK(publish(&f, "test.a", NULL));
	CHECK(publish(&f, "test.a", NULL));

	CHECK(!publish(&f, "test.a", &err));

	CHECK_INT(err.code, ERR_BUSY);
	CHECK(bus_publish_reserved(f.bus, event_create("source.gap", "test", STR("")), NULL));
	tear_down(&f);
}

TEST(undeclared_kinds_are_refused) {
	struct fixture f;
	struct err err = ERR_INIT;
	set_up(&f, 8);

	CHECK(!publish(&f, "host.invented", &err));

	CHECK_INT(err.code, ERR_INVALID);
	tear_down(&f);
}

TEST(an_event_too_large_is_refused) {
	struct fixture f;
	struct err err = ERR_INIT;
	set_up(&f, 8);
	struct event *event = event_create("test.large", "test", STR(""));
	char *text = calloc(1, EVENT_BYTES_MAX + 1);
	event_set_str(event, "text", str_range(text, EVENT_BYTES_MAX + 1));

	CHECK(!bus_publish(f.bus, event, NULL, NULL, &err));

	CHECK_INT(err.code, ERR_LIMIT);
	free(text);
	tear_down(&f);
}

TEST(declared_kinds_go_to_their_own_stream) {
	struct fixture f;
	set_up(&f, 8);

	CHECK(publish(&f, "source.gap", NULL));
	CHECK(publish(&f, "test.a", NULL));
	CHECK(bus_keep_state(f.bus, "cursor", STR("7"), NULL));

	CHECK_TEXT(journal.streams[0], "audit");
	CHECK_TEXT(journal.streams[1], "normal");
	CHECK_TEXT(journal.streams[2], "state");
	tear_down(&f);
}

TEST(events_the_disk_refused_are_reported_as_a_gap_when_it_works_again) {
	struct fixture f;
	struct err err;
	struct bus_stats stats;
	set_up(&f, 8);
	err_set(&err, ERR_STORAGE, "no space left on device");
	struct event *event = event_create("test.a", "test", STR(""));
	CHECK(bus_publish(f.bus, event, on_durable, &f, NULL));
	CHECK(publish(&f, "test.b", NULL));

	bus_on_result(f.bus, 100, 101, &err);
	bus_get_stats(f.bus, &stats);
	CHECK(stats.is_failing);
	CHECK_INT(f.failed, 1);
	CHECK(publish(&f, "test.c", NULL));
	bus_on_result(f.bus, 102, 102, NULL);

	CHECK_INT(journal.sequences[3], 103);
	CHECK_TEXT(journal.streams[3], "audit");
	bus_get_stats(f.bus, &stats);
	CHECK(!stats.is_failing);
	CHECK_INT(stats.failed, 2);
	tear_down(&f);
}

struct told {
	struct subscription subscription;
	int count;
	int64_t from, to;
};

static void on_gap(void *arg, enum bus_phase phase, struct event *event) {
	struct told *told = arg;
	if (phase == PHASE_ACCEPTED && str_is(event->kind, "source.gap")) {
		told->count++;
		told->from = event_attribute(event, STR("from"))->integer;
		told->to = event_attribute(event, STR("to"))->integer;
	}
}

TEST(a_gap_whose_telling_failed_too_is_told_again) {
	struct fixture f;
	struct told told = {.count = 0};
	struct err full;
	set_up(&f, 16);
	err_set(&full, ERR_STORAGE, "full");
	bus_subscribe(f.bus, &told.subscription, on_gap, &told);
	CHECK_INT(publish(&f, "test.a", NULL), 100);
	CHECK_INT(publish(&f, "test.b", NULL), 101);
	bus_on_result(f.bus, 100, 100, &full);
	bus_on_result(f.bus, 101, 101, NULL);
	CHECK_INT(told.count, 1); // by event 102

	CHECK_INT(publish(&f, "test.c", NULL), 103);
	bus_on_result(f.bus, 102, 102, &full);
	CHECK_INT(told.count, 1);
	bus_on_result(f.bus, 103, 103, NULL);

	CHECK_INT(told.count, 2);
	CHECK_INT(told.from, 100);
	CHECK_INT(told.to, 102);
	bus_on_result(f.bus, 104, 104, NULL);
	CHECK_INT(told.count, 2);
	bus_unsubscribe(&told.subscription);
	tear_down(&f);
}

TEST(trying_whether_the_disk_works_again_uses_up_no_ids) {
	struct fixture f;
	struct bus_stats stats;
	struct err full;
	set_up(&f, 16);
	err_set(&full, ERR_STORAGE, "full");
	CHECK_INT(publish(&f, "test.a", NULL), 100);
	bus_on_result(f.bus, 100, 100, &full);
	for (int i = 0; i < 50; i++) {
		bus_try_again(f.bus);
		bus_on_result(f.bus, 101, 101, &full);
	}
	bus_try_again(f.bus);
	bus_on_result(f.bus, 101, 101, NULL);
	bus_get_stats(f.bus, &stats);
	CHECK(!stats.is_failing);
	CHECK_INT(publish(&f, "test.b", NULL), 102);
	tear_down(&f);
}

TEST(a_journal_that_keeps_nothing_ends_the_giving_of_ids) {
	struct fixture f;
	struct err full, err = ERR_INIT;
	set_up(&f, 16);
	bus_destroy(f.bus);
	struct bus_options options = {.loop = f.fake.loop,
		.random = &f.fake.random,
		.kinds = f.kinds,
		.next_id = 100,
		.capacity = 16,
		.reserve = 2,
		.unkept_max = 8};
	f.bus = bus_create(&options);
	bus_set_writer(f.bus, (struct writer *)&f);
	err_set(&full, ERR_STORAGE, "full");
	for (uint64_t id = 100; id < 104; id++) {
		CHECK_INT(publish(&f, "test.a", NULL), id);
		bus_on_result(f.bus, id, id, &full);
	}
	CHECK_INT(publish(&f, "test.a", &err), 0);
	CHECK_INT(err.code, ERR_STORAGE);
	CHECK_INT(bus_publish_reserved(f.bus, event_create("journal.state", "test", STR("")), NULL),
		104);
	bus_on_result(f.bus, 104, 104, NULL); // kept, and the gap is told
	bus_on_result(f.bus, 105, 105, NULL);
	CHECK_INT(publish(&f, "test.a", NULL), 106);
	tear_down(&f);
}

TEST(a_gap_that_reaches_far_back_can_always_be_told) {
	struct fixture f;
	struct bus_stats stats;
	struct err full;
	set_up(&f, 16);
	bus_destroy(f.bus);
	struct bus_options options = {.loop = f.fake.loop,
		.random = &f.fake.random,
		.kinds = f.kinds,
		.next_id = 100,
		.capacity = 16,
		.reserve = 2,
		.unkept_max = 8};
	f.bus = bus_create(&options);
	bus_set_writer(f.bus, (struct writer *)&f);
	err_set(&full, ERR_STORAGE, "full");
	struct event *event = event_create("source.gap", "journal", STR("journal"));
	event_set_int(event, "from", 10); // of an earlier life
	event_set_int(event, "to", 99);
	CHECK_INT(bus_publish_reserved(f.bus, event, NULL), 100);
	bus_on_result(f.bus, 100, 100, &full);
	CHECK_INT(publish(&f, "test.a", NULL), 0); // not before it is told
	bus_try_again(f.bus);
	bus_on_result(f.bus, 100, 100, NULL);
	bus_get_stats(f.bus, &stats);
	CHECK(!stats.is_failing);
	CHECK_INT(publish(&f, "test.a", NULL), 101);
	tear_down(&f);
}

TEST(destroying_the_bus_fails_what_is_in_flight) {
	struct fixture f;
	set_up(&f, 8);
	struct event *event = event_create("test.a", "test", STR(""));
	CHECK(bus_publish(f.bus, event, on_durable, &f, NULL));

	tear_down(&f);

	CHECK_INT(f.failed, 1);
}

TEST(events_beyond_the_memory_for_them_are_busy_and_the_reserve_still_passes) {
	struct fixture f;
	struct err err = ERR_INIT;
	struct bus_stats stats;
	char text[16000];
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	set_up(&f, 64);
	struct event *event = event_create("test.a", "test", STR(""));
	event_set_text(event, "text", text);
	CHECK(bus_publish(f.bus, event, NULL, NULL, NULL));
	fake_clock_advance(&f.fake.clock, NS_PER_SECOND);

	event = event_create("test.a", "test", STR(""));
	event_set_text(event, "text", text);
	CHECK(!bus_publish(f.bus, event, NULL, NULL, &err));
	CHECK_INT(err.code, ERR_BUSY);
	event = event_create("health.changed", "daemon", STR("annad"));
	event_set_text(event, "from", text);
	CHECK(bus_publish_reserved(f.bus, event, NULL));

	bus_get_stats(f.bus, &stats);
	CHECK(stats.bytes > 65536 / 2);
	CHECK_INT(stats.refused, 1);
	CHECK_INT(stats.oldest_ns, 1000 * NS_PER_SECOND);
	bus_on_result(f.bus, 100, 101, NULL);
	bus_get_stats(f.bus, &stats);
	CHECK_INT(stats.bytes, 0);
	CHECK_INT(stats.oldest_ns, 0);
	tear_down(&f);
}

int main(void) {
	return TESTS(RUN(a_published_event_gets_id_time_trace_and_generation),
		RUN(reflexes_see_an_event_before_the_journal_gets_it),
		RUN(durable_comes_only_after_the_journal_says_so),
		RUN(an_event_published_inside_a_callback_is_seen_by_all_after_the_first),
		RUN(a_full_queue_refuses_ordinary_events_and_keeps_a_reserve),
		RUN(undeclared_kinds_are_refused), RUN(an_event_too_large_is_refused),
		RUN(declared_kinds_go_to_their_own_stream),
		RUN(events_the_disk_refused_are_reported_as_a_gap_when_it_works_again),
		RUN(a_gap_whose_telling_failed_too_is_told_again),
		RUN(trying_whether_the_disk_works_again_uses_up_no_ids),
		RUN(a_journal_that_keeps_nothing_ends_the_giving_of_ids),
		RUN(a_gap_that_reaches_far_back_can_always_be_told),
		RUN(destroying_the_bus_fails_what_is_in_flight),
		RUN(events_beyond_the_memory_for_them_are_busy_and_the_reserve_still_passes));
}
