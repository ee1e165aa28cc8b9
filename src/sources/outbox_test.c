// SPDX-License-Identifier: Apache-2.0
// Events that wait for the bus, and the gap that is told when too many did.
#include "sources/outbox.h"

#include "sources/source_fixture.h"

static const struct capability nothing = {.name = "test"};

static void init(struct fixture *fixture, struct outbox *outbox) {
	fixture_init(fixture, NULL, &nothing);
	outbox_init(outbox, &fixture->services, "test");
}

static void finish(struct fixture *fixture, struct outbox *outbox) {
	outbox_finish(outbox);
	fixture_finish(fixture);
}

static void send(struct outbox *outbox, int n) {
	for (int i = 0; i < n; i++) {
		struct event *event = event_create("test.a", "test", STR(""));
		event_set_int(event, "i", i);
		outbox_send(outbox, event);
	}
}

TEST(an_event_goes_at_once_while_there_is_room) {
	struct fixture fixture;
	struct outbox outbox;
	init(&fixture, &outbox);
	send(&outbox, 1);
	CHECK_INT(fixture.n, 1);
	finish(&fixture, &outbox);
}

TEST(many_go_in_portions_in_order) {
	struct fixture fixture;
	struct outbox outbox;
	init(&fixture, &outbox);
	send(&outbox, 100);
	CHECK_INT(fixture.n, 16);
	loop_advance(fixture.fake.loop, NS_PER_MS);
	CHECK_INT(fixture.n, 100);
	for (int i = 0; i < 100; i++) {
		char text[16];
		snprintf(text, sizeof(text), "%d", i);
		CHECK_TEXT(fixture_text(fixture.events[i], "i"), text);
	}
	finish(&fixture, &outbox);
}

TEST(what_the_bus_refuses_waits_with_its_time) {
	struct fixture fixture;
	struct outbox outbox;
	init(&fixture, &outbox);
	fixture_set_journal(&fixture, false);
	int64_t then = fixture.fake.clock.wall_ns;
	send(&outbox, 20);
	loop_advance(fixture.fake.loop, 10 * NS_PER_SECOND);
	CHECK_INT(fixture.n, 0);
	fixture_set_journal(&fixture, true);
	loop_advance(fixture.fake.loop, NS_PER_SECOND);
	CHECK_INT(fixture.n, 20);
	CHECK_INT(fixture.events[19]->time_ns, then);
	finish(&fixture, &outbox);
}

TEST(what_finds_no_room_is_counted_and_told_as_a_gap) {
	struct fixture fixture;
	struct outbox outbox;
	init(&fixture, &outbox);
	fixture_set_journal(&fixture, false);
	send(&outbox, OUTBOX_MAX + 7);
	fixture_set_journal(&fixture, true);
	loop_advance(fixture.fake.loop, NS_PER_SECOND);
	CHECK_STR(fixture.events[0]->kind, "source.gap");
	CHECK_TEXT(fixture_text(fixture.events[0], "reason"), "busy");
	CHECK_TEXT(fixture_text(fixture.events[0], "count"), "7");
	CHECK_TEXT(fixture_text(fixture.events[0], "source"), "test");
	CHECK_TEXT(fixture_text(fixture.events[1], "i"), "0");
	finish(&fixture, &outbox);
}

TEST(an_event_that_can_never_be_published_holds_up_nothing) {
	struct fixture fixture;
	struct outbox outbox;
	init(&fixture, &outbox);
	outbox_send(&outbox, event_create("undeclared.kind", "test", STR("")));
	send(&outbox, 1);
	CHECK_INT(fixture.n, 1);
	CHECK_INT(outbox.n, 0);
	finish(&fixture, &outbox);
}

TEST(a_gap_of_unknown_size_has_no_count) {
	struct fixture fixture;
	struct outbox outbox;
	init(&fixture, &outbox);
	fixture_set_journal(&fixture, false);
	outbox_gap(&outbox, "overflow", 5, 3);
	outbox_gap(&outbox, "overflow", 9, 0);
	fixture_set_journal(&fixture, true);
	loop_advance(fixture.fake.loop, NS_PER_SECOND);
	CHECK_INT(fixture.n, 1);
	CHECK_TEXT(fixture_text(fixture.events[0], "from"), "5");
	CHECK_TEXT(fixture_text(fixture.events[0], "count"), "");
	finish(&fixture, &outbox);
}

TEST(many_gaps_in_a_row_are_two_events) {
	struct fixture fixture;
	struct outbox outbox;
	init(&fixture, &outbox);
	for (int i = 0; i < 500; i++) {
		outbox_gap(&outbox, "overflow", 5, 1);
	}
	CHECK_INT(fixture.n, 1);
	send(&outbox, 3); // events do not wait for it
	CHECK_INT(fixture.n, 4);
	loop_advance(fixture.fake.loop, 2 * NS_PER_SECOND);
	CHECK_INT(fixture.n, 5);
	CHECK_TEXT(fixture_text(fixture.events[4], "count"), "499");
	finish(&fixture, &outbox);
}

int main(void) {
	return TESTS(RUN(an_event_goes_at_once_while_there_is_room),
		RUN(many_go_in_portions_in_order), RUN(what_the_bus_refuses_waits_with_its_time),
		RUN(what_finds_no_room_is_counted_and_told_as_a_gap),
		RUN(an_event_that_can_never_be_published_holds_up_nothing),
		RUN(a_gap_of_unknown_size_has_no_count), RUN(many_gaps_in_a_row_are_two_events));
}
