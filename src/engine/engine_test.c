// SPDX-License-Identifier: Apache-2.0
// What acts, when, in which order and how often, in simulated time over a real journal.
#include "engine/engine.h"

#include "base/alloc.h"
#include "tests/check.h"
#include "tests/fakes/fake_engine.h"

#define ACTION_NOTE "action = { type = \"note\" }\n"
#define ACTION_HOLD "action = { type = \"hold\" }\n"

static struct engine_stats stats_of(const struct fake_engine *fake) {
	struct engine_stats stats;
	engine_get_stats(fake->engine, &stats);
	return stats;
}

TEST(a_reflex_acts_before_the_journal_and_an_assured_mapping_after) {
	struct fake_engine fake;
	fake_engine_init(&fake, 1);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"late\"\non = \"test.*\"\n" ACTION_NOTE
		"[[mappings]]\nname = \"early\"\non = \"test.*\"\nclass = \"reflex\"\n" ACTION_NOTE,
		false);

	CHECK_INT(fake_engine_emit(&fake, "test.a", NULL), 1);
	CHECK_TEXT(buf_text(&fake.noted), "1:early;");
	fake_engine_settle(&fake);

	CHECK_TEXT(buf_text(&fake.noted), "1:early;1:late;");
	CHECK_TEXT(buf_text(&fake.events),
		"action.finished(early true); action.started(late); "
		"action.finished(late true); ");
	fake_engine_finish(&fake);
}

TEST(all_that_match_act_in_file_order_until_one_says_stop) {
	struct fake_engine fake;
	fake_engine_init(&fake, 2);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"a\"\non = \"test.a\"\n" ACTION_NOTE
		"[[mappings]]\nname = \"off\"\non = \"*\"\nenabled = false\nstop = "
		"true\n" ACTION_NOTE "[[mappings]]\nname = \"b\"\non = [\"test.b\", \"test.?\"]\n"
		"where = { level = { gt = 2 } }\nstop = true\n" ACTION_NOTE
		"[[mappings]]\nname = \"c\"\non = \"*\"\n" ACTION_NOTE,
		false);

	(void)fake_engine_emit(&fake, "test.a", "{\"level\":3}");
	(void)fake_engine_emit(&fake, "test.a", "{\"level\":2}");
	fake_engine_settle(&fake);

	CHECK_TEXT(buf_text(&fake.noted), "1:a;1:b;2:a;2:c;");
	fake_engine_finish(&fake);
}

TEST(a_stop_of_one_class_counts_for_the_other) {
	struct fake_engine fake;
	fake_engine_init(&fake, 3);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"assured\"\non = \"test.*\"\nstop = true\n" ACTION_NOTE
		"[[mappings]]\nname = \"reflex\"\non = \"test.*\"\nclass = "
		"\"reflex\"\n" ACTION_NOTE,
		false);

	(void)fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);

	CHECK_TEXT(buf_text(&fake.noted), "1:assured;");
	fake_engine_finish(&fake);
}

TEST(a_star_does_not_hear_the_engine_itself) {
	struct fake_engine fake;
	fake_engine_init(&fake, 4);
	fake_engine_start(&fake, "[[mappings]]\nname = \"all\"\non = \"*\"\n" ACTION_NOTE, false);

	(void)fake_engine_emit(&fake, "test.a", NULL);
	loop_advance(fake.loop.loop, 60 * NS_PER_SECOND);

	CHECK_TEXT(buf_text(&fake.noted), "1:all;");
	fake_engine_finish(&fake);
}

TEST(a_mapping_that_triggers_itself_ends_at_its_depth) {
	struct fake_engine fake;
	fake_engine_init(&fake, 5);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"loop\"\non = [\"test.a\", \"action.finished\", "
		"\"mapping.*\"]\n"
		"max_depth = 3\n" ACTION_NOTE,
		false);

	(void)fake_engine_emit(&fake, "test.a", NULL);
	loop_advance(fake.loop.loop, 600 * NS_PER_SECOND);

	// Depths 0 to 3 act; the finished of depth 4 is refused, and its report is not reported.
	CHECK_INT(stats_of(&fake).started, 4);
	CHECK_INT(stats_of(&fake).refused, 2);
	CHECK(str_find(buf_str(&fake.events), STR("mapping.refused(loop depth 1); ")) > 0);
	fake_engine_finish(&fake);
}

