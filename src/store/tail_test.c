// SPDX-License-Identifier: Apache-2.0
#include "store/tail.h"

#include "store/reader.h"
#include "store/shelf.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"
#include "tests/fakes/sim_fs.h"

static struct sim_fs *sim;
static struct fake_clock now;
static struct tail *tail;
static struct err err;
static uint64_t next;

static void open_it(void) {
	static const struct journal_stream_options options = {"s", 1 << 20, 0};
	struct journal_recovery recovery = {.was_clean = true};
	tail = tail_open(sim_fs(sim), &now.clock, "/j", &options, 8192, &recovery, &err);
	CHECK(tail != NULL);
	next = tail_last_sequence(tail) + 1;
}

static void begin(void) {
	sim = sim_fs_create(1);
	fake_clock_init(&now);
	open_it();
}

static void end(void) {
	tail_close(tail);
	sim_fs_destroy(sim);
}

static bool append(size_t len) {
	static const char payload[8192];
	struct record record = {.sequence = next++, .payload = {payload, len}};
	return tail_append(tail, &record, 1, &err);
}

static size_t count_segments(void) {
	struct shelf shelf = {NULL, 0, 0};
	CHECK(shelf_load(&shelf, sim_fs(sim), "/j", "s", &err));
	size_t n = shelf.n;
	shelf_finish(&shelf);
	return n;
}

TEST(nothing_is_made_before_the_first_record) {
	begin();
	CHECK(tail_maintain(tail, &err) && tail_mark(tail, true, &err));
	struct fs_stat found;
	CHECK(sim_fs(sim)->stat(sim_fs(sim), "/j", &found) < 0);
	end();
}

TEST(the_next_segment_is_ready_before_this_one_is_full) {
	begin();
	CHECK(append(100) && tail_sync(tail, &err));
	tail_keep(tail);
	CHECK(tail_maintain(tail, &err));
	CHECK_INT(count_segments(), 1);
	CHECK(append(3000) && tail_sync(tail, &err));
	tail_keep(tail);
	CHECK(tail_maintain(tail, &err));
	CHECK_INT(count_segments(), 2);
	sim_fs_set_capacity(sim, 0); // from here on no segment can be made
	CHECK(append(5000) && tail_sync(tail, &err));
	CHECK_INT(count_segments(), 2);
	end();
}

TEST(a_smaller_segment_that_did_is_no_failure) {
	begin();
	sim_fs_set_capacity(sim, 6000);
	CHECK(append(100));
	CHECK_INT(err.code, ERR_NONE);
	end();
}

static size_t count_records(void) {
	struct reader_query query = {.stream = "s"};
	struct record record;
	size_t n = 0;
	struct reader *reader = reader_open(sim_fs(sim), "/j", &query, &err);
	CHECK(reader != NULL);
	while (reader_next(reader, &record, &err) > 0) {
		CHECK_INT(record.type != RECORD_DAMAGE, 1);
		n++;
	}
	reader_close(reader);
	return n;
}

TEST(what_cannot_be_written_once_more_when_opened_is_kept_and_nothing_follows_it) {
	begin();
	CHECK(append(100) && tail_sync(tail, &err));
	tail_keep(tail);
	tail_close(tail);
	sim_fs_kill(sim);
	sim_fs_boot(sim);
	sim_fs_set_faults(sim, &(struct sim_fs_faults){.write_error = 10000});
	open_it();
	CHECK_INT(tail_last_sequence(tail), 1);
	CHECK(!append(100));
	next--;
	sim_fs_set_faults(sim, &(struct sim_fs_faults){0});
	err = (struct err)ERR_INIT;
	CHECK(append(100) && tail_sync(tail, &err));
	tail_keep(tail);
	CHECK_INT(count_records(), 2);
	end();
}

TEST(what_is_taken_back_over_several_segments_is_gone) {
	begin();
	CHECK(append(100) && tail_sync(tail, &err));
	tail_keep(tail);
	for (int i = 0; i < 6; i++) {
		CHECK(append(4000));
	}
	CHECK(count_segments() >= 3);
	tail_abandon(tail);
	CHECK_INT(tail_last_sequence(tail), 1);
	CHECK_INT(count_segments(), 1);
	CHECK(tail_maintain(tail, &err)); // says durably where the abandoned one ends
	sim_fs_crash(sim);
	tail_close(tail);
	sim_fs_boot(sim);
	open_it();
	CHECK_INT(tail_last_sequence(tail), 1);
	end();
}

TEST(a_record_larger_than_a_segment_gets_one_of_its_own) {
	begin();
	CHECK(append(100) && append(8000) && append(8192) && tail_sync(tail, &err));
	tail_keep(tail);
	CHECK(tail_size(tail) > 3 * 8192);
	tail_close(tail);
	open_it();
	CHECK_INT(tail_last_sequence(tail), 3);
	end();
}

TEST(a_recycled_segment_starts_empty) {
	begin();
	for (int i = 0; i < 4000; i++) {
		CHECK(append(500) && tail_sync(tail, &err));
		tail_keep(tail);
		CHECK(tail_maintain(tail, &err));
	}
	CHECK(tail_dropped(tail) > 100);
	CHECK(tail_size(tail) <= 1 << 20);
	tail_close(tail);
	sim_fs_kill(sim);
	sim_fs_boot(sim);
	open_it();
	CHECK_INT(tail_last_sequence(tail), 4000);
	CHECK(tail_oldest_sequence(tail) > 1000);
	end();
}

int main(void) {
	return TESTS(RUN(nothing_is_made_before_the_first_record),
		RUN(the_next_segment_is_ready_before_this_one_is_full),
		RUN(a_smaller_segment_that_did_is_no_failure),
		RUN(what_cannot_be_written_once_more_when_opened_is_kept_and_nothing_follows_it),
		RUN(what_is_taken_back_over_several_segments_is_gone),
		RUN(a_record_larger_than_a_segment_gets_one_of_its_own),
		RUN(a_recycled_segment_starts_empty));
}
