// SPDX-License-Identifier: Apache-2.0
#include "store/reader.h"

#include "store/journal.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"
#include "tests/fakes/sim_fs.h"

#define FOLDER "/state/journal"

static struct sim_fs *sim;
static struct fake_clock now;
static struct journal *journal;
static struct err err;

static const struct journal_stream_options streams[] = {
	{"normal", 1 << 24, 0}, {"audit", 1 << 24, 0}};

// n records, one a second, every 5th into audit, each caused by the one 10 before it.
static void begin(uint64_t n, int64_t segment_bytes) {
	struct journal_options options = {streams, 2, segment_bytes};
	struct journal_recovery recovery;
	char payload[64];
	sim = sim_fs_create(1);
	fake_clock_init(&now);
	now.wall_ns = 0;
	journal = journal_open(sim_fs(sim), &now.clock, FOLDER, &options, &recovery, &err);
	CHECK(journal != NULL);
	for (uint64_t i = 1; i <= n; i++) {
		fake_clock_advance(&now, NS_PER_SECOND);
		int len = snprintf(payload, sizeof(payload), "payload %d", (int)i);
		struct record record = {.sequence = i,
			.cause = i > 10 ? i - 10 : 0,
			.time_ns = now.wall_ns,
			.type = RECORD_EVENT,
			.payload = {payload, (size_t)len}};
		CHECK(journal_append(journal, i % 5 ? "normal" : "audit", &record, 1, &err));
		if (i % 7 == 0 || i == n) {
			CHECK(journal_sync(journal, &err) && journal_maintain(journal, &err));
		}
	}
}

static void end(void) {
	journal_close(journal);
	sim_fs_destroy(sim);
}

static void check_reads(struct reader_query query, int64_t first, int64_t step, int count) {
	struct record record;
	struct reader *reader = reader_open(sim_fs(sim), FOLDER, &query, &err);
	int64_t expected = first;
	int n = 0;
	while (reader_next(reader, &record, &err) == 1) {
		char payload[64];
		CHECK_INT(record.sequence, expected);
		(void)snprintf(payload, sizeof(payload), "payload %d", (int)expected);
		CHECK_STR(record.payload, payload);
		expected += step;
		n++;
	}
	CHECK_INT(n, count);
	CHECK_INT(reader_next(reader, &record, &err), 0);
	reader_close(reader);
}

TEST(records_come_in_order_both_ways_within_the_bounds_asked_for) {
	begin(2000, 8192);
	check_reads((struct reader_query){0}, 1, 1, 2000);
	check_reads((struct reader_query){.backward = true}, 2000, -1, 2000);
	check_reads((struct reader_query){.after = 1500}, 1501, 1, 500);
	check_reads((struct reader_query){.after = 1500, .before = 1504}, 1501, 1, 3);
	check_reads((struct reader_query){.after = 1500, .before = 1504, .backward = true}, 1503,
		-1, 3);
	check_reads((struct reader_query){.before = 4, .backward = true}, 3, -1, 3);
	check_reads((struct reader_query){.stream = "audit"}, 5, 5, 400);
	check_reads((struct reader_query){.stream = "audit", .backward = true}, 2000, -5, 400);
	check_reads((struct reader_query){.since_ns = 1999 * NS_PER_SECOND}, 1999, 1, 2);
	check_reads((struct reader_query){.since_ns = 1999 * NS_PER_SECOND, .backward = true}, 2000,
		-1, 2);
	check_reads((struct reader_query){.after = 2000}, 0, 0, 0);
	check_reads((struct reader_query){.stream = "nowhere"}, 0, 0, 0);
	end();
}

TEST(a_record_is_found_by_its_number) {
	begin(2000, 8192);
	struct buf payload = BUF_INIT;
	struct record record;
	buf_append_text(&payload, "before ");
	CHECK_INT(reader_find(sim_fs(sim), FOLDER, 777, &payload, &record, &err), 1);
	CHECK_TEXT(buf_text(&payload), "before payload 777");
	CHECK_STR(record.payload, "payload 777");
	CHECK_INT(reader_find(sim_fs(sim), FOLDER, 2001, &payload, &record, &err), 0);
	CHECK_INT(record.sequence, 1);
	CHECK_INT(reader_find(sim_fs(sim), FOLDER, 0, &payload, &record, &err), 0);
	CHECK_INT(reader_find(sim_fs(sim), FOLDER, UINT64_MAX, &payload, &record, &err), 0);
	CHECK_INT(reader_find(sim_fs(sim), "/nowhere", 1, &payload, &record, &err), 0);
	CHECK_INT(record.sequence, 0);
	buf_finish(&payload);
	end();
}

