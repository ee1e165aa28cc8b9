// SPDX-License-Identifier: Apache-2.0
// Watched trees on real temporary folders with real inotify: the kernel queues hints before the
// call that caused them returns, so nothing here waits.
#include "sources/file_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "io/fs.h"
#include "sources/file_memory.h"
#include "tests/check.h"

struct place_of_test {
	char folder[64];
	struct file_tree *tree;
	struct file_tree_result result;
	struct buf told; // "created a\nmoved b c\n…"
};

static void path_of(const struct place_of_test *at, const char *name, char out[256]) {
	snprintf(out, 256, "%s/%s", at->folder, name);
}

static void write_file(const struct place_of_test *at, const char *name, const char *text) {
	char path[256];
	path_of(at, name, path);
	FILE *file = fopen(path, "we");
	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void make_folder(const struct place_of_test *at, const char *name) {
	char path[256];
	path_of(at, name, path);
	CHECK(mkdir(path, 0700) == 0);
}

static void move(const struct place_of_test *at, const char *from, const char *to) {
	char a[256], b[256];
	path_of(at, from, a);
	path_of(at, to, b);
	CHECK(rename(a, b) == 0);
}

static void link_to(const struct place_of_test *at, const char *target, const char *name) {
	char path[256];
	path_of(at, name, path);
	CHECK(symlink(target, path) == 0);
}

static void remove_name(void *folder, const char *name) {
	_cleanup_(freep) char *path = xasprintf("%s/%s", (const char *)folder, name);
	if (unlink(path) != 0 && errno == EISDIR) {
		(void)fs_system()->list(fs_system(), path, remove_name, path);
		(void)rmdir(path);
	}
}

static void removes(const struct place_of_test *at, const char *name) {
	remove_name((void *)(uintptr_t)at->folder, name);
}

static void open_tree(
	struct place_of_test *at, const char *name, bool is_recursive, size_t max_files) {
	char path[256];
	static const struct str ignored[] = {STR_INIT("*.swp"), STR_INIT("cache/*")};
	path_of(at, name, path);
	if (!name[0]) {
		path[strlen(path) - 1] = '\0';
	}
	at->tree = file_tree_create(&(struct file_tree_spec){.path = str_from(path),
					    .is_recursive = is_recursive,
					    .ignored = ignored,
					    .ignored_count = 2,
					    .max_files = max_files},
		NULL);
	CHECK(at->tree != NULL);
}

static void begin(struct place_of_test *at) {
	*at = (struct place_of_test){.folder = "/tmp/anna-tree-XXXXXX"};
	CHECK(mkdtemp(at->folder) != NULL);
}

// Works through all hints so far; what was told, paths relative to the folder.
static const char *work(struct place_of_test *at, enum file_tree_work what) {
	static const char *const names[] = {
		"created", "modified", "removed", "moved", "attributes"};
	struct file_changes changes = {0};
	struct buf hints = BUF_INIT;
	ssize_t n;
	while ((n = read(file_tree_fd(at->tree), buf_reserve(&hints, 65536), 65536)) > 0) {
		hints.len += (size_t)n;
	}
	file_tree_work(at->tree, what, buf_str(&hints), &changes, &at->result);
	buf_clear(&at->told);
	for (size_t i = 0; i < changes.n; i++) {
		const struct file_change *change = &changes.items[i];
		size_t skip = strlen(at->folder) + 1;
		buf_appendf(&at->told, "%s ", names[change->kind]);
		if (change->from) {
			buf_appendf(&at->told, "%s ", change->from + skip);
		}
		buf_appendf(&at->told, "%s%s\n", change->path + skip, change->is_folder ? "/" : "");
	}
	file_changes_finish(&changes);
	buf_finish(&hints);
	return buf_text(&at->told);
}

static void check_well(struct place_of_test *at, const char *expected) {
	struct buf text = BUF_INIT;
	CHECK(file_tree_is_well(at->tree, &text) == !expected);
	CHECK(!expected || strstr(buf_text(&text), expected));
	buf_finish(&text);
}

static void end(struct place_of_test *at) {
	file_tree_destroy(at->tree);
	buf_finish(&at->told);
	remove_name((void *)(uintptr_t) "", at->folder + 1);
	CHECK(access(at->folder, F_OK) != 0);
}

TEST(changes_in_a_folder_are_told) {
	struct place_of_test at;
	begin(&at);
	write_file(&at, "old", "1");
	open_tree(&at, "", false, 100);
	CHECK_TEXT(work(&at, WORK_HINTS), "");
	write_file(&at, "new", "1");
	write_file(&at, "old", "22");
	CHECK_TEXT(work(&at, WORK_HINTS), "created new\nmodified old\n");
	move(&at, "new", "newer");
	CHECK_TEXT(work(&at, WORK_HINTS), "moved new newer\n");
	removes(&at, "old");
	CHECK_TEXT(work(&at, WORK_HINTS), "removed old\n");
	check_well(&at, NULL);
	end(&at);
}

TEST(only_a_real_change_is_told) {
	struct place_of_test at;
	char path[256];
	begin(&at);
	write_file(&at, "f", "1");
	path_of(&at, "f", path);
	const struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
	CHECK(utimensat(AT_FDCWD, path, old, 0) == 0);
	open_tree(&at, "", false, 100);
	work(&at, WORK_HINTS);
	close(open(path, O_RDWR | O_CLOEXEC));
	CHECK_TEXT(work(&at, WORK_HINTS), "");
	write_file(&at, "there-and-gone", "");
	removes(&at, "there-and-gone");
	write_file(&at, "x.swp", "ignored");
	CHECK_TEXT(work(&at, WORK_HINTS), "");
	CHECK(chmod(path, 0640) == 0);
	CHECK_TEXT(work(&at, WORK_HINTS), "attributes f\n");
	end(&at);
}

// As a kernel with coarse times does: the same size, the same time.
static void write_within_tick(const struct place_of_test *at, const struct timespec *time) {
	char path[256];
	path_of(at, "f", path);
	const struct timespec times[2] = {*time, *time};
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && futimens(fd, times) == 0 && close(fd) == 0);
}

