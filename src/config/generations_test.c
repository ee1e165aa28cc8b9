// SPDX-License-Identifier: Apache-2.0
// The history of configurations in a folder of the test's own, with a file system that can fail.
#include "config/generations.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

static char state[] = "/tmp/anna-generations-XXXXXX";
static struct generations *generations;
static struct problems problems;
static struct err err;
static int fails_after; // writes that still work; -1: all do

static ssize_t full_pwrite(struct fs *fs, int fd, const void *bytes, size_t n, int64_t offset) {
	(void)fs;
	if (fails_after == 0) {
		return -ENOSPC;
	}
	fails_after -= fails_after > 0;
	return fs_system()->pwrite(fs_system(), fd, bytes, n, offset);
}

static int synced_folders;
static int failing_syncs; // how many of the next syncs of the folder fail

static int count_sync_directory(struct fs *fs, const char *path) {
	(void)fs;
	synced_folders++;
	if (failing_syncs > 0 && str_ends(str_from(path), STR("/generations"))) {
		failing_syncs--;
		return -EIO;
	}
	return fs_system()->sync_directory(fs_system(), path);
}

static int renames_left; // renames that still work; -1: all do

static int failing_rename(struct fs *fs, const char *from, const char *to) {
	(void)fs;
	if (renames_left == 0) {
		return -EIO;
	}
	renames_left -= renames_left > 0;
	return fs_system()->rename(fs_system(), from, to);
}

static struct fs disk;

// More than a sector of a disk, so that the texts can be torn where the first line is not.
static char long_text[3000];

static void open_again(void) {
	generations_close(generations);
	problems_finish(&problems);
	generations = generations_open(&disk, state, &problems, &err);
	assert_non_null(generations);
}

static int begin(void **unused) {
	(void)unused;
	memcpy(state + strlen(state) - 6, "XXXXXX", 6);
	disk = *fs_system();
	disk.pwrite = full_pwrite;
	disk.sync_directory = count_sync_directory;
	disk.rename = failing_rename;
	renames_left = -1;
	fails_after = -1;
	failing_syncs = 0;
	err = (struct err)ERR_INIT;
	if (!mkdtemp(state)) {
		return -1;
	}
	memset(long_text, 'x', sizeof(long_text) - 1);
	generations = NULL;
	open_again();
	return 0;
}

static char *path_of(const char *name) {
	return xasprintf("%s/generations/%s", state, name);
}

static void remove_name(void *arg, const char *name) {
	(void)arg;
	_cleanup_(freep) char *path = path_of(name);
	(void)unlink(path);
}

static int end(void **unused) {
	(void)unused;
	generations_close(generations);
	problems_finish(&problems);
	_cleanup_(freep) char *folder = path_of("");
	folder[strlen(folder) - 1] = '\0';
	if (unlink(folder) < 0) { // a link goes as such: what it leads to is not ours
		(void)fs_system()->list(fs_system(), folder, remove_name, NULL);
		(void)rmdir(folder);
	}
	return rmdir(state);
}

// Adds a generation whose one file has this text; its number, or 0.
static uint64_t add(const char *text, enum verdict verdict) {
	struct config_file item = {STR("/etc/anna/config.toml"), str_from(text)};
	struct config_files files = {.items = &item, .n = 1};
	config_files_hash(&files);
	struct generation wanted = {.time_ns = 1000, .author = "uid 0", .verdict = verdict};
	if (verdict == VERDICT_PENDING) {
		wanted.confirm_by_ns = 60 * NS_PER_SECOND;
		const struct generation *now = generations_active(generations, 0);
		wanted.previous = now ? now->number : 0;
	}
	const struct generation *added;
	return generations_add(generations, &files, &wanted, &added, &err) ? added->number : 0;
}

static enum verdict verdict_of(uint64_t number) {
	const struct generation *generation = generations_find(generations, number);
	assert_non_null(generation);
	return generation->verdict;
}

