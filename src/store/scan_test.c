// SPDX-License-Identifier: Apache-2.0
#include "store/scan.h"

#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

#define SEED 99
#define FRAME 64 // of a record of 8 bytes

static struct sim_fs *sim;
static struct scan scan;

// Three frames, the n-th with sequence 10 * n, each written after all before it were durable.
static void begin(size_t damaged, bool has_mark) {
	struct buf bytes = BUF_INIT;
	buf_reserve(&bytes, SEGMENT_DATA_START);
	memset(bytes.at, 0, SEGMENT_DATA_START);
	bytes.len = SEGMENT_DATA_START;
	for (uint64_t i = 1; i <= 3; i++) {
		struct record record = {.sequence = 10 * i, .type = 1, .payload = STR("12345678")};
		frame_append(&bytes, SEED, &record, 1, (uint32_t)bytes.len);
	}
	if (has_mark) {
		frame_append_mark(&bytes, SEED, 31, (uint32_t)bytes.len, 0);
	}
	if (damaged) {
		bytes.at[SEGMENT_DATA_START + damaged * FRAME - 1] ^= 1;
	}
	memset(buf_reserve(&bytes, 4096), 0, 4096);
	bytes.len += 4096;
	sim = sim_fs_create(1);
	sim_fs_put(sim, "/s", bytes.at, bytes.len);
	int fd = sim_fs(sim)->open(sim_fs(sim), "/s", O_RDONLY, 0);
	scan_init(&scan, sim_fs(sim), fd, SEED, (int64_t)bytes.len);
	buf_finish(&bytes);
}

static void end(void) {
	scan_finish(&scan);
	sim_fs_destroy(sim);
}

// F10: a frame, D11-29: damage, E: the end; the offset of the end in frames.
static const char *walk(void) {
	static char text[100];
	struct frame frame;
	struct err err;
	size_t n = 0;
	for (;;) {
		enum scan_result result = scan_next(&scan, &frame, &err);
		CHECK(result != SCAN_ERROR);
		if (result == SCAN_FRAME) {
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "F%d ", (int)frame.sequence);
		} else if (result == SCAN_DAMAGE) {
			n += (size_t)snprintf(text + n, sizeof(text) - n, "D%d-%d ",
				(int)scan.damage_from, (int)scan.damage_to);
		} else {
			(void)snprintf(text + n, sizeof(text) - n, "E%d",
				(int)((scan.offset - SEGMENT_DATA_START) / FRAME));
			return text;
		}
	}
}

TEST(a_hole_is_damage_where_it_was_durable_and_the_end_where_it_was_not) {
	static const struct {
		size_t damaged;
		bool has_mark, is_sealed;
		const char *expected;
	} cases[] = {
		{0, false, false, "F10 F20 F30 E3"},
		{0, true, false, "F10 F20 F30 E3"},
		{3, false, false, "F10 F20 E2"}, // may as well never have been synced
		{3, true, false, "F10 F20 D21-30 E3"},
		{3, false, true, "F10 F20 D21-39 E3"},
		{2, false, false, "F10 D11-29 F30 E3"},
		{1, false, false, "D1-19 F20 F30 E3"},
		{1, true, true, "D1-19 F20 F30 E3"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(cases[i].damaged, cases[i].has_mark);
		if (cases[i].is_sealed) {
			scan.is_sealed = true;
			scan.limit = SEGMENT_DATA_START + 3 * FRAME;
			scan.limit_sequence = 40;
		}
		CHECK_TEXT(walk(), cases[i].expected);
		end();
	}
}

TEST(a_lost_tail_of_a_sealed_segment_is_damage_even_when_the_file_is_short) {
	begin(0, false);
	scan.is_sealed = true;
	scan.limit = SEGMENT_DATA_START + 100 * FRAME; // the file ends long before
	scan.limit_sequence = 500;
	CHECK_TEXT(walk(), "F10 F20 F30 D31-499 E100");
	end();
}

TEST(without_a_whole_header_nothing_is_believed) {
	begin(0, true);
	scan.has_seed = false;
	CHECK_TEXT(walk(), "E0");
	end();
}

static ssize_t (*real_pread)(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset);

static ssize_t failing_pread(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset) {
	bool is_hit = offset < SEGMENT_DATA_START + 90 &&
		offset + (int64_t)n > SEGMENT_DATA_START + 80;
	return is_hit ? -5 : real_pread(fs, fd, bytes, n, offset); // EIO
}

TEST(a_sector_that_cannot_be_read_is_damage_and_not_the_end_of_the_world) {
	begin(0, true);
	struct fs *fs = sim_fs(sim);
	real_pread = fs->pread;
	fs->pread = failing_pread;
	// The 4 KiB around it are given up: all three frames and the MARK.
	CHECK_TEXT(walk(), "E0");
	scan_finish(&scan);
	scan_init(&scan, fs, scan.fd, SEED, 4096);
	scan.is_sealed = true;
	scan.limit = SEGMENT_DATA_START + 3 * FRAME;
	scan.limit_sequence = 40;
	CHECK_TEXT(walk(), "D1-39 E3");
	end();
}

int main(void) {
	return TESTS(RUN(a_hole_is_damage_where_it_was_durable_and_the_end_where_it_was_not),
		RUN(a_lost_tail_of_a_sealed_segment_is_damage_even_when_the_file_is_short),
		RUN(without_a_whole_header_nothing_is_believed),
		RUN(a_sector_that_cannot_be_read_is_damage_and_not_the_end_of_the_world));
}
