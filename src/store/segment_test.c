// SPDX-License-Identifier: Apache-2.0
#include "store/segment.h"

#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

static const struct record two[] = {
	{.sequence = 7, .cause = 3, .time_ns = -5, .type = 1, .payload = STR_INIT("payload")},
	{.sequence = 300, .cause = 0, .time_ns = 9, .type = 2, .payload = STR_INIT("")},
};

static struct frame parse(const struct buf *bytes, uint32_t seed) {
	struct frame frame;
	CHECK(frame_parse_header(
		(const unsigned char *)bytes->at, seed, SEGMENT_DATA_START, &frame));
	frame.bytes = (const unsigned char *)bytes->at;
	return frame;
}

TEST(a_frame_reads_back_as_it_was_written) {
	struct buf bytes = BUF_INIT;
	frame_append(&bytes, 42, two, 2, 1024);
	CHECK_INT(bytes.len, frame_size(two, 2));

	struct frame frame = parse(&bytes, 42);
	CHECK(frame_body_is_whole(&frame, 42));
	CHECK_INT(frame.sequence, 7);
	CHECK_INT(frame.synced, 1024);
	CHECK_INT(frame_last_sequence(&frame), 300);
	struct record record;
	size_t cursor = 0;
	for (int i = 0; i < 2; i++) {
		CHECK(frame_next_record(&frame, &cursor, &record));
		CHECK_INT(record.sequence, two[i].sequence);
		CHECK_INT(record.cause, two[i].cause);
		CHECK_INT(record.time_ns, two[i].time_ns);
		CHECK_INT(record.type, two[i].type);
		CHECK(str_equal(record.payload, two[i].payload));
	}
	CHECK(!frame_next_record(&frame, &cursor, &record));
	buf_finish(&bytes);
}

TEST(no_flipped_bit_of_a_frame_goes_unnoticed) {
	struct buf bytes = BUF_INIT;
	frame_append(&bytes, 42, two, 2, 1024);
	for (size_t i = 0; i < bytes.len * 8; i++) {
		struct frame frame = {.bytes = (const unsigned char *)bytes.at};
		bytes.at[i / 8] ^= (char)(1 << i % 8);
		bool is_whole = frame_parse_header(frame.bytes, 42, SEGMENT_DATA_START, &frame) &&
			frame.length <= bytes.len;
		frame.bytes = (const unsigned char *)bytes.at;
		CHECK(!is_whole || !frame_body_is_whole(&frame, 42));
		bytes.at[i / 8] ^= (char)(1 << i % 8);
	}
	buf_finish(&bytes);
}

TEST(a_frame_counts_only_in_its_own_segment_and_life) {
	uint32_t seeds[] = {segment_seed("normal", 1, 5), segment_seed("normal", 2, 5),
		segment_seed("audit", 1, 5), segment_seed("normal", 1, 6)};
	struct buf bytes = BUF_INIT;
	frame_append(&bytes, seeds[0], two, 2, 1024);
	for (int i = 0; i < 4; i++) {
		struct frame frame;
		CHECK(frame_parse_header((const unsigned char *)bytes.at, seeds[i],
			      SEGMENT_DATA_START, &frame) == (i == 0));
	}
	buf_finish(&bytes);
}

// Bytes with right checksums that no writer makes: {offset, frame} and whether a reader takes it.
static bool is_taken(struct buf *bytes, int64_t offset) {
	struct frame frame;
	bool is_header = frame_parse_header((const unsigned char *)bytes->at, 1, offset, &frame);
	frame.bytes = (const unsigned char *)bytes->at;
	bool is_whole = is_header && frame_body_is_whole(&frame, 1);
	buf_clear(bytes);
	return is_whole;
}

TEST(what_no_writer_makes_is_no_frame_whatever_its_checksum_says) {
	struct buf bytes = BUF_INIT;
	struct segment_end before = {3, 4096, 99}, none = {0}, odd = {.sequence = 5};
	frame_append(&bytes, 1, two, 2, 2048);
	CHECK(is_taken(&bytes, 2048));
	frame_append(&bytes, 1, two, 2, 2056); // durable before it was written
	CHECK(!is_taken(&bytes, 2048));
	frame_append(&bytes, 1, two, 2, 2044); // not at a boundary of frames
	CHECK(!is_taken(&bytes, 2048));
	frame_append(&bytes, 1, two, 2, 512); // within the header
	CHECK(!is_taken(&bytes, 2048));
	frame_append_mark(&bytes, 1, 100, 2048, 0);
	CHECK(is_taken(&bytes, 2048));
	frame_append_mark(&bytes, 1, 100, 2040, 0); // not where the durable part ends
	CHECK(!is_taken(&bytes, 2048));
	frame_append_mark(&bytes, 1, UINT64_MAX, 2048, 0);
	CHECK(!is_taken(&bytes, 2048));
	frame_append_open(&bytes, 1, 100, SEGMENT_DATA_START, &before);
	CHECK(is_taken(&bytes, SEGMENT_DATA_START));
	frame_append_open(&bytes, 1, 100, SEGMENT_DATA_START, &none);
	CHECK(is_taken(&bytes, SEGMENT_DATA_START));
	frame_append_open(&bytes, 1, 100, SEGMENT_DATA_START, &before); // not the first
	CHECK(!is_taken(&bytes, 2048));
	frame_append_open(
		&bytes, 1, 99, SEGMENT_DATA_START, &before); // begins before that one ends
	CHECK(!is_taken(&bytes, SEGMENT_DATA_START));
	frame_append_open(&bytes, 1, 100, SEGMENT_DATA_START, &odd); // records of no segment
	CHECK(!is_taken(&bytes, SEGMENT_DATA_START));
	struct record last = {.sequence = RECORD_SEQUENCE_MAX + 1, .type = 1};
	frame_append(&bytes, 1, &last, 1, 2048);
	CHECK(!is_taken(&bytes, 2048));
	buf_finish(&bytes);
}

