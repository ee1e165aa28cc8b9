// SPDX-License-Identifier: Apache-2.0
#include "store/index.h"

#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

static struct sim_fs *sim;

// 100 records; those caused by 5 have sequences 20, 40, 60, 80 and 100.
static void build(struct index *out) {
	struct buf bytes = BUF_INIT;
	struct err err;
	buf_reserve(&bytes, SEGMENT_DATA_START);
	memset(bytes.at, 0, SEGMENT_DATA_START);
	bytes.len = SEGMENT_DATA_START;
	for (uint64_t i = 1; i <= 100; i++) {
		struct record record = {.sequence = i,
			.cause = i % 20 ? i / 2 + 1000 : 5,
			.time_ns = (int64_t)(1000 - i)};
		frame_append(&bytes, 9, &record, 1, (uint32_t)bytes.len);
	}
	sim = sim_fs_create(1);
	sim_fs_put(sim, "/j/s/0000000000000007.segment", bytes.at, bytes.len);
	int fd = sim_fs(sim)->open(sim_fs(sim), "/j/s/0000000000000007.segment", O_RDONLY, 0);
	struct scan scan;
	scan_init(&scan, sim_fs(sim), fd, 9, (int64_t)bytes.len);
	CHECK(index_build(&scan, 7, out, &err));
	scan_finish(&scan);
	buf_finish(&bytes);
}

TEST(an_index_read_back_knows_the_range_and_the_effects) {
	struct index built, index;
	struct err err;
	build(&built);
	CHECK(index_save(sim_fs(sim), "/j", "s", 7, &built, &err));
	CHECK(index_load(sim_fs(sim), "/j", "s", 7, 9, &index));
	CHECK_INT(index.first_sequence, 1);
	CHECK_INT(index.last_sequence, 100);
	CHECK_INT(index.earliest_ns, 900);
	CHECK_INT(index.latest_ns, 999);
	CHECK_INT(index.end, SEGMENT_DATA_START + 100 * 56);
	size_t cursor = 0;
	for (int i = 0; i < 5; i++) {
		CHECK_INT(index_next_effect(&index, 5, &cursor),
			SEGMENT_DATA_START + (20 * (i + 1) - 1) * 56);
	}
	CHECK_INT(index_next_effect(&index, 5, &cursor), -1);
	cursor = 0;
	CHECK_INT(index_next_effect(&index, 6, &cursor), -1);
	index_finish(&index);
	index_finish(&built);
	sim_fs_destroy(sim);
}

TEST(a_bad_or_foreign_index_is_none) {
	struct index built, index;
	struct err err;
	build(&built);
	CHECK(!index_load(sim_fs(sim), "/j", "s", 7, 9, &index));
	CHECK(index_save(sim_fs(sim), "/j", "s", 7, &built, &err));
	CHECK(!index_load(sim_fs(sim), "/j", "s", 7, 8, &index)); // another life of the segment
	for (size_t i = 0; i < built.file.len * 8; i++) {
		const char *path = "/j/s/0000000000000007.index";
		CHECK(sim_fs_flip(sim, path, (int64_t)i / 8, (int)(i % 8)));
		CHECK(!index_load(sim_fs(sim), "/j", "s", 7, 9, &index));
		CHECK(sim_fs_flip(sim, path, (int64_t)i / 8, (int)(i % 8)));
	}
	index_finish(&built);
	sim_fs_destroy(sim);
}

int main(void) {
	return TESTS(RUN(an_index_read_back_knows_the_range_and_the_effects),
		RUN(a_bad_or_foreign_index_is_none));
}
