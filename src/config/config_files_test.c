// SPDX-License-Identifier: Apache-2.0
// Reading config.toml and conf.d from disk, and what is not read.
#include "config/snapshot.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "io/draft.h"
#include "tests/check.h"

static char folder[] = "/tmp/anna-files-XXXXXX";
static char *main_path;
static struct config_files files;
static struct err err;

static char *path_of(const char *name) {
	return xasprintf("%s/%s", folder, name);
}

static void put(const char *name, struct str content) {
	_cleanup_(freep) char *path = path_of(name);
	CHECK(draft_replace(fs_system(), path, content, NULL));
}

static void remove_fragment(void *arg, const char *name) {
	(void)arg;
	_cleanup_(freep) char *path = xasprintf("%s/conf.d/%s", folder, name);
	if (unlink(path) < 0) {
		(void)rmdir(path);
	}
}

static int begin(void **state) {
	(void)state;
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	if (!mkdtemp(folder)) {
		return -1;
	}
	main_path = path_of("config.toml");
	_cleanup_(freep) char *fragments = path_of("conf.d");
	files = (struct config_files){0};
	err = (struct err)ERR_INIT;
	return mkdir(fragments, 0700);
}

static int end(void **state) {
	(void)state;
	config_files_finish(&files);
	_cleanup_(freep) char *fragments = path_of("conf.d");
	(void)fs_system()->list(fs_system(), fragments, remove_fragment, NULL);
	(void)rmdir(fragments);
	(void)unlink(fragments); // where a test put a file in its place
	if (unlink(main_path) < 0) {
		(void)rmdir(main_path);
	}
	free(main_path);
	return rmdir(folder);
}

static bool read_all(bool is_required) {
	config_files_finish(&files);
	return config_files_read(fs_system(), main_path, is_required, &files, &err);
}

TEST(no_path_means_no_files) {
	CHECK(config_files_read(fs_system(), NULL, false, &files, &err));

	CHECK_INT(files.n, 0);
	CHECK_INT(strlen(files.hash), 64);
}

TEST(a_missing_file_is_an_error_only_where_it_was_asked_for) {
	CHECK(read_all(false));
	CHECK_INT(files.n, 0);

	CHECK(!read_all(true));
	CHECK_INT(err.code, ERR_NOT_FOUND);
}

TEST(policies_come_after_the_fragments_and_only_yaml_is_read) {
	_cleanup_(freep) char *policies = path_of("policies.d");
	CHECK_INT(mkdir(policies, 0700), 0);
	put("config.toml", STR("a = 1"));
	put("conf.d/z.toml", STR("b = 1"));
	put("policies.d/a.yaml", STR("# rules"));
	put("policies.d/b.toml", STR("not read"));
	put("conf.d/c.yaml", STR("not read"));
	CHECK(read_all(true));
	CHECK_INT(files.n, 3);
	CHECK(str_ends(files.items[1].path, STR("/conf.d/z.toml")));
	CHECK(str_ends(files.items[2].path, STR("/policies.d/a.yaml")));

	char before[65];
	memcpy(before, files.hash, sizeof(before));
	_cleanup_(freep) char *from = path_of("policies.d/a.yaml");
	_cleanup_(freep) char *to = path_of("policies.d/b.yaml");
	CHECK_INT(rename(from, to), 0);
	CHECK(read_all(true));
	CHECK(strcmp(files.hash, before) != 0); // its rules have other names

	_cleanup_(freep) char *other = path_of("policies.d/b.toml");
	CHECK_INT(unlink(to), 0);
	CHECK_INT(unlink(other), 0);
	CHECK_INT(rmdir(policies), 0);
}

TEST(fragments_come_after_the_main_file_in_order_of_name) {
	put("config.toml", STR("a"));
	put("conf.d/20.toml", STR("c"));
	put("conf.d/10.toml", STR("b"));

	CHECK(read_all(true));

	CHECK_INT(files.n, 3);
	CHECK_STR(files.items[0].text, "a");
	CHECK_STR(files.items[1].text, "b");
	CHECK_STR(files.items[2].text, "c");
	CHECK(str_ends(files.items[2].path, STR("/conf.d/20.toml")));
}

TEST(fragments_are_read_without_a_main_file) {
	put("conf.d/10.toml", STR("b"));

	CHECK(read_all(false));

	CHECK_INT(files.n, 1);
}

TEST(what_is_no_fragment_is_left_alone) {
	_cleanup_(freep) char *pipe_path = path_of("conf.d/pipe.toml");
	_cleanup_(freep) char *sub = path_of("conf.d/folder.toml");
	_cleanup_(freep) char *dangling = path_of("conf.d/gone.toml");
	put("conf.d/.hidden.toml", STR("x"));
	put("conf.d/readme.md", STR("x"));
	put("conf.d/old.toml~", STR("x"));
	CHECK_INT(mkfifo(pipe_path, 0600), 0);
	CHECK_INT(mkdir(sub, 0700), 0);
	CHECK_INT(symlink("nowhere", dangling), 0);

	CHECK(read_all(false));

	CHECK_INT(files.n, 0);
}

