// SPDX-License-Identifier: Apache-2.0
// Secrets from files and credentials, in a folder of the test's own.
#include "config/secret.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "formats/toml.h"
#include "io/draft.h"
#include "tests/check.h"

static char folder[] = "/tmp/anna-secret-XXXXXX";
static struct arena *arena;

static int begin(void **state) {
	(void)state;
	arena = arena_create();
	return mkdtemp(folder) ? 0 : -1;
}

static void remove_name(void *arg, const char *name) {
	(void)arg;
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, name);
	(void)unlink(path);
}

static int end(void **state) {
	(void)state;
	(void)fs_system()->list(fs_system(), folder, remove_name, NULL);
	arena_destroy(arena);
	return rmdir(folder);
}

static void put(const char *name, struct str content) {
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, name);
	CHECK(draft_replace(fs_system(), path, content, NULL));
}

// Reads the secret that `table` tells of, in a file c.toml of the folder.
static bool read_from(const char *table, struct str *out, struct err *err) {
	struct problems problems = PROBLEMS_INIT;
	const char *file = arena_printf(arena, "%s/c.toml", folder);
	const char *text = arena_printf(arena, "v = %s\n", table);
	const struct value *root = toml_parse(arena, file, str_from(text), &problems);
	CHECK_INT(problems.n, 0);
	*err = (struct err)ERR_INIT;
	return secret_read(fs_system(), arena, value_get(root, STR("v")), out, err);
}

TEST(a_file_beside_the_configuration_is_read_without_its_newline) {
	struct err err;
	struct str secret;
	put("one", STR("hunter2\n"));
	put("two", STR("hunter3\r\n"));
	put("three", STR("two\nlines\n\n"));

	CHECK(read_from("{ file = 'one' }", &secret, &err));
	CHECK_STR(secret, "hunter2");
	CHECK(read_from("{ file = 'two' }", &secret, &err));
	CHECK_STR(secret, "hunter3");
	CHECK(read_from("{ file = 'three' }", &secret, &err));
	CHECK_STR(secret, "two\nlines\n");
}

TEST(an_absolute_path_is_taken_as_it_is) {
	struct err err;
	struct str secret;
	put("one", STR("x"));

	CHECK(read_from(arena_printf(arena, "{ file = '%s/one' }", folder), &secret, &err));

	CHECK_STR(secret, "x");
}

TEST(a_missing_file_is_named) {
	struct err err;
	struct str secret;

	CHECK(!read_from("{ file = 'none' }", &secret, &err));

	CHECK(strstr(err.message, "its secret cannot be read: cannot open") != NULL);
	CHECK(strstr(err.message, "/none: No such file") != NULL);
}

TEST(a_file_too_large_to_be_a_secret_is_refused) {
	struct err err;
	struct str secret;
	char *large = xcalloc(1, SECRET_MAX + 1);
	put("large", str_range(large, SECRET_MAX + 1));
	free(large);

	CHECK(!read_from("{ file = 'large' }", &secret, &err));

	CHECK_INT(err.code, ERR_LIMIT);
}

TEST(a_pipe_does_not_hold_us_up) {
	struct err err;
	struct str secret;
	_cleanup_(freep) char *path = xasprintf("%s/pipe", folder);
	CHECK_INT(mkfifo(path, 0600), 0);

	CHECK(!read_from("{ file = 'pipe' }", &secret, &err));
}

TEST(a_credential_is_read_from_the_folder_of_the_service) {
	struct err err;
	struct str secret;
	put("token", STR("abc\n"));

	CHECK_INT(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	CHECK(read_from("{ credential = 'token' }", &secret, &err));
	CHECK_STR(secret, "abc");

	CHECK_INT(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	CHECK(!read_from("{ credential = 'token' }", &secret, &err));
	CHECK(strstr(err.message, "LoadCredential=") != NULL);
}

TEST(a_table_of_another_form_is_refused) {
	static const char *const tables[] = {"{}", "{ file = 1 }", "{ file = '' }",
		"{ file = 'a', credential = 'b' }", "{ fiel = 'a' }", "{ credential = '.x' }",
		"{ credential = 'a/b' }", "{ credential = '' }", "{ file = \"a\\u0000b\" }"};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct err err;
		struct str secret;
		CHECK(!read_from(tables[i], &secret, &err));
		CHECK_INT(err.code, ERR_CONFIG);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		RUN(a_file_beside_the_configuration_is_read_without_its_newline),
		RUN(an_absolute_path_is_taken_as_it_is),
		RUN(a_missing_file_is_named),
		RUN(a_file_too_large_to_be_a_secret_is_refused),
		RUN(a_pipe_does_not_hold_us_up),
		RUN(a_credential_is_read_from_the_folder_of_the_service),
		RUN(a_table_of_another_form_is_refused),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
