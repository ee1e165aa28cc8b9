// SPDX-License-Identifier: Apache-2.0
// Conditions as written in TOML, against one event; and the texts of what is wrong with them.
#include "engine/condition.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "formats/toml.h"
#include "tests/check.h"

static struct event *create_event(void) {
	struct event *event = event_create("host.filesystem", "host", STR("/var"));
	struct arena *arena = arena_create();
	const struct value *more = json_parse(arena,
		STR("{\"tags\":[\"a\",\"b\",3],\"disk\":{\"free\":7},\"gone\":null}"), 8, NULL);
	event->id = 0;
	event->time_ns = 1767225600 * NS_PER_SECOND; // 2026-01-01T00:00:00Z
	event_set_text(event, "mount", "/var");
	event_set_double(event, "used_percent", 41.5);
	event_set_int(event, "inodes", INT64_C(9007199254740993));
	event_set_bool(event, "read_only", false);
	event_set_value(event, "tags", value_get(more, STR("tags")));
	event_set_value(event, "disk", value_get(more, STR("disk")));
	event_set_value(event, "gone", value_get(more, STR("gone")));
	arena_destroy(arena);
	return event;
}

static const struct condition *compile(
	struct arena *arena, const char *where, struct problems *problems) {
	char *text = arena_printf(arena, "where = %s", where);
	const struct value *root = toml_parse(arena, "t.toml", str_from(text), problems);
	return condition_compile(
		arena, value_get(root, STR("where")), (struct place){"t.toml", 1, 1}, problems);
}

static const struct {
	const char *where;
	bool holds;
	const char *guard; // of what failed; NULL: not compared
	const char *observed;
} cases[] = {
	{"{}", true, "", ""},
	{"{ mount = \"/var\" }", true, "mount eq /var", "mount is /var"},
	{"{ mount = \"/home\" }", false, "mount eq /home", "mount is /var"},
	{"{ used_percent = { gt = 90 } }", false, "used_percent gt 90", "used_percent is 41.5"},
	{"{ used_percent = { gt = 41 } }", true},
	{"{ used_percent = { gt = 40, lt = 41 } }", false, "used_percent lt 41"},
	{"{ used_percent = { ge = 41.5, le = 41.5 } }", true},
	{"{ used_percent = 41.5 }", true},
	{"{ used_percent = { lt = inf } }", true},
	{"{ inodes = 9007199254740993 }", true},
	{"{ inodes = { gt = 9007199254740992 } }", true},
	{"{ inodes = { lt = 9007199254740994 } }", true},
	{"{ inodes = { gt = 9007199254740993 } }", false},
	{"{ mount = { gt = 3 } }", false, "mount gt 3", "mount is /var"},
	{"{ mount = [\"/\", \"/var\"] }", true},
	{"{ mount = { in = [\"/\", \"/home\"] } }", false, "mount in [\"/\",\"/home\"]"},
	{"{ mount = { ne = \"/home\" } }", true},
	{"{ mount = { glob = \"/v*\" } }", true},
	{"{ mount = { glob = \"/h*\" } }", false},
	{"{ mount = { starts = \"/v\", ends = \"ar\", contains = \"va\" } }", true},
	{"{ mount = { ends = \"/v\" } }", false},
	{"{ used_percent = { glob = \"4*\" } }", false},
	{"{ tags = { contains = \"b\" } }", true},
	{"{ tags = { contains = 3 } }", true},
	{"{ tags = { contains = \"c\" } }", false},
	{"{ \"disk.free\" = 7 }", true},
	{"{ read_only = false }", true},
	{"{ read_only = 0 }", false},
	{"{ nothing = 1 }", false, "nothing eq 1", "nothing is absent"},
	{"{ nothing = { ne = 1 } }", true},
	{"{ nothing = { exists = false } }", true},
	{"{ nothing = { exists = true } }", false, "nothing exists true", "nothing is absent"},
	{"{ gone = { exists = false } }", true},
	{"{ mount = { exists = false } }", false, "mount exists false", "mount is /var"},
	{"{ nothing = { lt = 1 } }", false},
	{"{ kind = \"host.filesystem\", source = \"host\", subject = \"/var\" }", true},
	{"{ \"attributes.mount\" = \"/var\" }", true},
	{"{ time = { ge = 2026-01-01T00:00:00Z, lt = \"2026-01-01T01:00:00+00:30\" } }", true},
	{"{ time = 2026-01-01T01:00:00+01:00 }", true},
	{"{ time = { gt = 2026-01-01T00:00:00Z } }", false},
	{"{ any = [ { mount = \"/\" }, { used_percent = { lt = 50 } } ] }", true},
	{"{ any = [ { mount = \"/\" }, { used_percent = { gt = 50 } } ] }", false,
		"any of (mount eq /, used_percent gt 50)", "mount is /var, used_percent is 41.5"},
	{"{ not = { mount = \"/\" } }", true},
	{"{ not = { mount = \"/var\" } }", false, "not (mount eq /var)", "mount is /var"},
	{"{ not = { any = [ { mount = \"/\" }, { not = { mount = \"/var\" } } ] } }", true},
	{"{ mount = \"/home\", used_percent = 1 }", false, "mount eq /home"},
};