TEST(a_reflex_over_its_budget_is_refused_and_reported_once_a_second) {
	struct fake_engine fake;
	fake_engine_init(&fake, 6);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\nclass = \"reflex\"\nbudget = 2\n"
		"budget_per = \"10s\"\n" ACTION_NOTE,
		false);

	for (int i = 0; i < 5; i++) {
		(void)fake_engine_emit(&fake, "test.a", NULL);
	}
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);

	CHECK_INT(stats_of(&fake).started, 2);
	CHECK_INT(stats_of(&fake).refused, 3);
	CHECK_TEXT(buf_text(&fake.events),
		"action.finished(m true); action.finished(m true); mapping.refused(m budget 1); "
		"mapping.refused(m budget 2); ");
	buf_clear(&fake.noted);
	(void)fake_engine_emit(&fake, "test.a", NULL); // a token has come back
	CHECK(fake.noted.len > 0);
	fake_engine_finish(&fake);
}

TEST(assured_runs_over_their_budget_wait_in_order) {
	struct fake_engine fake;
	fake_engine_init(&fake, 7);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\nbudget = 2\nbudget_per = "
		"\"10s\"\n" ACTION_NOTE,
		false);

	for (int i = 0; i < 5; i++) {
		(void)fake_engine_emit(&fake, "test.a", NULL);
	}
	fake_engine_settle(&fake);
	CHECK_TEXT(buf_text(&fake.noted), "1:m;2:m;");
	CHECK_INT(stats_of(&fake).waiting, 3);
	CHECK_INT(stats_of(&fake).cursor, 2);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);
	CHECK_TEXT(buf_text(&fake.noted), "1:m;2:m;3:m;");
	loop_advance(fake.loop.loop, 60 * NS_PER_SECOND);

	CHECK_TEXT(buf_text(&fake.noted), "1:m;2:m;3:m;4:m;5:m;");
	CHECK_INT(stats_of(&fake).refused, 0);
	fake_engine_finish(&fake);
}

TEST(concurrency_is_kept_and_what_waits_goes_in_order) {
	struct fake_engine fake;
	fake_engine_init(&fake, 8);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\nconcurrency = 2\n" ACTION_HOLD,
		false);

	for (int i = 0; i < 5; i++) {
		(void)fake_engine_emit(&fake, "test.a", NULL);
	}
	fake_engine_settle(&fake);
	CHECK_INT(fake.held_count, 2);
	fake_engine_release(&fake, NULL);
	fake_engine_release(&fake, "it broke");
	fake_engine_settle(&fake);

	CHECK_INT(fake.held_count, 2);
	CHECK_INT(fake.held[0]->event->id, 3);
	CHECK_INT(fake.held[1]->event->id, 4);
	CHECK_INT(stats_of(&fake).failed, 1);
	CHECK_INT(stats_of(&fake).cursor, 2);
	CHECK(str_find(buf_str(&fake.events), STR("action.finished(m false it broke); ")) > 0);
	fake_engine_finish(&fake);
}

TEST(reflexes_over_their_concurrency_wait_too) {
	struct fake_engine fake;
	fake_engine_init(&fake, 9);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\nclass = \"reflex\"\nconcurrency = "
		"1\n" ACTION_HOLD,
		false);

	(void)fake_engine_emit(&fake, "test.a", NULL);
	(void)fake_engine_emit(&fake, "test.a", NULL);
	CHECK_INT(fake.held_count, 1);
	CHECK_TEXT(buf_text(&fake.events), "action.started(m); ");
	fake_engine_release(&fake, NULL);
	fake_engine_settle(&fake);

	CHECK_INT(fake.held_count, 1);
	CHECK_INT(fake.held[0]->event->id, 3);
	fake_engine_finish(&fake);
}

static size_t count_events(const struct fake_engine *fake, const char *beginning) {
	size_t n = 0;
	struct str rest = buf_str(&fake->events), part;
	while (rest.at && str_split(&rest, ';', &part)) {
		n += str_find(part, str_from(beginning)) >= 0;
	}
	return n;
}