static uint64_t active_at(int64_t now_ns) {
	const struct generation *generation = generations_active(generations, now_ns);
	return generation ? generation->number : 0;
}

TEST(an_empty_history_has_nothing_in_force) {
	CHECK_INT(generations_count(generations), 0);
	CHECK(!generations_get(generations, 0));
	CHECK_INT(active_at(0), 0);
}

TEST(what_was_added_is_there_after_a_restart) {
	CHECK_INT(add("a = 1\n\"\xc3\xa9\"", VERDICT_ACTIVE), 1);

	open_again();

	const struct generation *generation = generations_get(generations, 0);
	CHECK_INT(generation->number, 1);
	CHECK_INT(generation->time_ns, 1000);
	CHECK_TEXT(generation->author, "uid 0");
	CHECK_INT(generation->verdict, VERDICT_ACTIVE);
	CHECK_INT(active_at(0), 1);
	CHECK(generations_find_hash(generations, generation->hash) == generation);
	struct config_files files;
	CHECK(generations_read(generations, 1, &files, &err));
	CHECK_INT(files.n, 1);
	CHECK_STR(files.items[0].path, "/etc/anna/config.toml");
	CHECK_STR(files.items[0].text, "a = 1\n\"\xc3\xa9\"");
	CHECK_TEXT(files.hash, generation->hash);
	config_files_finish(&files);
}

TEST(what_is_found_is_durable_before_anyone_relies_on_it) {
	CHECK_INT(add("a = 1", VERDICT_ACTIVE), 1);
	synced_folders = 0;
	open_again(); // perhaps after a kill between a rename and its sync
	CHECK(synced_folders > 0);
}

TEST(the_one_before_becomes_good) {
	add("a", VERDICT_ACTIVE);
	add("b", VERDICT_ACTIVE);
	add("c", VERDICT_REJECTED);

	for (int i = 0; i < 2; i++) {
		CHECK_INT(verdict_of(1), VERDICT_GOOD);
		CHECK_INT(verdict_of(2), VERDICT_ACTIVE);
		CHECK_INT(verdict_of(3), VERDICT_REJECTED);
		CHECK_INT(active_at(0), 2);
		open_again();
	}
}

TEST(an_older_one_can_be_put_in_force_again) {
	add("a", VERDICT_ACTIVE);
	add("b", VERDICT_ACTIVE);
	add("c", VERDICT_ACTIVE);

	CHECK(generations_set_verdict(generations, 3, VERDICT_UNDONE, &err));
	CHECK(generations_set_verdict(generations, 1, VERDICT_ACTIVE, &err));

	for (int i = 0; i < 2; i++) {
		CHECK_INT(active_at(0), 1);
		CHECK_INT(verdict_of(1), VERDICT_ACTIVE);
		CHECK_INT(verdict_of(2), VERDICT_GOOD);
		CHECK_INT(verdict_of(3), VERDICT_UNDONE);
		open_again();
	}
}

TEST(without_one_in_force_the_last_good_one_counts) {
	add("a", VERDICT_ACTIVE);
	CHECK(generations_set_verdict(generations, 1, VERDICT_GOOD, &err));
	add("b", VERDICT_REJECTED);

	open_again();

	CHECK_INT(active_at(0), 1);
}

TEST(an_unconfirmed_one_gives_way_at_its_deadline) {
	add("a", VERDICT_ACTIVE);
	add("b", VERDICT_PENDING);

	for (int i = 0; i < 2; i++) {
		CHECK_INT(active_at(60 * NS_PER_SECOND - 1), 2);
		CHECK_INT(active_at(60 * NS_PER_SECOND), 1);
		CHECK_INT(verdict_of(2), VERDICT_PENDING);
		open_again();
	}
}

TEST(a_confirmed_one_stays) {
	add("a", VERDICT_ACTIVE);
	add("b", VERDICT_PENDING);

	CHECK(generations_set_verdict(generations, 2, VERDICT_ACTIVE, &err));
	open_again();

	CHECK_INT(active_at(NS_PER_DAY), 2);
	CHECK_INT(verdict_of(1), VERDICT_GOOD);
}