TEST(conditions_hold_as_the_table_says_and_say_why) {
	struct event *event = create_event();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct problems problems = PROBLEMS_INIT;
		struct arena *arena = arena_create();
		struct condition_verdict verdict;
		const struct condition *condition = compile(arena, cases[i].where, &problems);
		if (!condition || condition_holds(condition, event) != cases[i].holds) {
			print_error("%s\n", cases[i].where);
		}
		CHECK(condition);
		CHECK_INT(condition_holds(condition, event), cases[i].holds);
		condition_explain(condition, event, &verdict);
		CHECK_INT(verdict.holds, cases[i].holds);
		if (cases[i].guard) {
			CHECK_TEXT(verdict.guard, cases[i].guard);
		}
		if (cases[i].observed) {
			CHECK_TEXT(verdict.observed, cases[i].observed);
		}
		problems_finish(&problems);
		arena_destroy(arena);
	}
	event_unref(event);
}

static const struct {
	const char *where;
	const char *error;
} mistakes[] = {
	{"3", "t.toml:1:9: error: where must be a table, not an integer\n"},
	{"{ a = { gd = 1 } }",
		"t.toml:1:17: error: a: there is no operator \"gd\"; did you mean "
		"\"gt\"?\n"},
	{"{ a = { free = 1 } }",
		"t.toml:1:17: error: a: there is no operator \"free\"; there are eq ne gt ge lt le "
		"glob"
		" starts ends contains in exists (a nested attribute is written \"a.free\")\n"},
	{"{ a = {} }",
		"t.toml:1:15: error: a: an empty table tests nothing; write { exists = true "
		"}\n"},
	{"{ a = [] }", "t.toml:1:15: error: a: an empty list can never hold\n"},
	{"{ a = [[1]] }",
		"t.toml:1:16: error: a: a list of alternatives holds texts, numbers and"
		" booleans, not an array\n"},
	{"{ a = { gt = \"x\" } }",
		"t.toml:1:22: error: a: gt needs a number or a time, not a string\n"},
	{"{ a = { glob = 1 } }", "t.toml:1:24: error: a: glob needs a string, not an integer\n"},
	{"{ a = { in = 1 } }", "t.toml:1:22: error: a: in needs a list, not an integer\n"},
	{"{ a = { exists = 1 } }",
		"t.toml:1:26: error: a: exists needs true or false, not an integer\n"},
	{"{ a = { eq = [1] } }",
		"t.toml:1:22: error: a: eq needs a string, a number, a boolean or a "
		"time, not an array\n"},
	{"{ a = nan }",
		"t.toml:1:15: error: a: nothing compares with nan; use { exists = true }\n"},
	{"{ any = { a = 1 } }",
		"t.toml:1:17: error: any needs a list of tables, like any = [ { a = 1 }, { b = 2 } "
		"]\n"},
	{"{ any = [1] }", "t.toml:1:18: error: an item of any must be a table, not an integer\n"},
	{"{ not = 1 }", "t.toml:1:17: error: not must be a table, not an integer\n"},
	{"{ a = { gt = true }, b = { ends = 2 } }",
		"t.toml:1:22: error: a: gt needs a number or a time, not a boolean\n"
		"t.toml:1:43: error: b: ends needs a string, not an integer\n"},
};

