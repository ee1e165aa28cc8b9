// SPDX-License-Identifier: Apache-2.0
#include "ctl/command_line.h"

#include "base/clock.h"
#include "tests/check.h"

#define WORDS_MAX 16

// Parses "annactl" and the words of `text`; single quotes are not known, a word is a word.
static bool parse(
	struct arena *arena, const char *text, struct command_line *out, struct failure *failure) {
	const char *argv[WORDS_MAX] = {"annactl"};
	struct str rest = str_from(text), word;
	int argc = 1;
	*failure = (struct failure)FAILURE_INIT;
	while (argc < WORDS_MAX && str_word(&rest, &word)) {
		argv[argc++] = arena_copy(arena, word);
	}
	return command_line_parse(arena, argc, argv, out, failure);
}

TEST(global_flags_stand_before_and_after_the_verb) {
	static const char *const texts[] = {"--json --timeout 2s status",
		"status --json --timeout=2s", "--json status --timeout 2s"};
	for (size_t i = 0; i < 3; i++) {
		struct arena *arena = arena_create();
		struct command_line line;
		struct failure failure;
		CHECK(parse(arena, texts[i], &line, &failure));
		CHECK(line.globals.json);
		CHECK_INT(line.globals.timeout_ns, 2 * NS_PER_SECOND);
		CHECK_TEXT(line.command->name, "status");
		arena_destroy(arena);
	}
}

TEST(names_and_aliases_find_their_command) {
	static const struct {
		const char *text, *name;
	} rows[] = {
		{"config check", "config check"},
		{"config --json check", "config check"},
		{"config validate x.toml", "config check"},
		{"validate", "config check"},
		{"doctor check", "doctor"},
		{"reload", "reload"},
		{"reload confirm", "reload confirm"},
		{"reload --dry-run", "reload"},
		{"help config check", "help"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_create();
		struct command_line line;
		struct failure failure;
		CHECK(parse(arena, rows[i].text, &line, &failure));
		CHECK_TEXT(line.command->name, rows[i].name);
		arena_destroy(arena);
	}
}

TEST(mistakes_are_usage_errors_that_say_what_is_meant) {
	static const struct {
		const char *text, *message, *next;
	} rows[] = {
		{"statsu", "there is no command statsu; did you mean status?", "annactl help"},
		{"config chekc", "there is no command config chekc; did you mean config check?",
			"annactl help"},
		{"events --folow",
			"there is no option --folow of annactl events; "
			"did you mean --follow?",
			"annactl help events"},
		{"--follow events",
			"there is no global option --follow; options of a command come "
			"after its name",
			"annactl help"},
		{"events --limit", "--limit needs a value", "annactl help events"},
		{"ping --count x",
			"option \"count\" must be an integer from 1 to 1000000, not the string "
			"\"x\"",
			"annactl help ping"},
		{"status now", "annactl status takes no further word: \"now\"",
			"annactl help status"},
		{"status -vw", "give short options one by one, not as -vw", "annactl help status"},
		{"completion tcsh", NULL, "annactl help completion"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_create();
		struct command_line line;
		struct failure failure;
		CHECK(!parse(arena, rows[i].text, &line, &failure));
		CHECK_INT(failure_exit_status(&failure), 2);
		if (rows[i].message) {
			CHECK_TEXT(failure.err.message, rows[i].message);
		}
		CHECK_TEXT(failure_next(&failure), rows[i].next);
		arena_destroy(arena);
	}
}

TEST(a_required_word_is_asked_for_with_the_usage) {
	struct arena *arena = arena_create();
	struct command_line line;
	struct failure failure;
	CHECK(!parse(arena, "emit", &line, &failure));
	CHECK(strstr(failure.err.message, "annactl emit needs KIND: annactl emit KIND") != NULL);
	arena_destroy(arena);
}

TEST(json_is_known_even_when_the_rest_is_wrong) {
	struct arena *arena = arena_create();
	struct command_line line;
	struct failure failure;
	CHECK(!parse(arena, "--json nonsense", &line, &failure));
	CHECK(line.globals.json);
	arena_destroy(arena);
}

TEST(words_after_two_dashes_may_begin_with_a_dash) {
	struct arena *arena = arena_create();
	struct command_line line;
	struct failure failure;
	CHECK(parse(arena, "emit user.x -- -a=1", &line, &failure));
	CHECK(!parse(arena, "emit user.x -a=1", &line, &failure));
	arena_destroy(arena);
}

TEST(help_needs_no_required_words) {
	struct arena *arena = arena_create();
	struct command_line line;
	struct failure failure;
	CHECK(parse(arena, "emit --help", &line, &failure));
	CHECK(line.globals.help);
	CHECK_TEXT(line.command->name, "emit");
	arena_destroy(arena);
}

TEST(every_command_is_complete_and_its_names_are_its_own) {
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *command = command_get(i);
		size_t len = strlen(command->summary);
		CHECK(command->run != NULL);
		CHECK(len > 0 && len <= 62 && command->summary[len - 1] == '.');
		CHECK(command_find(str_from(command->name)) == command);
		CHECK(!command->options == !command->options_size);
		for (const char *const *alias = command->aliases; alias && *alias; alias++) {
			CHECK(command_find(str_from(*alias)) == command);
		}
		for (const char *const *example = command->examples; example && *example;
			example++) {
			CHECK(strlen(*example) <= 76);
		}
		for (const struct option *row = command->options; row && row->type; row++) {
			CHECK(row->help && row->help[strlen(row->help) - 1] == '.');
		}
	}
}

int main(void) {
	return TESTS(RUN(global_flags_stand_before_and_after_the_verb),
		RUN(names_and_aliases_find_their_command),
		RUN(mistakes_are_usage_errors_that_say_what_is_meant),
		RUN(a_required_word_is_asked_for_with_the_usage),
		RUN(json_is_known_even_when_the_rest_is_wrong),
		RUN(words_after_two_dashes_may_begin_with_a_dash),
		RUN(help_needs_no_required_words),
		RUN(every_command_is_complete_and_its_names_are_its_own));
}
