// SPDX-License-Identifier: Apache-2.0
// Filling structs from TOML by rows.
#include "config/option.h"

#include "config/option_fixture.h"
#include "tests/check.h"

TEST(nothing_given_leaves_the_defaults) {
	struct config c = {0};

	CHECK(fill("", &c, NULL));

	CHECK(c.is_on);
	CHECK_INT(c.count, 3);
	CHECK_DOUBLE(c.ratio, 0);
	CHECK_STR(c.title, "none");
	CHECK_INT(c.interval_ns, 5 * NS_PER_SECOND);
	CHECK_INT(c.size_bytes, 1 << 20);
	CHECK_INT(c.level, HIGH);
	CHECK_INT(c.tags.n, 2);
	CHECK_STR(c.tags.items[1], "b");
	CHECK_INT(c.limits.files, 16);
	CHECK_DOUBLE(c.limits.share, 0.5);
	CHECK(!c.action.variant && !c.where && c.targets.n == 0);
}

TEST(every_type_is_filled_from_its_value) {
	struct config c = {0};

	CHECK(fill("on = false\ncount = 10\nratio = 1\ntitle = 'x'\ninterval = '250ms'\n"
		   "size = '2MB'\nlevel = 'low'\ntags = 'one'\nlimits = { files = 2 }\n"
		   "targets = [ { name = 'a' }, { name = 'b', port = 443 } ]\n"
		   "action = { type = 'exec', argv = ['ls', '-l'] }\nwhere = { a = 1 }\n"
		   "password = 'hunter2'\n",
		&c, NULL));

	CHECK(!c.is_on);
	CHECK_INT(c.count, 10);
	CHECK_DOUBLE(c.ratio, 1);
	CHECK_STR(c.title, "x");
	CHECK_INT(c.interval_ns, 250 * NS_PER_MS);
	CHECK_INT(c.size_bytes, 2000000);
	CHECK_INT(c.level, LOW);
	CHECK_INT(c.tags.n, 1);
	CHECK_INT(c.limits.files, 2);
	CHECK_DOUBLE(c.limits.share, 0.5);
	CHECK_INT(c.targets.n, 2);
	CHECK_INT(((struct target *)c.targets.items)[0].port, 80);
	CHECK_INT(((struct target *)c.targets.items)[1].port, 443);
	CHECK(c.action.variant == &actions[1]);
	CHECK_STR(((struct exec_config *)c.action.config)->argv.items[1], "-l");
	CHECK_INT(c.where->table.n, 1);
	CHECK_STR(c.password, "hunter2");
}

TEST(all_mistakes_are_told_and_the_rest_is_filled) {
	struct config c = {0};

	CHECK(!fill("count = 0\nlevel = 'x'\nfoo = 1\ntitle = 'fine'\n", &c, NULL));

	CHECK_INT(problems.errors, 3);
	CHECK_INT(c.count, 3);
	CHECK_STR(c.title, "fine");
}

TEST(required_options_of_a_missing_table_are_told_at_the_place_given) {
	struct target target;
	struct option_reader reader = begin();
	reader.noun = "parameter";

	CHECK(!option_fill(&reader, target_rows, NULL, (struct place){"f", 7, 1}, &target));

	CHECK_INT(problems.items[0].line, 7);
	CHECK_TEXT(problems.items[0].message,
		"parameter \"name\" is missing; it must be a string from 1 to 20 bytes (What it is "
		"called)");
	CHECK_INT(target.port, 80);
}

TEST(something_else_than_a_table_is_refused) {
	struct config c = {0};
	struct option_reader reader = begin();
	struct value three = value_of_int(3);

	CHECK(!option_fill(&reader, rows, &three, (struct place){0}, &c));

	CHECK_TEXT(problems.items[0].message, "expected a table, not an integer");
}

TEST(a_list_of_strings_given_word_by_word_keeps_its_limit) {
	struct config c = {0};
	struct option_reader reader = begin();
	const struct option *row = option_find(rows, STR("tags"));
	for (int i = 0; i < 4; i++) {
		CHECK(option_fill_text(&reader, row, STR("w"), (struct place){0}, &c));
	}

	CHECK(!option_fill_text(&reader, row, STR("w"), (struct place){0}, &c));

	CHECK_INT(c.tags.n, 4);
}

TEST(only_a_near_name_is_suggested) {
	static const char *const names[] = {"status", "events", "reload"};

	CHECK_TEXT(option_nearest(STR("stauts"), names, 3), "status");
	CHECK_TEXT(option_nearest(STR("relod"), names, 3), "reload");
	CHECK(!option_nearest(STR("banana"), names, 3));
	CHECK(!option_nearest(STR(""), names, 3));
	CHECK(!option_nearest(STR("status"), names, 0));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		RUN(nothing_given_leaves_the_defaults),
		RUN(every_type_is_filled_from_its_value),
		RUN(all_mistakes_are_told_and_the_rest_is_filled),
		RUN(required_options_of_a_missing_table_are_told_at_the_place_given),
		RUN(something_else_than_a_table_is_refused),
		RUN(a_list_of_strings_given_word_by_word_keeps_its_limit),
		RUN(only_a_near_name_is_suggested),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