TEST(every_mistake_is_named_at_its_place) {
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct problems problems = PROBLEMS_INIT;
		struct arena *arena = arena_create();
		struct buf text = BUF_INIT;
		CHECK(!compile(arena, mistakes[i].where, &problems));
		problems_format(&problems, &text);
		CHECK_TEXT(buf_text(&text), mistakes[i].error);
		buf_finish(&text);
		problems_finish(&problems);
		arena_destroy(arena);
	}
}

static void nest(struct buf *text, int depth) {
	for (int i = 0; i < depth; i++) {
		buf_append_text(text, "{ not = ");
	}
	buf_append_text(text, "{ a = 1 }");
	for (int i = 0; i < depth; i++) {
		buf_append_text(text, " }");
	}
}

TEST(nesting_is_bounded) {
	struct problems problems = PROBLEMS_INIT;
	struct arena *arena = arena_create();
	struct buf deep = BUF_INIT, deeper = BUF_INIT;
	nest(&deep, 15);
	nest(&deeper, 16);

	CHECK(compile(arena, buf_text(&deep), &problems));
	CHECK(!compile(arena, buf_text(&deeper), &problems));

	buf_finish(&deep);
	buf_finish(&deeper);
	problems_finish(&problems);
	arena_destroy(arena);
}

TEST(an_absent_table_always_holds) {
	struct problems problems = PROBLEMS_INIT;
	struct arena *arena = arena_create();
	struct event *event = create_event();

	const struct condition *condition = condition_compile(
		arena, NULL, (struct place){0}, &problems);

	CHECK(condition_holds(condition, event));
	event_unref(event);
	arena_destroy(arena);
}

TEST(observed_values_are_one_json_object_without_doubles) {
	struct problems problems = PROBLEMS_INIT;
	struct arena *arena = arena_create();
	struct event *event = create_event();
	struct buf text = BUF_INIT;
	struct json_writer writer;
	json_writer_init(&writer, &text);
	const struct condition *condition = compile(arena,
		"{ used_percent = { gt = 1, lt = 99 }, nothing = { ne = 1 }, tags = { contains = 3 "
		"},"
		" any = [ { mount = \"/\" }, { mount = \"/var\" } ] }",
		&problems);

	condition_observed(condition, event, &writer);

	CHECK_TEXT(buf_text(&text),
		"{\"used_percent\":41.5,\"nothing\":null,\"tags\":\"an "
		"array\",\"mount\":\"/var\"}");
	buf_finish(&text);
	event_unref(event);
	arena_destroy(arena);
}

TEST(long_guards_are_cut_at_a_character) {
	struct problems problems = PROBLEMS_INIT;
	struct arena *arena = arena_create();
	struct event *event = create_event();
	struct condition_verdict verdict;
	struct buf where = BUF_INIT;
	buf_append_text(&where, "{ mount = \"");
	for (int i = 0; i < 100; i++) {
		buf_append_text(&where, "ä");
	}
	buf_append_text(&where, "\" }");

	condition_explain(compile(arena, buf_text(&where), &problems), event, &verdict);

	CHECK(!verdict.holds);
	CHECK(strlen(verdict.guard) < sizeof(verdict.guard));
	CHECK(str_is_utf8(str_from(verdict.guard)));
	CHECK(str_ends(str_from(verdict.guard), STR("…")));
	buf_finish(&where);
	event_unref(event);
	arena_destroy(arena);
}

int main(void) {
	return TESTS(RUN(conditions_hold_as_the_table_says_and_say_why),
		RUN(every_mistake_is_named_at_its_place), RUN(nesting_is_bounded),
		RUN(an_absent_table_always_holds),
		RUN(observed_values_are_one_json_object_without_doubles),
		RUN(long_guards_are_cut_at_a_character));
}
