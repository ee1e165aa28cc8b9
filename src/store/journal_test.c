// SPDX-License-Identifier: Apache-2.0
// The journal's contract, case by case; journal_crash_test.c has the schedules.
#include "store/journal.h"

#include "base/crc32c.h"
#include "store/reader.h"
#include "store/segment.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"
#include "tests/fakes/sim_fs.h"

#define FOLDER "/state/journal"

static struct sim_fs *sim;
static struct fake_clock now;
static struct journal *journal;
static struct journal_recovery recovery;
static struct journal_stream_options streams[2];
static struct err err;
static uint64_t next;

static void open_it(void) {
	struct journal_options options = {streams, 2, 8192};
	journal = journal_open(sim_fs(sim), &now.clock, FOLDER, &options, &recovery, &err);
	CHECK(journal != NULL);
	next = recovery.last_sequence + 1;
}

static void begin(int64_t budget, int64_t age) {
	sim = sim_fs_create(1);
	fake_clock_init(&now);
	err = (struct err)ERR_INIT;
	streams[0] = (struct journal_stream_options){"normal", budget, age};
	streams[1] = (struct journal_stream_options){"audit", budget, 0};
	open_it();
}

static void end(void) {
	journal_close(journal);
	sim_fs_destroy(sim);
}

static void kill_it(void) {
	sim_fs_kill(sim);
	journal_close(journal);
	sim_fs_boot(sim);
}

static bool append(const char *stream, size_t len) {
	static const char payload[RECORD_PAYLOAD_MAX];
	struct record record = {.sequence = next,
		.time_ns = now.wall_ns,
		.type = RECORD_EVENT,
		.payload = {payload, len}};
	bool is_appended = journal_append(journal, stream, &record, 1, &err);
	next += is_appended;
	return is_appended;
}

// How many records can be read, and the damage between them.
static int count(uint64_t *out_from, uint64_t *out_to) {
	struct reader_query query = {0};
	struct record record;
	struct reader *reader = reader_open(sim_fs(sim), FOLDER, &query, &err);
	int n = 0;
	while (reader_next(reader, &record, &err) == 1) {
		if (record.type == RECORD_DAMAGE) {
			*out_from = record.sequence;
			*out_to = record.cause;
		} else {
			n++;
		}
	}
	reader_close(reader);
	return n;
}

static int count_records(void) {
	uint64_t from = 0, to = 0;
	int n = count(&from, &to);
	CHECK_INT(from, 0);
	return n;
}

TEST(what_was_synced_is_there_after_a_kill_and_what_was_not_is_not) {
	begin(1 << 20, 0);
	CHECK(append("normal", 100) && append("audit", 10) && journal_sync(journal, &err));
	CHECK(append("normal", 100));
	kill_it();
	open_it();
	CHECK_INT(recovery.last_sequence, 2);
	CHECK(!recovery.was_clean);
	CHECK_INT(count_records(), 2);
	end();
}

TEST(a_clean_close_is_told_from_a_kill) {
	begin(1 << 20, 0);
	CHECK(append("normal", 100) && journal_sync(journal, &err));
	journal_close(journal);
	open_it();
	CHECK(recovery.was_clean);
	CHECK(append("normal", 100) && journal_sync(journal, &err));
	kill_it();
	open_it();
	CHECK(!recovery.was_clean);
	CHECK_INT(recovery.last_sequence, 2);
	end();
}

TEST(sequences_that_do_not_rise_and_unknown_streams_are_refused) {
	begin(1 << 20, 0);
	struct record records[] = {{.sequence = 5}, {.sequence = 5}};
	CHECK(!journal_append(journal, "normal", records, 2, &err));
	CHECK_INT(err.code, ERR_INVALID);
	CHECK(journal_append(journal, "normal", records, 1, &err));
	CHECK(!journal_append(journal, "normal", records, 1, &err));
	CHECK_TEXT(err.message, "sequence 5 of stream normal is not above 5");
	CHECK(!journal_append(journal, "nowhere", records, 1, &err));
	CHECK(!append("normal", 0)); // sequence 1
	next = 6;
	CHECK(append("normal", RECORD_PAYLOAD_MAX));
	CHECK(journal_sync(journal, &err));
	struct record large = {.sequence = 9, .payload = {"", RECORD_PAYLOAD_MAX + 1}};
	CHECK(!journal_append(journal, "normal", &large, 1, &err));
	CHECK_INT(err.code, ERR_LIMIT);
	CHECK_INT(count_records(), 2);
	end();
}