TEST(two_unconfirmed_ones_give_way_to_the_last_confirmed) {
	add("a", VERDICT_ACTIVE);
	add("b", VERDICT_PENDING);
	add("c", VERDICT_PENDING);

	CHECK_INT(active_at(NS_PER_DAY), 1);
}

TEST(an_unconfirmed_first_one_gives_way_to_nothing) {
	add("a", VERDICT_PENDING);

	CHECK_INT(active_at(NS_PER_DAY), 0);
}

TEST(the_oldest_are_removed_but_never_those_needed) {
	add("first", VERDICT_ACTIVE);
	for (int i = 0; i < 150; i++) {
		add("broken", VERDICT_REJECTED);
	}

	CHECK_INT(generations_count(generations), 100);
	open_again();
	CHECK_INT(generations_count(generations), 100);
	CHECK_INT(active_at(0), 1);
	CHECK_INT(generations_get(generations, 1)->number, 53);
	CHECK_INT(add("next", VERDICT_ACTIVE), 152);
}

TEST(a_full_disk_changes_nothing) {
	add("a", VERDICT_ACTIVE);

	fails_after = 0;
	CHECK_INT(add("b", VERDICT_ACTIVE), 0);
	CHECK_INT(err.code, ERR_IO);
	CHECK(strstr(err.message, "configuration generation 2 could not be kept") != NULL);
	CHECK(!generations_set_verdict(generations, 1, VERDICT_UNDONE, &err));
	fails_after = -1;

	CHECK_INT(generations_count(generations), 1);
	CHECK_INT(active_at(0), 1);
	CHECK_INT(verdict_of(1), VERDICT_ACTIVE);
	CHECK_INT(add("b", VERDICT_ACTIVE), 2); // the number was never anybody's
}

// The rename was done, the name is not durable: the answer is no, so it must not be found later.
TEST(what_was_refused_after_its_rename_is_taken_back) {
	add("a", VERDICT_ACTIVE);
	add("b", VERDICT_ACTIVE);

	failing_syncs = 1;
	CHECK_INT(add("c", VERDICT_ACTIVE), 0);
	CHECK(!generations_in_doubt(generations));
	failing_syncs = 1;
	CHECK(!generations_set_verdict(generations, 2, VERDICT_UNDONE, &err));
	CHECK(!generations_in_doubt(generations));

	for (int i = 0; i < 2; i++) {
		CHECK_INT(generations_count(generations), 2);
		CHECK_INT(active_at(0), 2);
		CHECK_INT(verdict_of(2), VERDICT_ACTIVE);
		open_again();
	}
}

TEST(what_cannot_be_taken_back_for_good_is_said_to_be_in_doubt_until_it_is) {
	add("a", VERDICT_ACTIVE);

	failing_syncs = 2; // that of the change, and that of taking it back
	CHECK_INT(add("b", VERDICT_ACTIVE), 0);
	CHECK(generations_in_doubt(generations));
	CHECK(strstr(err.message, "may be found after a restart") != NULL);
	synced_folders = 0;
	CHECK_INT(add("c", VERDICT_ACTIVE), 3);
	CHECK(!generations_in_doubt(generations));
	CHECK(synced_folders >= 1); // what makes its name durable does so for all that is gone

	open_again();
	CHECK_INT(active_at(0), 3);
	CHECK(!generations_find(generations, 2));
}

// Found by seed 13 of a simulated day: the third try was taken back by what the first had left.
TEST(a_change_that_was_in_doubt_and_then_works_stays) {
	add("a", VERDICT_ACTIVE);
	add("b", VERDICT_ACTIVE);
	renames_left = 1; // so that the file cannot even be put back
	failing_syncs = 1;
	CHECK(!generations_set_verdict(generations, 2, VERDICT_UNDONE, &err));
	renames_left = -1;
	CHECK(generations_in_doubt(generations));
	CHECK(generations_set_verdict(generations, 2, VERDICT_UNDONE, &err));
	CHECK(!generations_in_doubt(generations));
	open_again();
	CHECK_INT(verdict_of(2), VERDICT_UNDONE);
}

