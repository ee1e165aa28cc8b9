// SPDX-License-Identifier: Apache-2.0
#include "io/fs.h"

#include <errno.h>

#include "io/draft.h"
#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

static struct buf content = BUF_INIT;

static const char *read_back(struct fs *fs, const char *path) {
	static struct err err; // its message is returned
	buf_clear(&content);
	return fs_read_file(fs, path, 1000, &content, &err) ? buf_text(&content) : err.message;
}

TEST(a_file_above_the_limit_is_refused_and_nothing_is_appended) {
	struct sim_fs *sim = sim_fs_create(1);
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;
	sim_fs_put(sim, "/file", "12345", 5);
	buf_append_text(&out, "before");

	CHECK(!fs_read_file(sim_fs(sim), "/file", 4, &out, &err));
	CHECK_INT(err.code, ERR_LIMIT);
	CHECK_TEXT(buf_text(&out), "before");
	CHECK(fs_read_file(sim_fs(sim), "/file", 5, &out, &err));
	CHECK_TEXT(buf_text(&out), "before12345");
	buf_finish(&out);
	sim_fs_destroy(sim);
}

TEST(a_missing_file_says_so_with_its_path) {
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;
	CHECK(!fs_read_file(fs_system(), "/nonexistent/file", 10, &out, &err));
	CHECK_INT(err.code, ERR_NOT_FOUND);
	CHECK_TEXT(err.message, "cannot open /nonexistent/file: No such file or directory");
	buf_finish(&out);
}

TEST(folders_made_are_there_after_a_power_loss) {
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct sim_fs *sim = sim_fs_create(seed);
		struct fs_stat found;
		struct err err;
		// A first try is killed between making a folder and syncing its name.
		CHECK_INT(sim_fs(sim)->mkdir(sim_fs(sim), "/a", 0700), 0);
		sim_fs_kill(sim);
		sim_fs_boot(sim);

		CHECK(fs_make_directories(sim_fs(sim), "/a/b/c", &err));
		sim_fs_crash(sim);
		sim_fs_boot(sim);

		CHECK_INT(sim_fs(sim)->stat(sim_fs(sim), "/a/b/c", &found), 0);
		CHECK(found.is_directory);
		sim_fs_destroy(sim);
	}
}

TEST(a_file_in_the_way_of_a_folder_is_named) {
	struct sim_fs *sim = sim_fs_create(1);
	struct err err = ERR_INIT;
	sim_fs_put(sim, "/a/b", "x", 1);
	CHECK(!fs_make_directories(sim_fs(sim), "/a/b/c", &err));
	CHECK_TEXT(err.message, "cannot make the folder /a/b: Not a directory");
	sim_fs_destroy(sim);
}

TEST(short_writes_are_completed) {
	struct sim_fs *sim = sim_fs_create(3);
	struct fs *fs = sim_fs(sim);
	sim_fs_set_faults(sim, &(struct sim_fs_faults){.short_write = 9000});
	int fd = fs->open(fs, "/file", O_RDWR | O_CREAT, 0600);
	CHECK_INT(fs_write_all(fs, fd, "0123456789", 10, 5), 10);
	char back[16];
	CHECK_INT(fs_read_all(fs, fd, back, sizeof(back), 5), 10);
	CHECK(memcmp(back, "0123456789", 10) == 0);
	CHECK_INT(fs->close(fs, fd), 0);
	sim_fs_destroy(sim);
}

static void count(void *arg, const char *name) {
	(void)name;
	++*(int *)arg;
}

TEST(the_kernel_does_the_same) {
	struct fs *fs = fs_system();
	struct fs_stat found;
	struct err err = ERR_INIT;
	char base[] = "/tmp/anna-fs-test-XXXXXX";
	CHECK(mkdtemp(base) != NULL);
	_cleanup_(buf_finish) struct buf folder = BUF_INIT, file = BUF_INIT, link = BUF_INIT;
	buf_appendf(&folder, "%s/a/b", base);
	buf_appendf(&file, "%s/file", buf_text(&folder));
	buf_appendf(&link, "%s.tmp", buf_text(&file));

	CHECK(fs_make_directories(fs, buf_text(&folder), &err));
	CHECK(fs_make_directories(fs, buf_text(&folder), &err));
	CHECK_INT(symlink("/nonexistent/elsewhere", buf_text(&link)), 0);
	CHECK(draft_replace(fs, buf_text(&file), STR("one"), &err)); // not through the link
	CHECK(draft_replace(fs, buf_text(&file), STR("two"), &err));
	CHECK_TEXT(read_back(fs, buf_text(&file)), "two");
	int names = 0;
	CHECK_INT(fs->list(fs, buf_text(&folder), count, &names), 0);
	CHECK_INT(names, 1);
	CHECK_INT(fs->stat(fs, buf_text(&file), &found), 0);
	CHECK_INT(found.size, 3);
	CHECK(fs->free_bytes(fs, base) > 0);
	CHECK_INT(fs->stat(fs, buf_text(&link), &found), -ENOENT);

	CHECK_INT(fs->unlink(fs, buf_text(&file)), 0);
	CHECK_INT(rmdir(buf_text(&folder)), 0);
	buf_clear(&folder);
	buf_appendf(&folder, "%s/a", base);
	CHECK_INT(rmdir(buf_text(&folder)), 0);
	CHECK_INT(rmdir(base), 0);
	buf_finish(&content);
}

int main(void) {
	return TESTS(RUN(a_file_above_the_limit_is_refused_and_nothing_is_appended),
		RUN(a_missing_file_says_so_with_its_path),
		RUN(folders_made_are_there_after_a_power_loss),
		RUN(a_file_in_the_way_of_a_folder_is_named), RUN(short_writes_are_completed),
		RUN(the_kernel_does_the_same));
}