TEST(two_writes_in_one_tick_are_not_lost) {
	struct place_of_test at;
	struct timespec time;
	begin(&at);
	open_tree(&at, "", false, 100);
	work(&at, WORK_HINTS);
	// Within 20 ms of the look, and for this also tomorrow's time will do.
	CHECK(clock_gettime(CLOCK_REALTIME, &time) == 0);
	time.tv_sec += 86400;
	write_within_tick(&at, &time);
	CHECK_TEXT(work(&at, WORK_HINTS), "created f\n");
	write_within_tick(&at, &time);
	CHECK_TEXT(work(&at, WORK_HINTS), "modified f\n");
	end(&at);
}

TEST(two_writes_in_one_tick_to_a_single_file_are_not_lost) {
	struct place_of_test at;
	struct timespec time;
	begin(&at);
	open_tree(&at, "f", false, 100);
	work(&at, WORK_HINTS);
	CHECK(clock_gettime(CLOCK_REALTIME, &time) == 0);
	time.tv_sec += 86400;
	write_within_tick(&at, &time);
	CHECK_TEXT(work(&at, WORK_HINTS), "created f\n");
	write_within_tick(&at, &time);
	CHECK_TEXT(work(&at, WORK_HINTS), "modified f\n");
	end(&at);
}

TEST(a_saving_editor_is_one_modification) {
	struct place_of_test at;
	begin(&at);
	write_file(&at, "f", "1");
	open_tree(&at, "", false, 100);
	work(&at, WORK_HINTS);
	write_file(&at, "f.swp", "22");
	move(&at, "f.swp", "f");
	CHECK_TEXT(work(&at, WORK_HINTS), "modified f\n");
	end(&at);
}

TEST(new_folders_are_watched_without_a_hole) {
	struct place_of_test at;
	begin(&at);
	open_tree(&at, "", true, 100);
	work(&at, WORK_HINTS);
	make_folder(&at, "a");
	make_folder(&at, "a/b");
	write_file(&at, "a/b/early", "1");
	CHECK_TEXT(work(&at, WORK_HINTS), "created a/\ncreated a/b/\ncreated a/b/early\n");
	write_file(&at, "a/b/late", "1");
	CHECK_TEXT(work(&at, WORK_HINTS), "created a/b/late\n");
	end(&at);
}