TEST(closing_settles_what_is_in_doubt) {
	add("a", VERDICT_ACTIVE);
	failing_syncs = 2;
	CHECK(!generations_set_verdict(generations, 1, VERDICT_UNDONE, &err));
	CHECK(generations_in_doubt(generations));
	synced_folders = 0;
	generations_close(generations);
	CHECK_INT(synced_folders, 1);
	generations = NULL;
	open_again();
	CHECK_INT(verdict_of(1), VERDICT_ACTIVE);
}

TEST(names_that_cannot_be_synced_at_the_start_are_in_doubt) {
	add("a", VERDICT_ACTIVE);
	problems_finish(&problems);
	generations_close(generations);
	failing_syncs = 1;
	generations = generations_open(&disk, state, &problems, &err);
	CHECK(generations && generations_in_doubt(generations));
	CHECK_INT(add("b", VERDICT_ACTIVE), 2);
	CHECK(!generations_in_doubt(generations));
}

// Overwrites one byte of a file.
static void damage(const char *name, int64_t offset, char with) {
	_cleanup_(freep) char *path = path_of(name);
	int fd = open(path, O_RDWR);
	CHECK(fd >= 0);
	CHECK_INT(pwrite(fd, &with, 1, offset), 1);
	(void)close(fd);
}

TEST(the_newest_that_a_start_cannot_make_durable_is_in_doubt_until_it_is) {
	add("a", VERDICT_ACTIVE);
	fails_after = 0;
	open_again();
	CHECK(generations_in_doubt(generations));
	CHECK_INT(problems.n, 1);
	CHECK_INT(active_at(0), 1);

	fails_after = -1;
	CHECK_INT(add("b", VERDICT_ACTIVE), 2);
	CHECK(!generations_in_doubt(generations));
}

// As seen by a start after the power went while the second one was written: nobody was told that it is
// kept, so it may be there or not, but what is there is whole, and the first is never lost.
TEST(a_power_loss_while_one_is_added_leaves_it_or_the_one_before) {
	int kept = 0, torn = 0;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct sim_fs *sim = sim_fs_create(seed);
		generations_close(generations);
		generations = generations_open(sim_fs(sim), "/state", NULL, &err);
		CHECK_INT(add("first", VERDICT_ACTIVE), 1);
		sim_fs_skip_syncs(sim, true);
		sim_fs_skip_directory_syncs(sim, true);
		CHECK_INT(add(long_text, VERDICT_ACTIVE), 2);
		sim_fs_crash(sim);
		generations_close(generations);
		sim_fs_boot(sim);
		sim_fs_skip_syncs(sim, false);
		sim_fs_skip_directory_syncs(sim, false);
		problems_finish(&problems);
		generations = generations_open(sim_fs(sim), "/state", &problems, &err);

		uint64_t active = active_at(0);
		struct config_files files;
		CHECK(active == 1 || active == 2);
		CHECK(generations_read(generations, active, &files, &err));
		CHECK(str_is(files.items[0].text, active == 1 ? "first" : long_text));
		config_files_finish(&files);
		kept += active == 2;
		torn += problems.n > 0;
		CHECK(add("third", VERDICT_ACTIVE) >= 2); // 2: its name was lost too
		generations_close(generations);
		generations = generations_open(sim_fs(sim), "/state", NULL, &err);
		for (size_t i = 0; i < generations_count(generations); i++) {
			uint64_t number = generations_get(generations, i)->number;
			CHECK(generations_read(generations, number, &files, &err));
			config_files_finish(&files);
		}
		generations_close(generations);
		generations = NULL;
		sim_fs_destroy(sim);
	}
	CHECK(kept > 0);
	CHECK(torn > 0);
	open_again();
}