TEST(a_reload_keeps_what_runs_and_waits_and_takes_on_the_new_limits) {
	struct fake_engine fake;
	fake_engine_init(&fake, 10);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"gone\"\non = \"test.*\"\nconcurrency = 1\n" ACTION_HOLD
		"[[mappings]]\nname = \"kept\"\non = \"test.*\"\nconcurrency = 1\n" ACTION_HOLD,
		false);
	for (int i = 0; i < 3; i++) {
		(void)fake_engine_emit(&fake, "test.a", NULL);
	}
	fake_engine_settle(&fake);
	CHECK_INT(stats_of(&fake).running, 2);
	CHECK_INT(stats_of(&fake).waiting, 4);

	fake_engine_configure(&fake,
		"[[mappings]]\nname = \"new\"\non = \"test.b\"\n" ACTION_HOLD
		"[[mappings]]\nname = \"kept\"\non = \"test.*\"\nconcurrency = 2\n" ACTION_HOLD);
	fake_engine_settle(&fake);

	struct mapping_stats kept;
	engine_get_mapping(fake.engine, 1, &kept);
	CHECK_STR(kept.name, "kept");
	CHECK_INT(kept.matched, 3);
	CHECK_INT(kept.running, 2);
	CHECK_INT(kept.waiting, 1);
	CHECK_INT(stats_of(&fake).running, 3); // with the one of the mapping that is gone
	CHECK_INT(stats_of(&fake).waiting, 3); // and what it had accepted
	fake_engine_release(&fake, NULL);      // gone's ends as it began
	CHECK(str_find(buf_str(&fake.events), STR("action.finished(gone true)")) > 0);
	fake_engine_finish(&fake);
}

TEST(a_removed_mapping_finishes_what_it_had_accepted_and_a_disabled_one_does_not) {
	struct fake_engine fake;
	fake_engine_init(&fake, 12);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"gone\"\non = \"test.*\"\nconcurrency = 1\n" ACTION_HOLD
		"[[mappings]]\nname = \"off\"\non = \"test.*\"\nconcurrency = 1\n" ACTION_HOLD,
		false);
	for (int i = 0; i < 3; i++) {
		(void)fake_engine_emit(&fake, "test.a", NULL);
	}
	fake_engine_settle(&fake);

	fake_engine_configure(&fake,
		"[[mappings]]\nname = \"off\"\non = \"test.*\"\nenabled = false\n" ACTION_HOLD);
	fake_engine_settle(&fake);
	CHECK_INT(stats_of(&fake).waiting, 2); // gone's
	while (fake.held_count) {
		fake_engine_release(&fake, NULL);
		fake_engine_settle(&fake);
	}

	CHECK_INT(count_events(&fake, "action.finished(gone true)"), 3);
	CHECK_INT(count_events(&fake, "action.finished(off true)"), 1);
	CHECK(str_find(buf_str(&fake.events), STR("mapping.refused")) > 0);
	fake_engine_finish(&fake);
}

TEST(an_event_is_judged_by_the_configuration_that_accepted_it) {
	struct fake_engine fake;
	fake_engine_init(&fake, 11);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\nclass = \"reflex\"\n" ACTION_NOTE,
		false);

	(void)fake_engine_emit(&fake, "test.a", NULL); // not durable yet
	fake_engine_configure(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\n" ACTION_NOTE
		"[[mappings]]\nname = \"new\"\non = \"test.*\"\n" ACTION_NOTE);
	fake_engine_settle(&fake);
	CHECK_TEXT(buf_text(&fake.noted), "1:m;"); // not a second time, and not by the new one
	(void)fake_engine_emit(&fake, "test.b", NULL);
	fake_engine_settle(&fake);

	CHECK(str_ends(buf_str(&fake.noted), STR(":m;3:new;")));
	fake_engine_finish(&fake);
}

struct report {
	char action[16];
	bool has_level; // among its guards
};

static void note_started(void *arg, enum bus_phase phase, struct event *event) {
	struct report *report = arg;
	if (phase == PHASE_ACCEPTED && str_is(event->kind, "action.started")) {
		struct str action = event_attribute(event, STR("action"))->string;
		const struct value *guards = event_attribute(event, STR("guards"));
		(void)snprintf(
			report->action, sizeof(report->action), "%" STR_FMT, STR_ARG(action));
		report->has_level = guards && value_get(guards, STR("level"));
	}
}