TEST(a_moved_folder_takes_its_files_and_watches_along) {
	struct place_of_test at;
	begin(&at);
	make_folder(&at, "a");
	write_file(&at, "a/f", "1");
	make_folder(&at, "away");
	open_tree(&at, "", true, 100);
	work(&at, WORK_HINTS);
	move(&at, "a", "b");
	CHECK_TEXT(work(&at, WORK_HINTS), "moved a b/\n");
	write_file(&at, "b/f", "22");
	write_file(&at, "b/g", "1");
	CHECK_TEXT(work(&at, WORK_HINTS), "modified b/f\ncreated b/g\n");
	end(&at);
}

TEST(a_folder_moved_out_is_gone_with_its_files) {
	struct place_of_test at;
	begin(&at);
	make_folder(&at, "in");
	make_folder(&at, "in/a");
	write_file(&at, "in/a/f", "1");
	open_tree(&at, "in", true, 100);
	work(&at, WORK_HINTS);
	move(&at, "in/a", "out");
	CHECK_TEXT(work(&at, WORK_HINTS), "");
	CHECK(at.result.wants_more); // the other half might have followed
	CHECK_TEXT(work(&at, WORK_HINTS), "removed in/a/f\nremoved in/a/\n");
	write_file(&at, "out/f", "22");
	CHECK_TEXT(work(&at, WORK_HINTS), "");
	move(&at, "out", "in/back");
	CHECK_TEXT(work(&at, WORK_HINTS), "created in/back/\ncreated in/back/f\n");
	end(&at);
}

TEST(a_single_file_is_watched_through_its_folder) {
	struct place_of_test at;
	begin(&at);
	open_tree(&at, "f", false, 100);
	work(&at, WORK_HINTS);
	check_well(&at, NULL);
	write_file(&at, "other", "1");
	write_file(&at, "f", "1");
	CHECK_TEXT(work(&at, WORK_HINTS), "created f\n");
	write_file(&at, "new", "22");
	move(&at, "new", "f");
	CHECK_TEXT(work(&at, WORK_HINTS), "modified f\n");
	write_file(&at, "f", "33");
	CHECK_TEXT(work(&at, WORK_HINTS), "modified f\n");
	removes(&at, "f");
	CHECK_TEXT(work(&at, WORK_HINTS), "removed f\n");
	end(&at);
}

TEST(links_on_the_way_are_followed) {
	struct place_of_test at; // as Kubernetes mounts a config map
	begin(&at);
	make_folder(&at, "v1");
	make_folder(&at, "v2");
	write_file(&at, "v1/f", "1");
	write_file(&at, "v2/f", "22");
	link_to(&at, "v1", "now");
	link_to(&at, "now/f", "f");
	open_tree(&at, "f", false, 100);
	work(&at, WORK_HINTS);
	link_to(&at, "v2", "then");
	move(&at, "then", "now");
	CHECK_TEXT(work(&at, WORK_HINTS), "modified f\n");
	write_file(&at, "v2/f", "333");
	CHECK_TEXT(work(&at, WORK_HINTS), "modified f\n");
	write_file(&at, "v1/f", "4444");
	CHECK_TEXT(work(&at, WORK_HINTS), "");
	end(&at);
}

TEST(a_folder_that_does_not_exist_yet_is_waited_for) {
	struct place_of_test at;
	begin(&at);
	open_tree(&at, "a/b", true, 100);
	work(&at, WORK_HINTS);
	check_well(&at, "a/b does not exist yet");
	make_folder(&at, "a");
	work(&at, WORK_HINTS);
	check_well(&at, NULL);
	make_folder(&at, "a/b");
	write_file(&at, "a/b/f", "1");
	CHECK_TEXT(work(&at, WORK_HINTS), "created a/b/f\n");
	removes(&at, "a");
	CHECK_TEXT(work(&at, WORK_HINTS), "removed a/b/f\n");
	check_well(&at, "does not exist yet");
	end(&at);
}

TEST(a_folder_far_above_that_moves_is_noticed) {
	struct place_of_test at;
	begin(&at);
	make_folder(&at, "a");
	make_folder(&at, "a/b");
	write_file(&at, "a/b/f", "1");
	open_tree(&at, "a/b", false, 100);
	work(&at, WORK_HINTS);
	move(&at, "a", "c");
	CHECK_TEXT(work(&at, WORK_VERIFY), "removed a/b/f\n");
	end(&at);
}

