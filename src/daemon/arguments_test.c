// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/arguments.h"

static bool parse(struct arguments *out, struct err *err, const char *const *words) {
	char *argv[16] = {(char *)"annad"};
	int argc = 1;
	for (; words[argc - 1]; argc++) {
		argv[argc] = (char *)words[argc - 1];
	}
	return arguments_parse(argc, argv, out, err);
}

#define PARSE(out, err, ...) parse(out, err, (const char *const[]){__VA_ARGS__, NULL})

TEST(values_come_after_a_blank_or_an_equals_sign) {
	struct arguments arguments;
	struct err err = ERR_INIT;

	CHECK(PARSE(&arguments, &err, "--state-dir", "/s", "--socket=/s/a.sock", "--http", "off"));

	CHECK_TEXT(arguments.state_folder, "/s");
	CHECK_TEXT(arguments.socket_path, "/s/a.sock");
	CHECK_TEXT(arguments.http, "off");
	arguments_finish(&arguments);
}

TEST(wrong_command_lines_are_refused_with_the_word_at_fault) {
	static const struct {
		const char *words[3];
		const char *text;
	} rows[] = {
		{{"--colour", "x"}, "unknown option \"--colour\"; see annad --help"},
		{{"start"}, "unexpected word \"start\"; see annad --help"},
		{{"--socket"}, "--socket needs a value; see annad --help"},
		{{"--log-level", "loud"},
			"--log-level takes debug, info, warn or error, not \"loud\""},
		{{"--show", "all"}, "--show takes default, schema or formats, not \"all\""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arguments arguments;
		struct err err = ERR_INIT;
		CHECK(!parse(&arguments, &err, rows[i].words));
		CHECK_TEXT(err.message, rows[i].text);
	}
}

TEST(a_named_config_is_made_absolute_and_must_exist) {
	struct arguments arguments;
	struct err err = ERR_INIT;
	char *here = getcwd(NULL, 0);

	CHECK(PARSE(&arguments, &err, "--config", "a.toml"));

	CHECK(arguments.config_is_named);
	CHECK(strncmp(arguments.config_path, here, strlen(here)) == 0);
	free(here);
	arguments_finish(&arguments);
}

TEST(folders_of_the_unit_win_over_the_defaults) {
	struct arguments arguments;
	struct err err = ERR_INIT;
	setenv("STATE_DIRECTORY", "/var/lib/other", 1);
	setenv("RUNTIME_DIRECTORY", "/run/other", 1);

	CHECK(PARSE(&arguments, &err, "--json"));

	CHECK_TEXT(arguments.state_folder, "/var/lib/other");
	CHECK_TEXT(arguments.socket_path, "/run/other/annad.sock");
	unsetenv("STATE_DIRECTORY");
	unsetenv("RUNTIME_DIRECTORY");
	arguments_finish(&arguments);
}

int main(void) {
	return TESTS(RUN(values_come_after_a_blank_or_an_equals_sign),
		RUN(wrong_command_lines_are_refused_with_the_word_at_fault),
		RUN(a_named_config_is_made_absolute_and_must_exist),
		RUN(folders_of_the_unit_win_over_the_defaults));
}