TEST(what_waits_runs_the_action_of_the_configuration_that_accepted_it) {
	struct fake_engine fake;
	struct subscription subscription = {0};
	struct report report = {0};
	fake_engine_init(&fake, 17);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\nconcurrency = 1\n"
		"where = { level = { gt = 2 } }\n" ACTION_HOLD,
		false);
	bus_subscribe(fake.bus, &subscription, note_started, &report);
	(void)fake_engine_emit(&fake, "test.a", "{\"level\":3,\"mood\":1}");
	(void)fake_engine_emit(&fake, "test.a", "{\"level\":4,\"mood\":1}"); // waits
	fake_engine_settle(&fake);
	(void)fake_engine_emit(&fake, "test.a", "{\"level\":5,\"mood\":1}"); // not durable yet

	fake_engine_configure(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\nconcurrency = 1\n"
		"where = { mood = 2 }\n" ACTION_NOTE);
	fake_engine_settle(&fake);
	CHECK_INT(fake.held_count, 1);
	for (int i = 0; i < 2; i++) {
		report = (struct report){0};
		fake_engine_release(&fake, NULL);
		fake_engine_settle(&fake);
		CHECK_INT(fake.held_count, 1);
		CHECK_TEXT(report.action, "hold");
		CHECK(report.has_level);
	}
	fake_engine_release(&fake, NULL);
	(void)fake_engine_emit(&fake, "test.a", "{\"mood\":2}");
	fake_engine_settle(&fake);

	CHECK_TEXT(report.action, "note");
	CHECK(!report.has_level);
	bus_unsubscribe(&subscription);
	fake_engine_finish(&fake);
}

TEST(a_full_journal_slows_runs_down_and_hides_none) {
	struct fake_engine fake;
	fake_engine_init(&fake, 12);
	fake.bus_capacity = 24; // 8 places and the reserve
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"a\"\non = \"test.*\"\n" ACTION_NOTE
		"[[mappings]]\nname = \"b\"\non = \"test.*\"\n" ACTION_NOTE
		"[[mappings]]\nname = \"c\"\non = \"test.*\"\n" ACTION_HOLD,
		false);
	int accepted = 0;
	for (int i = 0; i < 30; i++) {
		accepted += fake_engine_emit(&fake, "test.a", NULL) != 0;
	}
	CHECK_INT(accepted, 8);
	for (int i = 0; i < 40; i++) {
		loop_advance(fake.loop.loop, NS_PER_SECOND);
		while (fake.held_count) {
			fake_engine_release(&fake, NULL);
		}
	}

	CHECK_INT(stats_of(&fake).finished, 24);
	CHECK_INT(stats_of(&fake).running, 0);
	CHECK_INT(count_events(&fake, "action.started("), 24);
	CHECK_INT(count_events(&fake, "action.finished("), 24);
	fake_engine_finish(&fake);
}

// The same start with a bus that gives out no more than `unkept_max` / 2 ids the journal has not kept:
// how a disk that refuses looks from here, once much is in flight.
static void start_with_few_ids(struct fake_engine *fake, const char *config, uint64_t unkept_max) {
	fake_engine_start(fake, "", false);
	void (*on_event)(void *, enum bus_phase, struct event *) = fake->subscription.on_event;
	engine_destroy(take_ptr(fake->engine));
	bus_unsubscribe(&fake->subscription);
	bus_set_writer(fake->bus, NULL);
	bus_destroy(fake->bus);
	struct bus_options options = {.loop = fake->loop.loop,
		.random = &fake->loop.random,
		.kinds = fake->kinds,
		.next_id = 1,
		.capacity = 4096,
		.reserve = 16,
		.unkept_max = unkept_max};
	fake->services.bus = fake->bus = bus_create(&options);
	bus_set_writer(fake->bus, fake->writer);
	bus_subscribe(fake->bus, &fake->subscription, on_event, fake);
	fake->engine = engine_create(&fake->services);
	fake_engine_configure(fake, config);
}

