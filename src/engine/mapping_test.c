// SPDX-License-Identifier: Apache-2.0
// What [[mappings]] accept, what they refuse and in which words.
#include "engine/mapping.h"

#include "tests/check.h"
#include "tests/fakes/fake_engine.h"

TEST(the_example_is_valid_and_has_the_defaults) {
	struct fake_engine fake;
	struct problems problems = PROBLEMS_INIT;
	fake_engine_init(&fake, 1);

	struct snapshot *snapshot = fake_engine_read_config(
		&fake, mappings_section.example, &problems);

	CHECK(snapshot);
	struct item_list list = snapshot_list(snapshot, &mappings_section);
	const struct mapping *mapping = list.items;
	CHECK_INT(list.n, 1);
	CHECK_STR(mapping->name, "disk-full");
	CHECK_INT(mapping->class, CLASS_ASSURED);
	CHECK(!mapping->stop);
	CHECK(mapping->enabled);
	CHECK_INT(mapping->max_depth, 8);
	CHECK_INT(mapping->budget, 1000);
	CHECK_INT(mapping->budget_per_ns, NS_PER_SECOND);
	CHECK_INT(mapping->concurrency, 16);
	CHECK_TEXT(mapping_action(mapping)->name, "log");
	snapshot_unref(snapshot);
	fake_engine_finish(&fake);
}

#define HEAD "[[mappings]]\nname = \"m\"\n"
#define TAIL "action = { type = \"note\" }\n"

static const struct {
	const char *config;
	const char *error;
} mistakes[] = {
	{HEAD "on = \"Test.A\"\n" TAIL,
		"test.toml:1:3: error: on: \"Test.A\" cannot match a kind of event; kinds are"
		" lower-case letters, digits, _ and - in parts joined by dots, with * and ? for"
		" anything\n"},
	{"[[mappings]]\nname = \"a\\nb\"\non = \"*\"\n" TAIL,
		"test.toml:1:3: error: name: control characters are not allowed\n"},
	{HEAD "on = \"*\"\nwhere = { a = { gtt = 1 } }\n" TAIL,
		"test.toml:4:17: error: a: there is no operator \"gtt\"; did you mean \"gt\"?\n"},
	{HEAD "on = \"*\"\naction = { type = \"log\", message = \"{mount\" }\n",
		"test.toml:4:10: error: message: column 1: '{' without '}' after it; write '{{' "
		"for a"
		" brace itself\n"},
};

TEST(every_mistake_is_named) {
	struct fake_engine fake;
	fake_engine_init(&fake, 2);
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct problems problems = PROBLEMS_INIT;
		struct buf text = BUF_INIT;
		CHECK(!fake_engine_read_config(&fake, mistakes[i].config, &problems));
		problems_format(&problems, &text);
		CHECK_TEXT(buf_text(&text), mistakes[i].error);
		buf_finish(&text);
		problems_finish(&problems);
	}
	fake_engine_finish(&fake);
}

static const struct {
	const char *pattern, *kind;
	bool matches;
} patterns[] = {
	{"test.a", "test.a", true},
	{"test.*", "test.a.b", true},
	{"*", "test.a", true},
	{"*", "action.finished", false},
	{"*", "mapping.refused", false},
	{"a*", "action.finished", false},
	{"*.finished", "action.finished", false},
	{"action.*", "action.finished", true},
	{"action.finished", "action.finished", true},
	{"mapping.?efused", "mapping.refused", true},
	{"*", "actions.x", true},
};

TEST(patterns_hear_the_engine_only_when_they_say_so) {
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		CHECK_INT(mapping_pattern_matches(
				  str_from(patterns[i].pattern), str_from(patterns[i].kind)),
			patterns[i].matches);
	}
}

int main(void) {
	return TESTS(RUN(the_example_is_valid_and_has_the_defaults), RUN(every_mistake_is_named),
		RUN(patterns_hear_the_engine_only_when_they_say_so));
}
