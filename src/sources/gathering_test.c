// SPDX-License-Identifier: Apache-2.0
// Looking again at a hint, on a simulated loop: what is there is what the test says.
#include "sources/gathering.h"

#include "sources/source_fixture.h"

static const struct capability nothing = {.name = "test"};

static const char *world; // "a=1 b=2"; NULL: it cannot be read
static int looks;

static void gather(const char *spec, struct facts *out, struct buf *trouble) {
	struct str rest = str_from(world), word, key;
	CHECK_TEXT(spec, "spec");
	looks++;
	if (!world) {
		buf_append_text(trouble, "cannot look");
	}
	while (str_word(&rest, &word)) {
		(void)str_split(&word, '=', &key);
		facts_add(out, key, word);
	}
}

struct machine {
	struct fixture fixture;
	struct outbox outbox;
	struct gathering gathering;
	struct buf told;
	bool takes_all;
};

static void on_change(void *arg, const struct fact_change *change) {
	struct machine *machine = arg;
	const char *sign = !change->before.at ? "+" : !change->after.at ? "-" : "~";
	buf_appendf(&machine->told, "%s%" STR_FMT " ", sign, STR_ARG(change->key));
	if (change->key.at[0] == 'e') { // these are events
		outbox_send(&machine->outbox, event_create("test.a", "test", change->key));
	}
}

static bool on_changes(void *arg, const struct fact_changes *changes) {
	struct machine *machine = arg;
	if (machine->takes_all && changes->n) {
		buf_appendf(&machine->told, "all%zu ", changes->n);
	}
	return machine->takes_all;
}

static void init(struct machine *machine, const char *first) {
	*machine = (struct machine){0};
	world = first;
	looks = 0;
	fixture_init(&machine->fixture, NULL, &nothing);
	outbox_init(&machine->outbox, &machine->fixture.services, "test");
	machine->gathering = (struct gathering){.services = &machine->fixture.services,
		.outbox = &machine->outbox,
		.settle_ns = 2 * NS_PER_SECOND,
		.most_ns = 10 * NS_PER_SECOND,
		.spec = "spec",
		.gather = gather,
		.on_changes = on_changes,
		.on_change = on_change,
		.arg = machine};
	gathering_start(&machine->gathering);
}

static void finish(struct machine *machine) {
	gathering_stop(&machine->gathering);
	outbox_finish(&machine->outbox);
	buf_finish(&machine->told);
	fixture_finish(&machine->fixture);
}

static void pass(struct machine *machine, int64_t seconds) {
	loop_advance(machine->fixture.fake.loop, seconds * NS_PER_SECOND);
}

TEST(the_first_look_tells_nothing_and_a_hint_what_is_different) {
	struct machine machine;
	init(&machine, "a=1 b=1");
	pass(&machine, 5);
	CHECK_TEXT(buf_text(&machine.told), "");
	world = "b=2 c=1";
	pass(&machine, 60);
	CHECK_INT(looks, 1);
	gathering_hint(&machine.gathering);
	pass(&machine, 5);
	CHECK_TEXT(buf_text(&machine.told), "-a ~b +c ");
	CHECK_INT(looks, 2);
	struct buf shown = BUF_INIT;
	meters_format(machine.fixture.meters, &shown);
	CHECK(strstr(buf_text(&shown), "\nanna_test_known 2\n") != NULL);
	buf_finish(&shown);
	finish(&machine);
}

TEST(hints_that_go_on_are_followed_after_a_while_nonetheless) {
	struct machine machine;
	init(&machine, "a=1");
	pass(&machine, 5);
	for (int i = 0; i < 25; i++) {
		gathering_hint(&machine.gathering);
		pass(&machine, 1);
	}
	CHECK(looks == 3);
	finish(&machine);
}

TEST(a_hint_during_a_look_is_followed_by_another) {
	struct machine machine;
	init(&machine, "a=1");
	gathering_hint(&machine.gathering);
	world = "a=1";
	pass(&machine, 10);
	CHECK_INT(looks, 2);
	CHECK(!machine.gathering.is_hinted);
	finish(&machine);
}

TEST(what_cannot_be_read_is_trouble_and_what_was_known_stands) {
	struct machine machine;
	init(&machine, "a=1");
	pass(&machine, 5);
	world = NULL;
	gathering_hint(&machine.gathering);
	pass(&machine, 5);
	CHECK_TEXT(buf_text(&machine.gathering.trouble), "cannot look");
	world = "a=1 b=1";
	gathering_hint(&machine.gathering);
	pass(&machine, 5);
	CHECK_TEXT(buf_text(&machine.gathering.trouble), "");
	CHECK_TEXT(buf_text(&machine.told), "+b ");
	finish(&machine);
}

TEST(changes_may_be_told_as_one) {
	struct machine machine;
	init(&machine, "a=1");
	pass(&machine, 5);
	machine.takes_all = true;
	world = "b=1 c=1";
	gathering_hint(&machine.gathering);
	pass(&machine, 5);
	CHECK_TEXT(buf_text(&machine.told), "all3 ");
	finish(&machine);
}

TEST(while_the_bus_refuses_no_more_is_told_and_nothing_is_lost) {
	struct machine machine;
	struct buf many = BUF_INIT;
	init(&machine, "");
	pass(&machine, 5);
	for (int i = 0; i < 60; i++) {
		buf_appendf(&many, "e%02d=1 ", i);
	}
	world = buf_text(&many);
	fixture_set_journal(&machine.fixture, false);
	gathering_hint(&machine.gathering);
	pass(&machine, 30);
	CHECK_INT(machine.outbox.n, 1);
	fixture_set_journal(&machine.fixture, true);
	pass(&machine, 10);
	CHECK_INT(machine.fixture.n, 60);
	CHECK_STR(machine.fixture.events[59]->subject, "e59");
	buf_finish(&many);
	finish(&machine);
}

TEST(a_stop_during_a_look_leaves_it_alone) {
	struct machine machine;
	init(&machine, "a=1");
	gathering_stop(&machine.gathering);
	gathering_stop(&machine.gathering);
	pass(&machine, 5);
	CHECK_TEXT(buf_text(&machine.told), "");
	finish(&machine);
}

int main(void) {
	return TESTS(RUN(the_first_look_tells_nothing_and_a_hint_what_is_different),
		RUN(hints_that_go_on_are_followed_after_a_while_nonetheless),
		RUN(a_hint_during_a_look_is_followed_by_another),
		RUN(what_cannot_be_read_is_trouble_and_what_was_known_stands),
		RUN(changes_may_be_told_as_one),
		RUN(while_the_bus_refuses_no_more_is_told_and_nothing_is_lost),
		RUN(a_stop_during_a_look_leaves_it_alone));
}