static void collect(void *arg, const struct record *record) {
	*(uint64_t *)arg = *(uint64_t *)arg * 10000 + record->sequence;
}

TEST(effects_are_found_in_sealed_segments_and_in_the_one_being_written) {
	begin(2000, 8192);
	uint64_t found = 0;
	CHECK_INT(reader_effects(sim_fs(sim), FOLDER, 300, 10, collect, &found, &err), 1);
	CHECK_INT(found, 310);
	found = 0;
	CHECK_INT(reader_effects(sim_fs(sim), FOLDER, 1990, 10, collect, &found, &err), 1);
	CHECK_INT(found, 2000);
	struct record more[] = {{.sequence = 2001, .cause = 300}, {.sequence = 2002, .cause = 300}};
	CHECK(journal_append(journal, "audit", more, 2, &err) && journal_sync(journal, &err));
	found = 0;
	CHECK_INT(reader_effects(sim_fs(sim), FOLDER, 300, 2, collect, &found, &err), 2);
	CHECK_INT(found, 310 * 10000 + 2001);
	CHECK_INT(reader_effects(sim_fs(sim), FOLDER, 1995, 10, collect, &found, &err), 0);
	end();
}

static int opens;
static int (*real_open)(struct fs *fs, const char *path, int flags, int mode);
static ssize_t (*real_pread)(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset);
static int64_t bytes_read;

static int counting_open(struct fs *fs, const char *path, int flags, int mode) {
	opens++;
	CHECK((flags & O_ACCMODE) == O_RDONLY && !(flags & (O_CREAT | O_TRUNC)));
	CHECK(flags & O_NOFOLLOW);
	return real_open(fs, path, flags, mode);
}

static ssize_t counting_pread(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset) {
	bytes_read += (int64_t)n;
	return real_pread(fs, fd, bytes, n, offset);
}

TEST(the_last_fifty_cost_a_few_blocks_and_change_nothing) {
	begin(20000, 1 << 20);
	uint64_t digest = sim_fs_digest(sim);
	struct fs *fs = sim_fs(sim);
	real_open = fs->open;
	real_pread = fs->pread;
	fs->open = counting_open;
	fs->pread = counting_pread;
	struct reader_query query = {.backward = true};
	struct record record;
	struct reader *reader = reader_open(fs, FOLDER, &query, &err);
	for (int i = 0; i < 50; i++) {
		CHECK_INT(reader_next(reader, &record, &err), 1);
	}
	reader_close(reader);
	fs->open = real_open;
	fs->pread = real_pread;
	CHECK(opens < 16);
	CHECK(bytes_read < 1 << 21); // of two segments of 1 MiB in the hands of the bisection
	CHECK(digest == sim_fs_digest(sim));
	end();
}

TEST(a_segment_dropped_while_it_is_read_just_ends) {
	begin(2000, 8192);
	struct reader_query query = {0};
	struct record record;
	struct reader *reader = reader_open(sim_fs(sim), FOLDER, &query, &err);
	CHECK_INT(reader_next(reader, &record, &err), 1);
	struct journal_stream_options few[] = {{"normal", 32768, 0}, {"audit", 32768, 0}};
	struct journal_options options = {few, 2, 8192};
	struct journal_recovery recovery;
	journal_close(journal);
	journal = journal_open(sim_fs(sim), &now.clock, FOLDER, &options, &recovery, &err);
	CHECK(journal_maintain(journal, &err));
	uint64_t last = 1;
	while (reader_next(reader, &record, &err) == 1) {
		CHECK(record.type != RECORD_DAMAGE);
		CHECK(record.sequence > last);
		last = record.sequence;
	}
	CHECK_INT(last, 2000);
	reader_close(reader);
	end();
}

int main(void) {
	return TESTS(RUN(records_come_in_order_both_ways_within_the_bounds_asked_for),
		RUN(a_record_is_found_by_its_number),
		RUN(effects_are_found_in_sealed_segments_and_in_the_one_being_written),
		RUN(the_last_fifty_cost_a_few_blocks_and_change_nothing),
		RUN(a_segment_dropped_while_it_is_read_just_ends));
}