TEST(an_open_frame_says_where_the_segment_before_ends) {
	struct buf bytes = BUF_INIT;
	struct segment_end before = {3, 4096, 99}, found;
	frame_append_open(&bytes, 1, 100, 1024, &before);
	struct frame frame = parse(&bytes, 1);
	CHECK(frame_body_is_whole(&frame, 1));
	CHECK_INT(bytes.len, FRAME_OPEN_SIZE);
	frame_parse_open(&frame, &found);
	CHECK_INT(found.id, 3);
	CHECK_INT(found.end, 4096);
	CHECK_INT(found.sequence, 99);
	buf_finish(&bytes);
}

TEST(names_are_sixteen_hex_digits_and_a_suffix) {
	static const struct {
		const char *name;
		uint64_t id;
	} cases[] = {{"0000000000000001.segment", 1}, {"00000000000000ff.segment", 255},
		{"0000000000000000.segment", 0}, {"000000000000001.segment", 0},
		{"00000000000000FF.segment", 0}, {"0000000000000001.index", 0},
		{"0000000000000001.segment.tmp", 0}, {"", 0}, {"ffffffffffffffff.segment", 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t id = 0;
		CHECK(segment_parse_name(cases[i].name, "segment", &id) == (cases[i].id != 0));
		CHECK_INT(id, cases[i].id);
	}
}

static enum segment_condition check_size(const unsigned char *bytes, size_t size, struct err *err) {
	struct sim_fs *sim = sim_fs_create(1);
	struct fs *fs = sim_fs(sim);
	uint32_t seed = 0;
	sim_fs_put(sim, "/s", bytes, size);
	int fd = fs->open(fs, "/s", O_RDONLY, 0);
	enum segment_condition condition = segment_check(fs, fd, "normal", 7, &seed, err);
	CHECK(condition != SEGMENT_OK || seed == segment_seed("normal", 7, 1000));
	sim_fs_destroy(sim);
	return condition;
}

static enum segment_condition check(const unsigned char *bytes, struct err *err) {
	return check_size(bytes, SEGMENT_DATA_START, err);
}

// A disk that was full, and could not take the file away either: nothing was ever written below it.
TEST(a_header_whose_writing_was_cut_short_is_no_damage) {
	unsigned char bytes[SEGMENT_DATA_START];
	struct err err = ERR_INIT;
	segment_format_header(bytes, "normal", 7, 1000);
	for (size_t size = 0; size < SEGMENT_HEADER_SIZE; size++) {
		CHECK_INT(check_size(bytes, size, &err), SEGMENT_BLANK);
	}
	CHECK_INT(check_size(bytes, SEGMENT_HEADER_SIZE, &err), SEGMENT_OK);
	bytes[30] ^= 1;
	CHECK_INT(check_size(bytes, SEGMENT_HEADER_SIZE, &err), SEGMENT_DAMAGED);
}

TEST(a_header_is_whole_as_long_as_one_copy_is) {
	unsigned char bytes[SEGMENT_DATA_START];
	struct err err = ERR_INIT;
	segment_format_header(bytes, "normal", 7, 1000);
	CHECK_INT(check(bytes, &err), SEGMENT_OK);
	bytes[30] ^= 1;
	CHECK_INT(check(bytes, &err), SEGMENT_OK);
	bytes[SEGMENT_HEADER_SIZE + 300] ^= 1;
	CHECK_INT(check(bytes, &err), SEGMENT_DAMAGED);
	memset(bytes, 0, sizeof(bytes));
	CHECK_INT(check(bytes, &err), SEGMENT_BLANK);
	segment_format_header(bytes, "normal", 8, 1000);
	CHECK_INT(check(bytes, &err), SEGMENT_RECYCLED);
	segment_format_header(bytes, "audit", 7, 1000);
	CHECK_INT(check(bytes, &err), SEGMENT_RECYCLED);
}

int main(void) {
	return TESTS(RUN(a_frame_reads_back_as_it_was_written),
		RUN(no_flipped_bit_of_a_frame_goes_unnoticed),
		RUN(a_frame_counts_only_in_its_own_segment_and_life),
		RUN(what_no_writer_makes_is_no_frame_whatever_its_checksum_says),
		RUN(an_open_frame_says_where_the_segment_before_ends),
		RUN(names_are_sixteen_hex_digits_and_a_suffix),
		RUN(a_header_whose_writing_was_cut_short_is_no_damage),
		RUN(a_header_is_whole_as_long_as_one_copy_is));
}