TEST(a_pipe_or_a_folder_is_refused_by_name) {
	CHECK_INT(mkfifo(main_path, 0600), 0);
	CHECK(!read_all(true));
	CHECK(strstr(err.message, "config.toml is not a regular file") != NULL);
	CHECK_INT(unlink(main_path), 0);

	CHECK_INT(mkdir(main_path, 0700), 0);
	CHECK(!read_all(true));
	CHECK(strstr(err.message, "config.toml is a folder") != NULL);
}

TEST(a_linked_file_is_read) {
	put("conf.d/real", STR("linked"));
	CHECK_INT(symlink("conf.d/real", main_path), 0);

	CHECK(read_all(true));

	CHECK_STR(files.items[0].text, "linked");
}

static int open_denied(struct fs *fs, const char *path, int flags, int mode) {
	(void)fs, (void)path, (void)flags, (void)mode;
	return -EACCES;
}

TEST(an_unreadable_file_is_told_with_what_to_look_at) {
	struct fs denied = *fs_system();
	denied.open = open_denied;

	CHECK(!config_files_read(&denied, main_path, false, &files, &err));

	CHECK_INT(err.code, ERR_DENIED);
	CHECK(strstr(err.message, main_path) != NULL);
	CHECK(strstr(err.message, "owner and mode") != NULL);
}

TEST(a_file_in_the_place_of_the_folder_is_told) {
	_cleanup_(freep) char *fragments = path_of("conf.d");
	CHECK_INT(rmdir(fragments), 0);
	put("conf.d", STR("x"));

	CHECK(!read_all(false));

	CHECK(strstr(err.message, "cannot list the configuration folder") != NULL);
}

TEST(more_bytes_than_the_limit_are_refused) {
	char *large = xcalloc(1, CONFIG_FILE_MAX + 1);
	put("config.toml", str_range(large, CONFIG_FILE_MAX));
	CHECK(read_all(true));
	put("conf.d/one.toml", STR("x"));
	CHECK(!read_all(true));
	CHECK_INT(err.code, ERR_LIMIT);
	free(large);
}

TEST(more_fragments_than_the_limit_are_refused) {
	for (int i = 0; i < CONFIG_FILES_MAX; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "conf.d/%03d.toml", i);
		_cleanup_(freep) char *path = path_of(name);
		int fd = open(path, O_CREAT | O_WRONLY, 0600);
		CHECK(fd >= 0);
		(void)close(fd);
	}
	put("config.toml", STR(""));
	CHECK(read_all(true));
	CHECK_INT(files.n, CONFIG_FILES_MAX + 1);

	put("conf.d/one-more.toml", STR(""));
	CHECK(!read_all(true));
	CHECK_INT(err.code, ERR_LIMIT);
}

static void hash_of(const char *path, const char *text, const char *other_path, const char *other,
	char out[65]) {
	struct config_file items[] = {
		{str_from(path), str_from(text)}, {str_from(other_path), str_from(other)}};
	struct config_files some = {.items = items, .n = other_path ? 2 : 1};
	config_files_hash(&some);
	memcpy(out, some.hash, 65);
}

TEST(the_hash_is_of_the_content_wherever_the_folder_is) {
	char a[65], b[65], c[65], d[65], e[65];
	hash_of("/etc/anna/config.toml", "x", NULL, NULL, a);
	hash_of("anna.toml", "x", NULL, NULL, b);
	hash_of("anna.toml", "y", NULL, NULL, c);
	hash_of("anna.toml", "x", "conf.d/a.toml", "y", d);
	hash_of("anna.toml", "x", "conf.d/b.toml", "y", e);

	CHECK_TEXT(a, b);
	CHECK(strcmp(a, c) != 0);
	CHECK(strcmp(a, d) != 0);
	CHECK(strcmp(d, e) != 0);
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		EACH(no_path_means_no_files),
		EACH(a_missing_file_is_an_error_only_where_it_was_asked_for),
		EACH(fragments_come_after_the_main_file_in_order_of_name),
		EACH(fragments_are_read_without_a_main_file),
		EACH(policies_come_after_the_fragments_and_only_yaml_is_read),
		EACH(what_is_no_fragment_is_left_alone),
		EACH(a_pipe_or_a_folder_is_refused_by_name),
		EACH(a_linked_file_is_read),
		EACH(an_unreadable_file_is_told_with_what_to_look_at),
		EACH(a_file_in_the_place_of_the_folder_is_told),
		EACH(more_bytes_than_the_limit_are_refused),
		EACH(more_fragments_than_the_limit_are_refused),
		RUN(the_hash_is_of_the_content_wherever_the_folder_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