// The bytes of the first segment of "normal".
static size_t read_segment(unsigned char *bytes, size_t n) {
	struct fs *fs = sim_fs(sim);
	int fd = fs->open(fs, FOLDER "/normal/0000000000000001.segment", O_RDONLY, 0);
	ssize_t got = fs_read_all(fs, fd, bytes, n, 0);
	CHECK(fd >= 0 && got > SEGMENT_DATA_START && fs->close(fs, fd) == 0);
	return (size_t)got;
}

TEST(a_lost_write_under_an_acked_record_does_not_hide_what_is_written_after_it) {
	static unsigned char before[16384], after[16384];
	begin(1 << 20, 0);
	CHECK(append("normal", 40) && journal_sync(journal, &err));
	CHECK(journal_maintain(journal, &err));
	size_t n = read_segment(before, sizeof(before));
	CHECK(append("normal", 40) && journal_sync(journal, &err));
	CHECK(append("normal", 40) && journal_sync(journal, &err));
	kill_it();
	CHECK_INT(read_segment(after, sizeof(after)), n);
	size_t at = 0;
	while (at < n && before[at] == after[at]) {
		at++;
	}
	at &= ~(size_t)7;
	memcpy(after + at, before + at, FRAME_HEADER_SIZE);
	sim_fs_put(sim, FOLDER "/normal/0000000000000001.segment", after, n);
	open_it();
	CHECK_INT(recovery.damage_count, 1);
	CHECK_INT(recovery.last_sequence, 3);
	CHECK(append("normal", 40) && journal_sync(journal, &err));
	uint64_t from = 0, to = 0;
	CHECK_INT(count(&from, &to), 3);
	CHECK_INT(from, 2);
	CHECK_INT(to, 2);
	end();
}

// The OPEN frame and a write before the MARK are lost; so is one behind it, which nobody was
// promised: the record behind that must not be kept, as long as the MARK is the durable end.
TEST(behind_the_durable_end_nothing_is_kept_that_follows_a_hole) {
	static unsigned char bytes[8192];
	begin(1 << 20, 0);
	kill_it();
	struct buf frames = BUF_INIT;
	uint32_t seed = segment_seed("normal", 1, 0);
	struct record first = {.sequence = 5, .type = RECORD_EVENT, .payload = STR("first")};
	struct record last = {.sequence = 9, .type = RECORD_EVENT, .payload = STR("last")};
	segment_format_header(bytes, "normal", 1, 0);
	buf_append(&frames, bytes, SEGMENT_DATA_START);
	memset(buf_reserve(&frames, FRAME_OPEN_SIZE), 0, FRAME_OPEN_SIZE);
	frames.len += FRAME_OPEN_SIZE;
	frame_append(&frames, seed, &first, 1, SEGMENT_DATA_START);
	memset(buf_reserve(&frames, 64), 0, 64);
	frames.len += 64;
	frame_append_mark(&frames, seed, 7, (uint32_t)frames.len, 0);
	memset(buf_reserve(&frames, 64), 0, 64);
	frames.len += 64;
	frame_append(&frames, seed, &last, 1, SEGMENT_DATA_START);
	memcpy(bytes, frames.at, frames.len);
	sim_fs_put(sim, FOLDER "/normal/0000000000000001.segment", bytes, sizeof(bytes));
	buf_finish(&frames);
	open_it();
	CHECK_INT(recovery.last_sequence, 6); // lost before the MARK
	uint64_t digest = sim_fs_digest(sim);
	kill_it();
	open_it();
	CHECK_INT(recovery.last_sequence, 6);
	CHECK(sim_fs_digest(sim) == digest);
	uint64_t from = 0, to = 0;
	CHECK_INT(count(&from, &to), 1);
	end();
}

TEST(the_budget_is_kept_by_dropping_the_oldest) {
	begin(64 * 1024, 0);
	struct journal_stats stats;
	for (int i = 0; i < 2000; i++) {
		CHECK(append("normal", 100) && journal_sync(journal, &err) &&
			journal_maintain(journal, &err));
		journal_get_stats(journal, &stats);
		CHECK(stats.size_bytes <= 64 * 1024);
	}
	CHECK(stats.dropped_segments > 10);
	CHECK(stats.oldest_sequence > 1000);
	CHECK_INT(count_records(), 2000 - (int)stats.oldest_sequence + 1);
	end();
}

