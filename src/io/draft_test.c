// SPDX-License-Identifier: Apache-2.0
#include "io/draft.h"

#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

static struct buf content = BUF_INIT;

static const char *read_back(struct fs *fs, const char *path) {
	static struct err err; // its message is returned
	buf_clear(&content);
	return fs_read_file(fs, path, 1000, &content, &err) ? buf_text(&content) : err.message;
}

TEST(a_replaced_file_is_the_new_or_the_old_one_after_a_power_loss) {
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct sim_fs *sim = sim_fs_create(seed);
		struct err err = ERR_INIT;
		sim_fs_put(sim, "/state/file", "old", 3);

		bool is_replaced = seed % 2 == 0 &&
			draft_replace(sim_fs(sim), "/state/file", STR("new content"), &err);
		if (seed % 2) { // cut short: the folder was not synced
			sim_fs_skip_directory_syncs(sim, true);
			CHECK(draft_replace(sim_fs(sim), "/state/file", STR("new content"), &err));
		}
		sim_fs_crash(sim);
		sim_fs_boot(sim);

		const char *text = read_back(sim_fs(sim), "/state/file");
		CHECK(strcmp(text, "new content") == 0 ||
			(!is_replaced && strcmp(text, "old") == 0));
		sim_fs_destroy(sim);
	}
}

TEST(a_replacement_that_fails_leaves_the_old_file_whole) {
	struct sim_fs *sim = sim_fs_create(1);
	struct err err = ERR_INIT;
	sim_fs_put(sim, "/state/file", "old", 3);
	sim_fs_set_capacity(sim, 8);

	CHECK(!draft_replace(sim_fs(sim), "/state/file", STR("longer than that"), &err));

	CHECK_TEXT(err.message, "cannot write /state/file.tmp: No space left on device");
	CHECK_TEXT(read_back(sim_fs(sim), "/state/file"), "old");
	CHECK_INT(sim_fs_open_files(sim), 0);
	sim_fs_destroy(sim);
}

TEST(a_draft_that_was_not_committed_is_not_there) {
	struct sim_fs *sim = sim_fs_create(1);
	struct err err = ERR_INIT;
	sim_fs_put(sim, "/state/other", "x", 1);

	struct draft *draft = draft_begin(
		sim_fs(sim), "/state/file", STR("one "), STR("two"), &err);
	CHECK(draft != NULL);
	CHECK_TEXT(read_back(sim_fs(sim), "/state/file.tmp"), "one two");
	draft_drop(draft);

	CHECK_TEXT(read_back(sim_fs(sim), "/state/file"),
		"cannot open /state/file: No such file or directory");
	CHECK_TEXT(read_back(sim_fs(sim), "/state/file.tmp"),
		"cannot open /state/file.tmp: No such file or directory");
	CHECK_INT(sim_fs_open_files(sim), 0);
	sim_fs_destroy(sim);
}

TEST(a_committed_draft_is_whole_after_a_power_loss) {
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct sim_fs *sim = sim_fs_create(seed);
		struct err err = ERR_INIT;
		sim_fs_put(sim, "/state/other", "x", 1);

		struct draft *draft = draft_begin(
			sim_fs(sim), "/state/file", STR("one "), STR("two"), &err);
		CHECK(draft && draft_commit(draft, &err));
		sim_fs_crash(sim);
		sim_fs_boot(sim);

		CHECK_TEXT(read_back(sim_fs(sim), "/state/file"), "one two");
		sim_fs_destroy(sim);
	}
}

TEST(a_draft_on_a_full_disk_says_so_and_leaves_nothing) {
	struct sim_fs *sim = sim_fs_create(1);
	struct err err = ERR_INIT;
	sim_fs_put(sim, "/state/other", "x", 1);
	sim_fs_set_capacity(sim, 5);

	CHECK(!draft_begin(sim_fs(sim), "/state/file", STR("one "), STR("two"), &err));

	CHECK_TEXT(err.message, "cannot write /state/file.tmp: No space left on device");
	CHECK_INT(sim_fs_open_files(sim), 0);
	CHECK_TEXT(read_back(sim_fs(sim), "/state/file.tmp"),
		"cannot open /state/file.tmp: No such file or directory");
	sim_fs_destroy(sim);
}

int main(void) {
	return TESTS(RUN(a_replaced_file_is_the_new_or_the_old_one_after_a_power_loss),
		RUN(a_replacement_that_fails_leaves_the_old_file_whole),
		RUN(a_draft_that_was_not_committed_is_not_there),
		RUN(a_committed_draft_is_whole_after_a_power_loss),
		RUN(a_draft_on_a_full_disk_says_so_and_leaves_nothing));
}