// Its sync had failed, and its process died: what the next start finds, and goes by, must not go with the
// power after that.
TEST(what_a_start_finds_is_durable_when_it_has_started) {
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct sim_fs *sim = sim_fs_create(seed);
		generations_close(generations);
		generations = generations_open(sim_fs(sim), "/state", NULL, &err);
		sim_fs_skip_syncs(sim, true);
		CHECK_INT(add(long_text, VERDICT_ACTIVE), 1);
		sim_fs_kill(sim);
		generations_close(generations);
		sim_fs_boot(sim);
		sim_fs_skip_syncs(sim, false);
		generations = generations_open(sim_fs(sim), "/state", NULL, &err);
		CHECK_INT(active_at(0), 1);
		CHECK(!generations_in_doubt(generations));
		sim_fs_crash(sim);
		generations_close(generations);
		sim_fs_boot(sim);
		generations = generations_open(sim_fs(sim), "/state", NULL, &err);

		CHECK_INT(active_at(0), 1);

		generations_close(generations);
		generations = NULL;
		sim_fs_destroy(sim);
	}
	open_again();
}

// What is being written stands there under a name that a start would tidy up.
TEST(looking_changes_nothing) {
	struct sim_fs *sim = sim_fs_create(1);
	generations_close(generations);
	assert_null(generations_look(sim_fs(sim), "/state", NULL, &err));
	generations = generations_open(sim_fs(sim), "/state", NULL, &err);
	CHECK_INT(add("first", VERDICT_ACTIVE), 1);
	sim_fs_put(sim, "/state/generations/00000002.conf.tmp", "half", 4);
	uint64_t before = sim_fs_digest(sim);

	struct generations *looked = generations_look(sim_fs(sim), "/state", NULL, &err);
	CHECK_INT(generations_count(looked), 1);
	generations_close(looked);

	CHECK(sim_fs_digest(sim) == before);
	generations_close(generations);
	generations = NULL;
	sim_fs_destroy(sim);
	open_again();
}

TEST(a_damaged_first_line_is_left_out_and_told) {
	add("a", VERDICT_ACTIVE);
	add("b", VERDICT_ACTIVE);

	damage("00000002.conf", 20, '#');
	open_again();

	CHECK_INT(generations_count(generations), 1);
	CHECK_INT(active_at(0), 1);
	CHECK_INT(problems.n, 1);
	CHECK(problems.items[0].is_warning);
	CHECK(strstr(problems.items[0].message, "generation 2 is damaged") != NULL);
	CHECK_INT(add("c", VERDICT_ACTIVE), 3);
}

TEST(every_cut_of_a_file_is_noticed) {
	add("some text that is long enough", VERDICT_ACTIVE);
	_cleanup_(freep) char *path = path_of("00000001.conf");
	struct stat whole;
	CHECK_INT(stat(path, &whole), 0);

	for (off_t size = whole.st_size - 1; size >= 0; size -= 7) {
		CHECK_INT(truncate(path, size), 0);
		open_again();
		CHECK_INT(generations_count(generations), 0);
		CHECK_INT(problems.n, 1);
	}
}

TEST(damaged_texts_are_not_handed_out) {
	add("some text", VERDICT_ACTIVE);
	add("a newer one", VERDICT_ACTIVE);
	_cleanup_(freep) char *path = path_of("00000001.conf");
	struct stat whole;
	CHECK_INT(stat(path, &whole), 0);
	struct config_files files;

	damage("00000001.conf", whole.st_size - 10, '#');
	open_again();

	CHECK_INT(generations_count(generations), 2);
	CHECK(!generations_read(generations, 1, &files, &err));
	CHECK_INT(err.code, ERR_STORAGE);
}

TEST(a_link_is_not_followed) {
	add("a", VERDICT_ACTIVE);
	_cleanup_(freep) char *from = path_of("00000001.conf");
	_cleanup_(freep) char *kept = path_of("elsewhere");
	CHECK_INT(rename(from, kept), 0);
	CHECK_INT(symlink(kept, from), 0);

	open_again();

	CHECK_INT(generations_count(generations), 0);
	CHECK_INT(problems.n, 1);
}