TEST(a_stream_without_room_is_starved_until_there_is_some_whatever_others_keep) {
	begin(1 << 20, 0);
	CHECK(append("audit", 40) && journal_sync(journal, &err));
	sim_fs_set_capacity(sim, 0);
	CHECK(!append("normal", 40));
	CHECK(journal_is_starved(journal));
	CHECK(append("audit", 40) && journal_sync(journal, &err)); // has a segment with room
	CHECK(!journal_maintain(journal, &err));
	CHECK(journal_is_starved(journal));
	sim_fs_set_capacity(sim, -1);
	CHECK(journal_maintain(journal, &err));
	CHECK(!journal_is_starved(journal));
	CHECK(append("normal", 40) && journal_sync(journal, &err));
	end();
}

TEST(what_is_older_than_allowed_goes) {
	begin(1 << 20, 60 * NS_PER_SECOND);
	struct journal_stats stats;
	for (int i = 0; i < 200; i++) {
		fake_clock_advance(&now, NS_PER_SECOND);
		CHECK(append("normal", 1000) && journal_sync(journal, &err) &&
			journal_maintain(journal, &err));
	}
	journal_get_stats(journal, &stats);
	// One segment of 7 records may be younger in part.
	CHECK(stats.oldest_sequence >= 200 - 60 - 8 && stats.oldest_sequence <= 200 - 60 + 1);
	end();
}

TEST(a_full_disk_is_noticed_a_segment_early_and_recovered_from) {
	begin(1 << 20, 0);
	CHECK(append("normal", 1000) && append("normal", 1000) && append("normal", 1000));
	CHECK(journal_sync(journal, &err));
	sim_fs_set_capacity(sim, 12000);

	CHECK(!journal_maintain(journal, &err));
	CHECK_INT(err.code, ERR_STORAGE);
	int kept = 3;
	while (append("normal", 1000) && journal_sync(journal, &err)) {
		kept++; // what is left of this segment, and small ones
	}
	CHECK(kept > 4);
	CHECK_INT(count_records(), kept);
	sim_fs_set_capacity(sim, -1);
	CHECK(journal_maintain(journal, &err));
	CHECK(append("normal", 1000) && journal_sync(journal, &err));
	CHECK_INT(count_records(), kept + 1);
	end();
}

TEST(after_a_sync_that_failed_nothing_of_it_is_read_back_and_the_records_fit_elsewhere) {
	begin(1 << 20, 0);
	CHECK(append("normal", 10) && append("audit", 10) && journal_sync(journal, &err));
	CHECK(append("normal", 10) && append("audit", 10));
	sim_fs_set_faults(sim, &(struct sim_fs_faults){.sync_error = 10000});
	CHECK(!journal_sync(journal, &err));
	CHECK_INT(err.code, ERR_STORAGE);
	CHECK_INT(count_records(), 2);
	sim_fs_set_faults(sim, &(struct sim_fs_faults){0});
	next = 3;
	CHECK(append("normal", 10) && append("audit", 10) && journal_sync(journal, &err));
	sim_fs_crash(sim);
	journal_close(journal);
	sim_fs_boot(sim);
	open_it();
	CHECK_INT(recovery.last_sequence, 4);
	CHECK_INT(count_records(), 4);
	end();
}

TEST(damage_to_the_last_record_is_reported_and_its_number_not_used_again) {
	begin(1 << 20, 0);
	for (int i = 0; i < 3; i++) {
		CHECK(append("normal", 100) && journal_sync(journal, &err));
	}
	CHECK(journal_maintain(journal, &err)); // marks the end
	kill_it();
	int64_t frame = 32 + 24 + 104;
	CHECK(sim_fs_flip(sim, FOLDER "/normal/0000000000000001.segment",
		SEGMENT_DATA_START + FRAME_OPEN_SIZE + 2 * frame + 70, 3));
	open_it();
	CHECK_INT(recovery.damage_count, 1);
	CHECK_TEXT(recovery.damage[0].stream, "normal");
	CHECK_INT(recovery.damage[0].from, 3);
	CHECK_INT(recovery.damage[0].to, 3);
	CHECK_INT(recovery.last_sequence, 3);
	uint64_t from = 0, to = 0;
	CHECK_INT(count(&from, &to), 2);
	CHECK_INT(from, 3);
	CHECK_INT(to, 3);
	end();
}

