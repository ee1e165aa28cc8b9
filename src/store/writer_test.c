// SPDX-License-Identifier: Apache-2.0
#include "store/writer.h"

#include "store/reader.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"
#include "tests/fakes/sim_fs.h"

#define FOLDER "/state/journal"

static struct fake_loop fake;
static struct sim_fs *sim;
static struct writer *writer;
static struct err err;
static char log_text[1000];

// "1-5 ok" or "6-6 failed" a call.
static void on_result(void *arg, uint64_t first, uint64_t last, const struct err *result) {
	size_t n = strlen(log_text);
	(void)arg;
	(void)snprintf(log_text + n, sizeof(log_text) - n, "%d-%d %s; ", (int)first, (int)last,
		result ? "failed" : "ok");
}

static void begin(uint64_t seed) {
	static const struct journal_stream_options streams[] = {
		{"normal", 1 << 20, 0}, {"audit", 1 << 20, 0}};
	struct journal_options options = {streams, 2, 8192};
	struct journal_recovery recovery;
	log_text[0] = '\0';
	fake_loop_init(&fake, seed);
	sim = sim_fs_create(seed);
	struct journal *journal = journal_open(
		sim_fs(sim), &fake.clock.clock, FOLDER, &options, &recovery, &err);
	CHECK(journal != NULL);
	writer = writer_start(fake.loop, journal, 100, on_result, NULL, &err);
	CHECK(writer != NULL);
}

static void end(void) {
	writer_stop(writer);
	sim_fs_destroy(sim);
	fake_loop_finish(&fake);
}

static bool append(const char *stream, uint64_t sequence, size_t len) {
	struct buf payload = BUF_INIT;
	memset(buf_reserve(&payload, len), 'x', len);
	payload.len = len;
	bool is_taken = writer_append(writer, stream, sequence, 0, 1, RECORD_EVENT, &payload);
	CHECK(is_taken == (payload.at == NULL) || len == 0);
	buf_finish(&payload);
	return is_taken;
}

TEST(one_commit_covers_all_that_waits_over_all_streams) {
	struct writer_stats stats;
	begin(1);
	for (uint64_t i = 1; i <= 50; i++) {
		CHECK(append(i % 3 ? "normal" : "audit", i, 20));
	}
	loop_advance(fake.loop, NS_PER_SECOND);
	CHECK_TEXT(log_text, "1-50 ok; ");
	writer_get_stats(writer, &stats);
	CHECK_INT(stats.journal.syncs, 1);
	CHECK_INT(stats.journal.appended_records, 50);
	CHECK_INT(stats.batch.max, 50);
	CHECK_INT(stats.depth, 0);
	CHECK_INT(stats.deepest, 50);
	CHECK(!stats.is_failing && !stats.is_short);
	end();
}

TEST(a_full_queue_says_so_and_leaves_the_payload) {
	begin(1);
	for (uint64_t i = 1; i <= 100; i++) {
		CHECK(append("normal", i, 10));
	}
	CHECK(!append("normal", 101, 10));
	loop_advance(fake.loop, NS_PER_SECOND);
	CHECK(append("normal", 101, 10));
	end();
	CHECK_TEXT(log_text, "1-100 ok; 101-101 ok; ");
}

TEST(stopping_commits_what_waits) {
	begin(1);
	CHECK(append("normal", 1, 10) && append("normal", 2, 10));
	writer_stop(writer);
	CHECK_TEXT(log_text, "1-2 ok; ");
	struct record record;
	struct buf payload = BUF_INIT;
	CHECK_INT(reader_find(sim_fs(sim), FOLDER, 2, &payload, &record, &err), 1);
	buf_finish(&payload);
	sim_fs_destroy(sim);
	fake_loop_finish(&fake);
}

TEST(a_record_too_large_fails_alone) {
	begin(1);
	CHECK(append("normal", 1, 10));
	CHECK(append("normal", 2, RECORD_PAYLOAD_MAX + 1));
	CHECK(append("normal", 3, 10));
	loop_advance(fake.loop, NS_PER_SECOND);
	CHECK_TEXT(log_text, "1-1 ok; 2-2 failed; 3-3 ok; ");
	end();
}

