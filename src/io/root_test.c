// SPDX-License-Identifier: Apache-2.0
// A recorded tree: read, listed in order, its links followed by name.
#include "io/root.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "io/fs.h"
#include "tests/check.h"

struct tree {
	struct root root;
	char folder[64];
};

static void put(struct tree *tree, const char *path, const char *content) {
	_cleanup_(freep) char *whole = xasprintf("%s%s", tree->folder, path);
	for (char *slash = strchr(whole + strlen(tree->folder) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(whole, 0700); // may be there
		*slash = '/';
	}
	FILE *file = fopen(whole, "w");
	CHECK(file != NULL);
	fputs(content, file);
	fclose(file);
}

static void open_tree(struct tree *tree) {
	snprintf(tree->folder, sizeof(tree->folder), "/tmp/anna-root-XXXXXX");
	CHECK(mkdtemp(tree->folder) != NULL);
	tree->root = (struct root){
		.fs = fs_system(), .sysroot = tree->folder, .arena = arena_create()};
}

static void remove_below(const char *path) {
	struct arena *arena = arena_create();
	struct root root = {.fs = fs_system(), .sysroot = "", .arena = arena};
	char **names;
	size_t n = root_list(&root, &names, "%s", path);
	for (size_t i = 0; i < n; i++) {
		char *below = root_path(&root, "%s/%s", path, names[i]);
		if (unlink(below) != 0) {
			remove_below(below);
		}
	}
	(void)rmdir(path);
	arena_destroy(arena);
}

static void close_tree(struct tree *tree) {
	remove_below(tree->folder);
	arena_destroy(tree->root.arena);
}

TEST(a_file_is_read_below_the_root_without_its_line_end) {
	struct tree tree;
	struct str text;
	open_tree(&tree);
	put(&tree, "/sys/kernel/thing", "  [always] never\n");
	CHECK(root_read(&tree.root, &text, "/sys/%s/thing", "kernel"));
	CHECK_STR(text, "[always] never");
	CHECK(root_has(&tree.root, "/sys/kernel"));
	CHECK(!root_has(&tree.root, "/sys/else"));
	close_tree(&tree);
}

TEST(what_is_not_there_says_why) {
	struct tree tree;
	struct str text;
	int64_t number;
	open_tree(&tree);
	CHECK(!root_read(&tree.root, &text, "/none"));
	CHECK_INT(tree.root.err.code, ERR_NOT_FOUND);
	put(&tree, "/word", "abc\n");
	CHECK(!root_read_number(&tree.root, &number, "/word"));
	CHECK_INT(tree.root.err.code, ERR_INVALID);
	CHECK(!root_read_large(&tree.root, "/word", 2, &text));
	CHECK_INT(tree.root.err.code, ERR_LIMIT);
	close_tree(&tree);
}

TEST(a_large_file_is_read_whole_with_its_blanks) {
	struct tree tree;
	struct str text;
	open_tree(&tree);
	put(&tree, "/large", " ab\n\n");
	put(&tree, "/empty", "");
	CHECK(root_read_large(&tree.root, "/large", 6, &text));
	CHECK_STR(text, " ab\n\n");
	CHECK(root_read_large(&tree.root, "/empty", 6, &text));
	CHECK_STR(text, "");
	CHECK(!root_read_large(&tree.root, "/none", 6, &text));
	CHECK_INT(tree.root.err.code, ERR_NOT_FOUND);
	tree.root.sysroot = "";
	CHECK(root_read_large(&tree.root, "/proc/self/comm", 64, &text)); // says it has no size
	CHECK(text.len > 0);
	close_tree(&tree);
}

TEST(numbers_are_decimal_or_hexadecimal) {
	struct tree tree;
	int64_t number = 0;
	open_tree(&tree);
	put(&tree, "/a", "-12\n");
	put(&tree, "/b", "0x10De\n");
	put(&tree, "/c", "0x\n");
	CHECK(root_read_number(&tree.root, &number, "/a"));
	CHECK_INT(number, -12);
	CHECK(root_read_number(&tree.root, &number, "/b"));
	CHECK_INT(number, 0x10de);
	CHECK(!root_read_number(&tree.root, &number, "/c"));
	close_tree(&tree);
}

TEST(a_folder_is_listed_in_the_order_people_count) {
	struct tree tree;
	char **names;
	open_tree(&tree);
	put(&tree, "/d/cpu10", "");
	put(&tree, "/d/cpu2", "");
	put(&tree, "/d/boot", "");
	CHECK_INT(root_list(&tree.root, &names, "/d"), 3);
	CHECK_TEXT(names[0], "boot");
	CHECK_TEXT(names[1], "cpu2");
	CHECK_TEXT(names[2], "cpu10");
	CHECK_INT(root_list(&tree.root, &names, "/e"), 0);
	close_tree(&tree);
}

TEST(a_link_is_known_by_its_last_part) {
	struct tree tree;
	struct str name;
	open_tree(&tree);
	CHECK_INT(symlink("../../bus/pci/drivers/e1000e", root_path(&tree.root, "/driver")), 0);
	CHECK(root_link(&tree.root, &name, "/driver"));
	CHECK_STR(name, "e1000e");
	CHECK(!root_link(&tree.root, &name, "/other"));
	close_tree(&tree);
}

int main(void) {
	return TESTS(RUN(a_file_is_read_below_the_root_without_its_line_end),
		RUN(what_is_not_there_says_why), RUN(a_large_file_is_read_whole_with_its_blanks),
		RUN(numbers_are_decimal_or_hexadecimal),
		RUN(a_folder_is_listed_in_the_order_people_count),
		RUN(a_link_is_known_by_its_last_part));
}