// A segment with an unknown feature, its checksums right or wrong.
static void put_newer(bool is_whole) {
	unsigned char bytes[8192] = {0};
	segment_format_header(bytes, "normal", 1, 0);
	for (int copy = 0; copy < 2; copy++) {
		unsigned char *header = bytes + copy * SEGMENT_HEADER_SIZE;
		header[20] = 1;
		uint32_t crc = crc32c(0, header + 12, SEGMENT_HEADER_SIZE - 12);
		for (int i = 0; i < 4 && is_whole; i++) {
			header[8 + i] = (unsigned char)(crc >> 8 * i);
		}
	}
	sim_fs_put(sim, FOLDER "/normal/0000000000000001.segment", bytes, sizeof(bytes));
}

TEST(a_segment_of_a_newer_version_is_refused_and_not_touched) {
	begin(1 << 20, 0);
	journal_close(journal);
	put_newer(true);
	struct journal_options options = {streams, 2, 8192};
	uint64_t digest = sim_fs_digest(sim);
	journal = journal_open(sim_fs(sim), &now.clock, FOLDER, &options, &recovery, &err);
	CHECK(journal == NULL);
	CHECK_TEXT(err.message,
		"cannot open the journal in /state/journal: segment 0000000000000001 of stream "
		"normal "
		"is of format 1, features 1: written by a newer version; install that version, or "
		"move the file away");
	CHECK(digest == sim_fs_digest(sim));
	end();
}

TEST(a_segment_with_both_headers_damaged_is_reported_and_kept) {
	begin(1 << 20, 0);
	journal_close(journal);
	put_newer(false);
	uint64_t digest = sim_fs_digest(sim);
	open_it();
	CHECK_INT(recovery.damage_count, 1);
	CHECK_INT(recovery.damage[0].from, 1);
	CHECK(digest == sim_fs_digest(sim));
	CHECK(append("normal", 10) && journal_sync(journal, &err));
	uint64_t from = 0, to = 0;
	CHECK_INT(count(&from, &to), 1);
	CHECK_INT(from, 1);
	CHECK_INT(to, recovery.damage[0].to);
	end();
}

TEST(a_folder_that_cannot_be_made_is_an_error) {
	begin(1 << 20, 0);
	journal_close(journal);
	struct journal_options options = {streams, 2, 8192};
	sim_fs_put(sim, "/file", "", 0);
	journal = journal_open(sim_fs(sim), &now.clock, "/file/journal", &options, &recovery, &err);
	CHECK(journal == NULL);
	CHECK_TEXT(err.message, "cannot make the folder /file: Not a directory");
	end();
}

TEST(no_descriptor_is_left_open) {
	begin(64 * 1024, 0);
	for (int i = 0; i < 500; i++) {
		CHECK(append(i % 3 ? "normal" : "audit", 200) && journal_sync(journal, &err) &&
			journal_maintain(journal, &err));
	}
	CHECK(count_records() > 0);
	CHECK(sim_fs_open_files(sim) <= 4);
	journal_close(journal);
	CHECK_INT(sim_fs_open_files(sim), 0);
	journal = NULL;
	end();
}

int main(void) {
	return TESTS(RUN(what_was_synced_is_there_after_a_kill_and_what_was_not_is_not),
		RUN(a_clean_close_is_told_from_a_kill),
		RUN(sequences_that_do_not_rise_and_unknown_streams_are_refused),
		RUN(a_lost_write_under_an_acked_record_does_not_hide_what_is_written_after_it),
		RUN(behind_the_durable_end_nothing_is_kept_that_follows_a_hole),
		RUN(the_budget_is_kept_by_dropping_the_oldest),
		RUN(a_stream_without_room_is_starved_until_there_is_some_whatever_others_keep),
		RUN(what_is_older_than_allowed_goes),
		RUN(a_full_disk_is_noticed_a_segment_early_and_recovered_from),
		RUN(after_a_sync_that_failed_nothing_of_it_is_read_back_and_the_records_fit_elsewhere),
		RUN(damage_to_the_last_record_is_reported_and_its_number_not_used_again),
		RUN(a_segment_of_a_newer_version_is_refused_and_not_touched),
		RUN(a_segment_with_both_headers_damaged_is_reported_and_kept),
		RUN(a_folder_that_cannot_be_made_is_an_error), RUN(no_descriptor_is_left_open));
}
