// SPDX-License-Identifier: Apache-2.0
// At least once: what a crash, a stop or a flood left undone is done later, under the same key; what
// was finished is not done again.
#include "engine/engine.h"

#include "tests/check.h"
#include "tests/fakes/fake_engine.h"

#define NOTE_ALL "[[mappings]]\nname = \"m\"\non = \"test.*\"\naction = { type = \"note\" }\n"
#define HOLD_ALL "[[mappings]]\nname = \"m\"\non = \"test.*\"\naction = { type = \"hold\" }\n"

static struct engine_stats stats_of(const struct fake_engine *fake) {
	struct engine_stats stats;
	engine_get_stats(fake->engine, &stats);
	return stats;
}

TEST(what_was_finished_before_a_crash_is_not_repeated) {
	struct fake_engine fake;
	fake_engine_init(&fake, 1);
	fake_engine_start(&fake, NOTE_ALL, true);
	fake_engine_settle(&fake);
	CHECK(fake.was_recovered);
	(void)fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake); // less than a second: the cursor was not saved
	CHECK(fake.noted.len > 0);

	buf_clear(&fake.noted);
	fake_engine_crash(&fake);
	fake_engine_start(&fake, NOTE_ALL, true);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);

	CHECK(fake.was_recovered);
	CHECK_INT(fake.noted.len, 0);
	fake_engine_finish(&fake);
}

TEST(an_unfinished_run_is_repeated_with_the_same_key) {
	struct fake_engine fake;
	fake_engine_init(&fake, 2);
	fake_engine_start(&fake, HOLD_ALL, true);
	fake_engine_settle(&fake);
	uint64_t id = fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);
	CHECK_INT(fake.held_count, 1);
	fake_engine_crash(&fake);

	fake_engine_start(&fake, HOLD_ALL, true);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);

	char key[32];
	(void)snprintf(key, sizeof(key), "%llu:m", (unsigned long long)id);
	CHECK_INT(fake.held_count, 1);
	CHECK_STR(fake.held[0]->key, key);
	CHECK_INT(fake.held[0]->attempt, 2);
	CHECK_INT(fake.held[0]->event->id, id);
	CHECK_INT(stats_of(&fake).cursor, id - 1);
	fake_engine_finish(&fake);
}

TEST(a_run_cancelled_by_a_stop_is_repeated) {
	struct fake_engine fake;
	fake_engine_init(&fake, 3);
	fake_engine_start(&fake, HOLD_ALL, true);
	fake_engine_settle(&fake);
	uint64_t id = fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);
	fake_engine_stop(&fake);
	CHECK(str_find(buf_str(&fake.events), STR("action.finished(m false cancelled); ")) > 0);

	fake_engine_start(&fake, HOLD_ALL, true);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);

	CHECK_INT(fake.held_count, 1);
	CHECK_INT(fake.held[0]->event->id, id);
	fake_engine_finish(&fake);
}

TEST(a_cancelled_run_whose_report_is_too_large_is_repeated_too) {
	struct fake_engine fake;
	char *output = calloc(1, EVENT_BYTES_MAX + 1);
	fake_engine_init(&fake, 9);
	fake_engine_start(&fake, HOLD_ALL, true);
	fake_engine_settle(&fake);
	uint64_t id = fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);
	event_set_str(fake.held[0]->result, "output", str_range(output, EVENT_BYTES_MAX + 1));
	fake_engine_stop(&fake);
	CHECK(str_find(buf_str(&fake.events), STR("action.finished(m false cancelled); ")) > 0);

	fake_engine_start(&fake, HOLD_ALL, true);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);

	CHECK_INT(fake.held_count, 1);
	CHECK_INT(fake.held[0]->event->id, id);
	free(output);
	fake_engine_finish(&fake);
}

TEST(a_reflex_is_not_repeated) {
	struct fake_engine fake;
	const char *config = "[[mappings]]\nname = \"m\"\non = \"test.*\"\nclass = \"reflex\"\n"
			     "action = { type = \"hold\" }\n";
	fake_engine_init(&fake, 4);
	fake_engine_start(&fake, config, true);
	fake_engine_settle(&fake);
	(void)fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);
	fake_engine_crash(&fake);

	fake_engine_start(&fake, config, true);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);

	CHECK_INT(fake.held_count, 0);
	fake_engine_finish(&fake);
}

TEST(events_during_recovery_wait_for_it_and_keep_their_order) {
	struct fake_engine fake;
	fake_engine_init(&fake, 5);
	fake_engine_start(&fake, HOLD_ALL, true);
	fake_engine_settle(&fake);
	uint64_t first = fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);
	fake_engine_crash(&fake);

	fake_engine_start(&fake, NOTE_ALL, true);
	uint64_t second = fake_engine_emit(&fake, "test.b", NULL);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);

	char noted[64];
	(void)snprintf(noted, sizeof(noted), "%llu:m#2;%llu:m;", (unsigned long long)first,
		(unsigned long long)second);
	CHECK_TEXT(buf_text(&fake.noted), noted);
	fake_engine_finish(&fake);
}