TEST(a_sync_that_fails_once_is_made_up_for_in_new_segments) {
	begin(1);
	CHECK(append("normal", 1, 10));
	loop_advance(fake.loop, NS_PER_SECOND);
	sim_fs_set_faults(sim, &(struct sim_fs_faults){.sync_error = 3000});
	for (uint64_t i = 2; i < 60; i++) {
		CHECK(append(i % 2 ? "normal" : "audit", i, 10));
		loop_advance(fake.loop, NS_PER_SECOND);
	}
	sim_fs_set_faults(sim, &(struct sim_fs_faults){0});
	CHECK(append("normal", 60, 10));
	loop_advance(fake.loop, NS_PER_SECOND);
	struct writer_stats stats;
	writer_get_stats(writer, &stats);
	CHECK(stats.journal.failed_syncs > 0);
	CHECK(!stats.is_failing);
	CHECK(strstr(log_text, "60-60 ok; ") != NULL);
	end();
}

TEST(a_full_disk_fails_what_it_cannot_keep_and_recovers_by_itself) {
	struct writer_stats stats;
	begin(1);
	CHECK(append("normal", 1, 10));
	loop_advance(fake.loop, NS_PER_SECOND);
	sim_fs_set_capacity(sim, 0);
	uint64_t sequence = 2;
	do {
		CHECK(append("normal", sequence++, 1000));
		loop_advance(fake.loop, NS_PER_SECOND);
		writer_get_stats(writer, &stats);
	} while (!stats.is_failing);
	CHECK(strstr(stats.reason, "No space left on device") != NULL);
	CHECK(stats.is_short);
	sim_fs_set_capacity(sim, -1);
	log_text[0] = '\0';
	CHECK(append("normal", sequence, 1000));
	loop_advance(fake.loop, NS_PER_SECOND);
	writer_get_stats(writer, &stats);
	CHECK(strstr(log_text, "failed") == NULL);
	CHECK(!stats.is_failing && !stats.is_short);
	CHECK_TEXT(stats.reason, "");
	end();
}

// On a real thread: for the thread sanitizer.
static uint64_t acked;

static void count_result(void *arg, uint64_t first, uint64_t last, const struct err *result) {
	(void)arg;
	CHECK(result == NULL);
	CHECK_INT(first, acked + 1);
	acked = last;
}

TEST(stats_are_read_while_the_worker_runs) {
	static const struct journal_stream_options streams[] = {{"normal", 1 << 20, 0}};
	struct journal_options options = {streams, 1, 65536};
	struct journal_recovery recovery;
	struct writer_stats stats;
	struct sim_fs *disk = sim_fs_create(1); // the worker's alone until it has stopped
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	CHECK(loop != NULL);
	struct journal *journal = journal_open(
		sim_fs(disk), clock_system(), FOLDER, &options, &recovery, &err);
	CHECK(journal != NULL);
	struct writer *busy = writer_start(loop, journal, 64, count_result, NULL, &err);
	CHECK(busy != NULL);
	uint64_t sequence = 1;
	acked = 0;
	while (acked < 2000) {
		struct buf payload = BUF_INIT;
		buf_append_text(&payload, "payload");
		if (sequence <= 2000 &&
			writer_append(busy, "normal", sequence, 0, 1, RECORD_EVENT, &payload)) {
			sequence++;
		}
		buf_finish(&payload);
		writer_get_stats(busy, &stats);
		loop_step(loop, stats.depth == 64 || sequence > 2000 ? -1 : 0);
	}
	writer_get_stats(busy, &stats);
	CHECK_INT(stats.journal.appended_records, 2000);
	writer_stop(busy);
	loop_destroy(loop);
	sim_fs_destroy(disk);
}

int main(void) {
	return TESTS(RUN(one_commit_covers_all_that_waits_over_all_streams),
		RUN(a_full_queue_says_so_and_leaves_the_payload), RUN(stopping_commits_what_waits),
		RUN(a_record_too_large_fails_alone),
		RUN(a_sync_that_fails_once_is_made_up_for_in_new_segments),
		RUN(a_full_disk_fails_what_it_cannot_keep_and_recovers_by_itself),
		RUN(stats_are_read_while_the_worker_runs));
}
