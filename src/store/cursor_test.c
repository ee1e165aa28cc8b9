// SPDX-License-Identifier: Apache-2.0
#include "store/cursor.h"

#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

static struct sim_fs *sim;
static struct scan scan;

// 10,000 frames of 64 bytes with sequences 2, 4, 6 ..., in groups of ten, then a hole of one frame
// and one frame more that was never durable.
static void begin(void) {
	struct buf bytes = BUF_INIT;
	size_t synced = SEGMENT_DATA_START;
	memset(buf_reserve(&bytes, SEGMENT_DATA_START), 0, SEGMENT_DATA_START);
	bytes.len = SEGMENT_DATA_START;
	for (uint64_t i = 1; i <= 10002; i++) {
		struct record record = {.sequence = 2 * i, .payload = STR("12345678")};
		synced = i % 10 == 1 && i < 10000 ? bytes.len : synced;
		frame_append(&bytes, 7, &record, 1, (uint32_t)synced);
	}
	memset(bytes.at + SEGMENT_DATA_START + 10000 * 64, 0, 64);
	memset(buf_reserve(&bytes, 100000), 0, 100000);
	bytes.len += 100000;
	sim = sim_fs_create(1);
	sim_fs_put(sim, "/s", bytes.at, bytes.len);
	int fd = sim_fs(sim)->open(sim_fs(sim), "/s", O_RDONLY, 0);
	scan_init(&scan, sim_fs(sim), fd, 7, (int64_t)bytes.len);
	buf_finish(&bytes);
}

TEST(seeking_stops_at_most_a_block_before_any_sequence) {
	static const uint64_t wanted[] = {1, 2, 3, 4999, 5000, 10000, 19990, 20000};
	begin();
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		struct err err;
		struct frame frame;
		CHECK(cursor_seek(&scan, wanted[i], &err));
		CHECK_INT(scan_frame_at(&scan, scan.offset, &frame, &err), 1);
		CHECK(frame.sequence <= wanted[i] || frame.sequence == 2);
		CHECK((wanted[i] - frame.sequence) / 2 * 64 <= 2 * 64 * 1024 || wanted[i] == 1);
	}
	scan_finish(&scan);
	sim_fs_destroy(sim);
}

TEST(seeking_the_end_does_not_jump_over_a_hole_that_ends_the_segment) {
	struct err err;
	struct frame frame;
	uint64_t last = 0;
	begin();
	CHECK(cursor_seek(&scan, UINT64_MAX - 1, &err));
	while (scan_next(&scan, &frame, &err) == SCAN_FRAME) {
		last = frame.sequence;
	}
	CHECK_INT(last, 20000);
	scan_finish(&scan);
	sim_fs_destroy(sim);
}

int main(void) {
	return TESTS(RUN(seeking_stops_at_most_a_block_before_any_sequence),
		RUN(seeking_the_end_does_not_jump_over_a_hole_that_ends_the_segment));
}