TEST(an_orderly_stop_saves_the_cursor_so_a_new_mapping_does_not_act_on_old_events) {
	struct fake_engine fake;
	fake_engine_init(&fake, 6);
	fake_engine_start(&fake, "", true);
	fake_engine_settle(&fake);
	(void)fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);
	fake_engine_stop(&fake);

	fake_engine_start(&fake, NOTE_ALL, true);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);

	CHECK_INT(fake.noted.len, 0);
	fake_engine_finish(&fake);
}

TEST(many_unfinished_events_are_read_in_pieces) {
	struct fake_engine fake;
	fake_engine_init(&fake, 7);
	fake_engine_start(&fake, HOLD_ALL, true);
	fake_engine_settle(&fake);
	for (int i = 0; i < 1500; i++) {
		CHECK(fake_engine_emit(&fake, "test.a", NULL));
	}
	fake_engine_settle(&fake);
	CHECK_INT(stats_of(&fake).waiting, 1484);
	fake_engine_crash(&fake);

	fake_engine_start(&fake, NOTE_ALL, true);
	loop_advance(fake.loop.loop, 60 * NS_PER_SECOND);

	CHECK_INT(stats_of(&fake).finished, 1500);
	CHECK_INT(stats_of(&fake).waiting, 0);
	fake_engine_crash(&fake);
	buf_clear(&fake.noted);
	fake_engine_start(&fake, NOTE_ALL, true);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);
	CHECK_INT(fake.noted.len, 0);
	fake_engine_finish(&fake);
}

// 65,536 references fill memory's share with few events: 64 mappings each wait for each.
static void flood_config(struct buf *config) {
	for (int i = 0; i < 64; i++) {
		buf_appendf(config,
			"[[mappings]]\nname = \"m%d\"\non = \"test.*\"\nconcurrency = 1\n"
			"budget = 1000000\naction = { type = \"hold\" }\n",
			i);
	}
}

TEST(a_flood_beyond_the_queue_is_left_to_the_journal_and_loses_nothing) {
	struct fake_engine fake;
	struct buf hold = BUF_INIT;
	flood_config(&hold);
	fake_engine_init(&fake, 8);
	fake_engine_start(&fake, buf_text(&hold), true);
	fake_engine_settle(&fake);
	for (int i = 0; i < 1200; i++) {
		CHECK(fake_engine_emit(&fake, "test.a", NULL));
	}
	fake_engine_settle(&fake);
	size_t waiting = stats_of(&fake).waiting;
	CHECK(waiting >= 65536 && waiting < 65536 + 64);

	for (int i = 0; i < 4800 && stats_of(&fake).finished < 1200 * 64; i++) {
		while (fake.held_count) {
			fake_engine_release(&fake, NULL);
		}
		loop_advance(fake.loop.loop, 20 * NS_PER_MS);
	}

	CHECK_INT(stats_of(&fake).finished, 1200 * 64);
	CHECK_INT(stats_of(&fake).waiting, 0);
	CHECK_INT(stats_of(&fake).refused, 0);
	buf_finish(&hold);
	fake_engine_finish(&fake);
}

TEST(a_start_with_more_to_repeat_than_may_wait_is_through_all_the_same) {
	struct fake_engine fake;
	struct buf hold = BUF_INIT;
	flood_config(&hold);
	fake_engine_init(&fake, 10);
	fake_engine_start(&fake, buf_text(&hold), true);
	fake_engine_settle(&fake);
	for (int i = 0; i < 800; i++) {
		CHECK(fake_engine_emit(&fake, "test.a", NULL));
	}
	fake_engine_settle(&fake);
	fake_engine_crash(&fake);

	fake_engine_start(&fake, buf_text(&hold), true); // and none of them ends
	loop_advance(fake.loop.loop, 60 * NS_PER_SECOND);

	struct engine_stats stats = stats_of(&fake);
	CHECK(stats.waiting > 65536 / 2); // then no more is read
	CHECK(stats.waiting + stats.running < 800 * 64);
	CHECK(fake.was_recovered);
	buf_finish(&hold);
	fake_engine_finish(&fake);
}

int main(void) {
	return TESTS(RUN(what_was_finished_before_a_crash_is_not_repeated),
		RUN(an_unfinished_run_is_repeated_with_the_same_key),
		RUN(a_run_cancelled_by_a_stop_is_repeated),
		RUN(a_cancelled_run_whose_report_is_too_large_is_repeated_too),
		RUN(a_reflex_is_not_repeated),
		RUN(events_during_recovery_wait_for_it_and_keep_their_order),
		RUN(an_orderly_stop_saves_the_cursor_so_a_new_mapping_does_not_act_on_old_events),
		RUN(many_unfinished_events_are_read_in_pieces),
		RUN(a_flood_beyond_the_queue_is_left_to_the_journal_and_loses_nothing),
		RUN(a_start_with_more_to_repeat_than_may_wait_is_through_all_the_same));
}
