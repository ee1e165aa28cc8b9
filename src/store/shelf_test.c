// SPDX-License-Identifier: Apache-2.0
#include "store/shelf.h"

#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

static struct sim_fs *sim;
static struct shelf shelf;
static struct err err;

// A segment begun after segment `before` ended at `end`; before 0 and end 0: not begun.
static void put(uint64_t id, uint64_t before, int64_t end) {
	struct buf bytes = BUF_INIT, path = BUF_INIT;
	uint32_t seed = segment_seed("s", id, 0);
	segment_format_header((unsigned char *)buf_reserve(&bytes, SEGMENT_DATA_START), "s", id, 0);
	bytes.len = SEGMENT_DATA_START;
	if (end) {
		frame_append_open(&bytes, seed, id * 10, SEGMENT_DATA_START,
			&(struct segment_end){before, end, before * 10 + 5});
	}
	memset(buf_reserve(&bytes, 1000), 0, 1000);
	bytes.len += 1000;
	segment_path(&path, "/j", "s", id, "segment");
	sim_fs_put(sim, buf_text(&path), bytes.at, bytes.len);
	buf_finish(&bytes);
	buf_finish(&path);
}

static void begin(void) {
	sim = sim_fs_create(1);
	shelf = (struct shelf){NULL, 0, 0};
}

static void end(void) {
	shelf_finish(&shelf);
	sim_fs_destroy(sim);
}

TEST(segments_are_listed_in_order_and_other_names_left_alone) {
	begin();
	sim_fs_put(sim, "/j/s/readme", "x", 1);
	sim_fs_put(sim, "/j/s/000000000000000a.segment", "", 0);
	sim_fs_put(sim, "/j/s/0000000000000002.segment", "12", 2);
	sim_fs_put(sim, "/j/s/0000000000000002.index", "345", 3);
	sim_fs_put(sim, "/j/s/0000000000000003.index", "345", 3);
	CHECK(shelf_load(&shelf, sim_fs(sim), "/j", "s", &err));
	CHECK_INT(shelf.n, 2);
	CHECK_INT(shelf.entries[0].id, 2);
	CHECK(shelf.entries[0].has_index);
	CHECK_INT(shelf.entries[0].size, 5);
	CHECK_INT(shelf.entries[1].id, 10);
	CHECK(!shelf.entries[1].has_index);
	CHECK_INT(shelf_last_id(&shelf), 10);
	CHECK(shelf_load(&shelf, sim_fs(sim), "/j", "nowhere", &err));
	CHECK_INT(shelf.n, 0);
	end();
}

// 1: sealed, 0: open, -1: not to be read.
static int kind_of(size_t i, int64_t *out_limit) {
	struct segment_file file;
	struct scan scan;
	int found = shelf_open_scan(&shelf, i, sim_fs(sim), "/j", "s", &file, &scan, &err);
	if (found <= 0) {
		return -1;
	}
	int kind = scan.is_sealed;
	*out_limit = scan.limit;
	scan_finish(&scan);
	segment_close(sim_fs(sim), &file);
	return kind;
}

TEST(a_segment_ends_where_the_next_one_begun_says) {
	int64_t limit = 0;
	begin();
	put(1, 0, SEGMENT_DATA_START);
	put(2, 1, 1500); // taken back: the one after it follows 1
	put(3, 0, 0);	 // prepared, never begun
	put(5, 1, 1200);
	put(6, 0, 0);
	CHECK(shelf_load(&shelf, sim_fs(sim), "/j", "s", &err));
	shelf_remove(&shelf, 1); // without 2
	CHECK_INT(kind_of(0, &limit), 1);
	CHECK_INT(limit, 1200);
	CHECK_INT(kind_of(2, &limit), 0); // 5 is being written
	CHECK(shelf_load(&shelf, sim_fs(sim), "/j", "s", &err));
	CHECK_INT(kind_of(1, &limit), -1); // 2 is void
	end();
}

TEST(links_are_not_followed_and_a_missing_segment_is_no_error) {
	char base[] = "/tmp/anna-shelf-test-XXXXXX";
	CHECK(mkdtemp(base) != NULL);
	_cleanup_(buf_finish) struct buf folder = BUF_INIT, path = BUF_INIT;
	buf_appendf(&folder, "%s/s", base);
	CHECK_INT(fs_system()->mkdir(fs_system(), buf_text(&folder), 0700), 0);
	segment_path(&path, base, "s", 1, "segment");
	CHECK_INT(symlink("/etc/passwd", buf_text(&path)), 0);
	struct segment_file file;
	CHECK_INT(segment_open(fs_system(), base, "s", 1, O_RDWR, &file, &err), -1);
	CHECK(strstr(err.message, "Too many levels of symbolic links") != NULL);
	CHECK_INT(segment_open(fs_system(), base, "s", 2, O_RDWR, &file, &err), 0);
	CHECK_INT(unlink(buf_text(&path)), 0);
	CHECK_INT(rmdir(buf_text(&folder)), 0);
	CHECK_INT(rmdir(base), 0);
}

int main(void) {
	return TESTS(RUN(segments_are_listed_in_order_and_other_names_left_alone),
		RUN(a_segment_ends_where_the_next_one_begun_says),
		RUN(links_are_not_followed_and_a_missing_segment_is_no_error));
}