TEST(a_rescan_finds_what_an_overflow_hid) {
	struct place_of_test at;
	begin(&at);
	write_file(&at, "a", "1");
	write_file(&at, "b", "1");
	open_tree(&at, "", true, 100);
	work(&at, WORK_HINTS);
	write_file(&at, "a", "22");
	removes(&at, "b");
	make_folder(&at, "c");
	write_file(&at, "c/d", "1");
	char drop[4096];
	CHECK(read(file_tree_fd(at.tree), drop, sizeof(drop)) > 0);
	struct {
		int32_t wd;
		uint32_t mask, cookie, len;
	} overflow = {-1, 0x4000, 0, 0};
	struct file_changes changes = {0};
	file_tree_work(at.tree, WORK_HINTS, str_range((char *)&overflow, sizeof(overflow)),
		&changes, &at.result);
	CHECK(at.result.has_overflowed);
	CHECK_INT(changes.n, 4);
	file_changes_finish(&changes);
	write_file(&at, "c/e", "1"); // and the folder found is watched
	CHECK_TEXT(work(&at, WORK_HINTS), "created c/e\n");
	CHECK(!at.result.has_overflowed);
	end(&at);
}

TEST(more_files_than_remembered_are_still_told_by_hints) {
	struct place_of_test at;
	begin(&at);
	write_file(&at, "a", "1");
	open_tree(&at, "", false, 1);
	work(&at, WORK_HINTS);
	check_well(&at, NULL);
	write_file(&at, "b", "1");
	CHECK_TEXT(work(&at, WORK_HINTS), "created b\nmodified b\n");
	check_well(&at, "raise max_files");
	write_file(&at, "b", "2");
	CHECK_TEXT(work(&at, WORK_HINTS), "modified b\n");
	removes(&at, "b");
	CHECK_TEXT(work(&at, WORK_HINTS), "removed b\n");
	end(&at);
}

TEST(a_folder_that_may_not_be_read_is_reported) {
	struct place_of_test at;
	char path[256];
	begin(&at);
	make_folder(&at, "a");
	path_of(&at, "a", path);
	CHECK(chmod(path, 0) == 0 && chmod(at.folder, 0755) == 0);
	bool is_root = geteuid() == 0; // who may read everything
	int rc = is_root ? seteuid(65534) : 0;
	open_tree(&at, "a", false, 100);
	work(&at, WORK_HINTS);
	struct buf text = BUF_INIT;
	bool is_well = file_tree_is_well(at.tree, &text);
	rc += is_root ? seteuid(0) : 0;
	CHECK(rc == 0 && !is_well && strstr(buf_text(&text), "may not read it"));
	buf_finish(&text);
	CHECK(chmod(path, 0700) == 0);
	end(&at);
}

TEST(hints_cut_off_are_no_danger) {
	struct place_of_test at;
	begin(&at);
	open_tree(&at, "", true, 100);
	work(&at, WORK_HINTS);
	write_file(&at, "a", "1");
	char hints[4096];
	ssize_t n = read(file_tree_fd(at.tree), hints, sizeof(hints));
	for (ssize_t i = 0; i < n; i++) {
		struct file_changes changes = {0};
		char *copy = xmalloc((size_t)i);
		memcpy(copy, hints, (size_t)i);
		file_tree_work(
			at.tree, WORK_HINTS, str_range(copy, (size_t)i), &changes, &at.result);
		file_changes_finish(&changes);
		free(copy);
	}
	end(&at);
}

int main(void) {
	return TESTS(RUN(changes_in_a_folder_are_told), RUN(only_a_real_change_is_told),
		RUN(two_writes_in_one_tick_are_not_lost),
		RUN(two_writes_in_one_tick_to_a_single_file_are_not_lost),
		RUN(a_saving_editor_is_one_modification),
		RUN(new_folders_are_watched_without_a_hole),
		RUN(a_moved_folder_takes_its_files_and_watches_along),
		RUN(a_folder_moved_out_is_gone_with_its_files),
		RUN(a_single_file_is_watched_through_its_folder),
		RUN(links_on_the_way_are_followed),
		RUN(a_folder_that_does_not_exist_yet_is_waited_for),
		RUN(a_folder_far_above_that_moves_is_noticed),
		RUN(a_rescan_finds_what_an_overflow_hid),
		RUN(more_files_than_remembered_are_still_told_by_hints),
		RUN(a_folder_that_may_not_be_read_is_reported), RUN(hints_cut_off_are_no_danger));
}