TEST(a_linked_folder_is_refused) {
	_cleanup_(freep) char *folder = path_of("");
	folder[strlen(folder) - 1] = '\0';
	CHECK_INT(rmdir(folder), 0);
	CHECK_INT(symlink("/tmp", folder), 0);

	CHECK(!generations_open(&disk, state, &problems, &err));

	CHECK_INT(err.code, ERR_STORAGE);
}

TEST(foreign_and_left_over_files_do_no_harm) {
	static const char *const names[] = {"00000009.conf.tmp", "readme", "1.conf",
		"abcdefgh.conf", "00000000.conf", "99999999999999999999.conf"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_(freep) char *path = path_of(names[i]);
		int fd = open(path, O_CREAT | O_WRONLY, 0600);
		CHECK(fd >= 0);
		(void)close(fd);
	}

	open_again();

	_cleanup_(freep) char *stale = path_of("00000009.conf.tmp");
	CHECK_INT(generations_count(generations), 0);
	CHECK_INT(problems.n, 0);
	CHECK(access(stale, F_OK) < 0);
	CHECK_INT(add("a", VERDICT_ACTIVE), 10);
}

TEST(a_long_author_is_cut) {
	struct config_files files = {0};
	char author[5000];
	memset(author, '"', sizeof(author) - 1);
	author[sizeof(author) - 1] = '\0';
	config_files_hash(&files);
	struct generation wanted = {.author = author, .verdict = VERDICT_GOOD};

	CHECK(generations_add(generations, &files, &wanted, NULL, &err));
	open_again();

	CHECK_INT(strlen(generations_get(generations, 0)->author), 200);
}

TEST(an_unknown_number_is_said_so) {
	struct config_files files;

	CHECK(!generations_read(generations, 7, &files, &err));
	CHECK_INT(err.code, ERR_NOT_FOUND);
	CHECK(!generations_set_verdict(generations, 7, VERDICT_UNDONE, &err));
	CHECK_TEXT(err.message,
		"there is no configuration generation 7; annactl config history "
		"lists them");
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		EACH(an_empty_history_has_nothing_in_force),
		EACH(what_was_added_is_there_after_a_restart),
		EACH(what_is_found_is_durable_before_anyone_relies_on_it),
		EACH(the_one_before_becomes_good),
		EACH(an_older_one_can_be_put_in_force_again),
		EACH(without_one_in_force_the_last_good_one_counts),
		EACH(an_unconfirmed_one_gives_way_at_its_deadline),
		EACH(a_confirmed_one_stays),
		EACH(two_unconfirmed_ones_give_way_to_the_last_confirmed),
		EACH(an_unconfirmed_first_one_gives_way_to_nothing),
		EACH(the_oldest_are_removed_but_never_those_needed),
		EACH(a_full_disk_changes_nothing),
		EACH(what_was_refused_after_its_rename_is_taken_back),
		EACH(what_cannot_be_taken_back_for_good_is_said_to_be_in_doubt_until_it_is),
		EACH(a_change_that_was_in_doubt_and_then_works_stays),
		EACH(closing_settles_what_is_in_doubt),
		EACH(names_that_cannot_be_synced_at_the_start_are_in_doubt),
		EACH(the_newest_that_a_start_cannot_make_durable_is_in_doubt_until_it_is),
		EACH(a_power_loss_while_one_is_added_leaves_it_or_the_one_before),
		EACH(what_a_start_finds_is_durable_when_it_has_started),
		EACH(looking_changes_nothing),
		EACH(a_damaged_first_line_is_left_out_and_told),
		EACH(every_cut_of_a_file_is_noticed),
		EACH(damaged_texts_are_not_handed_out),
		EACH(a_link_is_not_followed),
		EACH(a_linked_folder_is_refused),
		EACH(foreign_and_left_over_files_do_no_harm),
		EACH(a_long_author_is_cut),
		EACH(an_unknown_number_is_said_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
