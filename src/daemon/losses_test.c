// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include "daemon/losses.h"
#include "flow/event.h"
#include "store/journal.h"
#include "tests/fakes/fake_loop.h"
#include "tests/fakes/sim_fs.h"

struct fixture {
	struct fake_clock clock;
	struct sim_fs *disk;
	struct journal *journal;
};

static void set_up(struct fixture *f) {
	static const struct journal_stream_options streams[] = {
		{"normal", 8 << 20, 0}, {"audit", 8 << 20, 0}};
	struct journal_options options = {streams, 2, 1 << 16};
	struct journal_recovery recovery;
	struct err err = ERR_INIT;
	fake_clock_init(&f->clock);
	f->disk = sim_fs_create(1);
	f->journal = journal_open(
		sim_fs(f->disk), &f->clock.clock, "/j", &options, &recovery, &err);
	CHECK(f->journal);
}

static void tear_down(struct fixture *f) {
	journal_close(f->journal);
	sim_fs_destroy(f->disk);
}

static void add(
	struct fixture *f, const char *stream, uint64_t sequence, uint64_t from, uint64_t to) {
	struct buf payload = BUF_INIT;
	struct err err = ERR_INIT;
	struct event *event = event_create(from ? "source.gap" : "test.a", "journal", STR(""));
	if (from) {
		event_set_int(event, "from", (int64_t)from);
		event_set_int(event, "to", (int64_t)to);
	}
	event_encode(event, &payload);
	struct record record = {.sequence = sequence,
		.time_ns = 1,
		.type = RECORD_EVENT,
		.payload = buf_str(&payload)};
	CHECK(journal_append(f->journal, stream, &record, 1, &err));
	CHECK(journal_sync(f->journal, &err));
	event_unref(event);
	buf_finish(&payload);
}

TEST(numbers_that_nothing_accounts_for_are_found) {
	struct fixture f;
	struct loss losses[4];
	set_up(&f);
	// given: 3 and 4 went with a commit that reached one stream only, 7 was told by 8
	add(&f, "normal", 1, 0, 0);
	add(&f, "audit", 2, 0, 0);
	add(&f, "normal", 5, 0, 0);
	add(&f, "normal", 6, 0, 0);
	add(&f, "audit", 8, 7, 7);
	add(&f, "normal", 10, 0, 0);
	// when, then
	CHECK_INT(losses_find(sim_fs(f.disk), "/j", 10, 100, losses, 4), 2);
	CHECK_INT(losses[0].from, 3);
	CHECK_INT(losses[0].to, 4);
	CHECK_INT(losses[1].from, 9);
	CHECK_INT(losses[1].to, 9);
	tear_down(&f);
}

TEST(what_is_further_back_than_asked_is_not_looked_at) {
	struct fixture f;
	struct loss losses[4];
	set_up(&f);
	add(&f, "normal", 1, 0, 0);
	add(&f, "audit", 2, 0, 0);
	add(&f, "normal", 10, 0, 0);
	CHECK_INT(losses_find(sim_fs(f.disk), "/j", 10, 3, losses, 4), 1);
	CHECK_INT(losses[0].from, 8);
	CHECK_INT(losses[0].to, 9);
	tear_down(&f);
}

TEST(more_ranges_than_there_is_room_for_become_one) {
	struct fixture f;
	struct loss losses[2];
	set_up(&f);
	for (uint64_t i = 1; i < 12; i += 2) {
		add(&f, i == 3 ? "audit" : "normal", i, 0, 0);
	}
	CHECK_INT(losses_find(sim_fs(f.disk), "/j", 11, 100, losses, 2), 2);
	CHECK_INT(losses[0].from, 4);
	CHECK_INT(losses[1].from, 6);
	CHECK_INT(losses[1].to, 10);
	tear_down(&f);
}

TEST(an_empty_journal_has_lost_nothing) {
	struct fixture f;
	struct loss losses[2];
	set_up(&f);
	CHECK_INT(losses_find(sim_fs(f.disk), "/j", 0, 100, losses, 2), 0);
	tear_down(&f);
}

int main(void) {
	return TESTS(RUN(numbers_that_nothing_accounts_for_are_found),
		RUN(what_is_further_back_than_asked_is_not_looked_at),
		RUN(more_ranges_than_there_is_room_for_become_one),
		RUN(an_empty_journal_has_lost_nothing));
}