TEST(a_journal_that_refuses_for_a_while_hides_no_run_and_loses_no_report) {
	struct fake_engine fake;
	struct err err = ERR_INIT;
	fake_engine_init(&fake, 16);
	start_with_few_ids(&fake,
		"[[mappings]]\nname = \"a\"\non = \"test.*\"\n" ACTION_NOTE
		"[[mappings]]\nname = \"b\"\non = \"test.*\"\n" ACTION_NOTE
		"[[mappings]]\nname = \"c\"\non = \"test.*\"\n" ACTION_HOLD,
		16);
	for (int i = 0; i < 8; i++) {
		CHECK(fake_engine_emit(&fake, "test.a", NULL));
	}
	struct event *ninth = event_create("test.a", "test", STR(""));
	CHECK(!bus_publish(fake.bus, ninth, NULL, NULL, &err));
	CHECK_INT(err.code, ERR_STORAGE);

	for (int i = 0; i < 40; i++) {
		loop_advance(fake.loop.loop, NS_PER_SECOND);
		while (fake.held_count) {
			fake_engine_release(&fake, NULL);
		}
	}

	CHECK_INT(stats_of(&fake).finished, 24);
	CHECK_INT(stats_of(&fake).running, 0);
	CHECK_INT(count_events(&fake, "action.started("), 24);
	CHECK_INT(count_events(&fake, "action.finished("), 24);
	fake_engine_finish(&fake);
}

static void note_idle(void *arg) {
	*(bool *)arg = true;
}

TEST(draining_starts_nothing_new_and_waits_for_what_runs) {
	struct fake_engine fake;
	bool is_idle = false;
	fake_engine_init(&fake, 13);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\nconcurrency = 1\n" ACTION_HOLD,
		false);
	(void)fake_engine_emit(&fake, "test.a", NULL);
	(void)fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);

	engine_drain(fake.engine, note_idle, &is_idle);
	(void)fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);
	CHECK(!is_idle);
	CHECK_INT(fake.held_count, 1);
	fake_engine_release(&fake, NULL);
	fake_engine_settle(&fake);

	CHECK(is_idle);
	CHECK_INT(fake.held_count, 0);
	CHECK_INT(stats_of(&fake).cursor, 1);
	fake_engine_finish(&fake);
}

TEST(exec_in_simulated_time_is_killed_at_its_limit) {
	struct fake_engine fake;
	fake_engine_init(&fake, 14);
	fake_engine_start(&fake,
		"[[mappings]]\nname = \"m\"\non = \"test.*\"\n"
		"action = { type = \"exec\", argv = [\"/bin/x\", \"{level}\"], timeout = \"5s\" "
		"}\n",
		false);
	fake_children_plan(&fake.children,
		(struct fake_plan){.duration_ns = 60 * NS_PER_SECOND, .ignores_sigterm = true});

	(void)fake_engine_emit(&fake, "test.a", "{\"level\":\"$(reboot); {mount}\"}");
	loop_advance(fake.loop.loop, 6 * NS_PER_SECOND);
	CHECK_TEXT(fake.children.last_argv, "/bin/x|$(reboot); {mount}");
	CHECK_INT(fake.children.last_signal, 15);
	CHECK_INT(stats_of(&fake).running, 1);
	loop_advance(fake.loop.loop, 2 * NS_PER_SECOND);

	CHECK_INT(fake.children.last_signal, 9);
	CHECK_INT(stats_of(&fake).running, 0);
	CHECK(str_find(buf_str(&fake.events),
		      STR("it did not end within its time limit of 5s and"
			  " was killed")) > 0);
	fake_engine_finish(&fake);
}

int main(void) {
	return TESTS(RUN(a_reflex_acts_before_the_journal_and_an_assured_mapping_after),
		RUN(all_that_match_act_in_file_order_until_one_says_stop),
		RUN(a_stop_of_one_class_counts_for_the_other),
		RUN(a_star_does_not_hear_the_engine_itself),
		RUN(a_mapping_that_triggers_itself_ends_at_its_depth),
		RUN(a_reflex_over_its_budget_is_refused_and_reported_once_a_second),
		RUN(assured_runs_over_their_budget_wait_in_order),
		RUN(concurrency_is_kept_and_what_waits_goes_in_order),
		RUN(reflexes_over_their_concurrency_wait_too),
		RUN(a_reload_keeps_what_runs_and_waits_and_takes_on_the_new_limits),
		RUN(a_removed_mapping_finishes_what_it_had_accepted_and_a_disabled_one_does_not),
		RUN(an_event_is_judged_by_the_configuration_that_accepted_it),
		RUN(what_waits_runs_the_action_of_the_configuration_that_accepted_it),
		RUN(a_full_journal_slows_runs_down_and_hides_none),
		RUN(a_journal_that_refuses_for_a_while_hides_no_run_and_loses_no_report),
		RUN(draining_starts_nothing_new_and_waits_for_what_runs),
		RUN(exec_in_simulated_time_is_killed_at_its_limit));
}
