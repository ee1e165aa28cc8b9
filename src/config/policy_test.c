// SPDX-License-Identifier: Apache-2.0
// Rules of policy files, what they become, and what is refused.
#include "config/policy.h"

#include "formats/toml.h"
#include "tests/check.h"

static void check_policy(const char *text, const char *expected, const char *expected_problem) {
	struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	struct buf out = BUF_INIT, told = BUF_INIT;
	const struct value *root = policy_parse(
		arena, "/etc/anna/policies.d/disk.yaml", str_from(text), &problems);
	problems_format(&problems, &told);
	if (expected_problem) {
		if (!strstr(buf_text(&told), expected_problem)) {
			CHECK_TEXT(buf_text(&told), expected_problem);
		}
	} else {
		CHECK_TEXT(buf_text(&told), "");
	}
	toml_format(&out, root);
	if (expected) {
		CHECK_TEXT(buf_text(&out), expected);
	}
	buf_finish(&out);
	buf_finish(&told);
	problems_finish(&problems);
	arena_destroy(arena);
}

TEST(a_figure_over_a_limit_is_a_threshold_and_a_mapping_on_it) {
	check_policy(
		"- when: \"filesystem.used_percent{/var} > 90%\"\n  then: log\n  name: var full\n",
		"{ thresholds = [{ name = \"policy:var full\", figure = "
		"\"filesystem.used_percent\", "
		"above = 90.0, for = \"1m\", labels = \"/var\", enabled = true }], "
		"mappings = [{ name = \"policy:var full\", on = \"host.threshold\", "
		"where = { threshold = \"policy:var full\", raised = true }, "
		"action = { type = \"log\", level = \"warn\", message = \"policy policy:var full: "
		"{figure} {label} is {value} {unit} (limit {limit}); {culprit_kind} {culprit}\" }, "
		"enabled = true }] }",
		NULL);
}

TEST(an_event_with_tests_of_its_attributes_is_a_mapping) {
	check_policy(
		"- when: event.kind == \"package.*\" and event.package != 'nginx' and event.n >= 2 "
		"and event.n < 5\n"
		"  then: restart_service cron\n  enabled: false\n",
		"{ mappings = [{ name = \"policy:disk-1\", on = \"package.*\", "
		"where = { package = { ne = \"nginx\" }, n = { ge = 2.0, lt = 5.0 } }, "
		"action = { type = \"unit\", unit = \"cron.service\", do = \"restart\" }, "
		"enabled = false }] }",
		NULL);
}

TEST(a_figure_that_says_yes_or_no_takes_true_and_false) {
	static const struct {
		const char *test, *expected;
	} rows[] = {{"== false", "below = 1.0"}, {"!= true", "below = 1.0"},
		{"== true", "above = 0.0"}, {"!= false", "above = 0.0"}, {"< 1", "below = 1.0"},
		{">= 1", "above = 0.99"}, {"<= 1", "below = 1.00"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_create();
		struct problems problems = PROBLEMS_INIT;
		struct buf out = BUF_INIT;
		const char *text = arena_printf(arena,
			"- when: clock.is_synchronised %s\n  then: send_alert\n", rows[i].test);
		toml_format(&out, policy_parse(arena, "a.yaml", str_from(text), &problems));
		CHECK_INT(problems.n, 0);
		if (!strstr(buf_text(&out), rows[i].expected)) {
			CHECK_TEXT(buf_text(&out), rows[i].expected);
		}
		buf_finish(&out);
		arena_destroy(arena);
	}
}

TEST(each_word_is_an_action) {
	static const struct {
		const char *word, *expected;
	} rows[] = {
		{"send_alert",
			"type = \"log\", level = \"error\", message = \"ALERT of policy "
			"policy:disk-1"},
		{"run_doctor", "type = \"exec\", argv = [\"annactl\", \"doctor\"]"},
		{"restart_service nginx.service", "unit = \"nginx.service\", do = \"restart\""},
		{"exec [\"/bin/echo\", \"a b\"]", "argv = [\"/bin/echo\", \"a b\"]"},
		{"'exec [\"a: b\"]'", "argv = [\"a: b\"]"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_create();
		struct problems problems = PROBLEMS_INIT;
		struct buf out = BUF_INIT;
		const char *text = arena_printf(
			arena, "- when: load.per_cpu > 4\n  then: %s\n", rows[i].word);
		toml_format(&out, policy_parse(arena, "disk.yaml", str_from(text), &problems));
		CHECK_INT(problems.n, 0);
		CHECK(strstr(buf_text(&out), rows[i].expected) != NULL);
		buf_finish(&out);
		arena_destroy(arena);
	}
}

#define WHEN(text) "- when: " text "\n  then: log\n"
#define THEN(text) "- when: load.per_cpu > 4\n  then: " text "\n"

static const struct {
	const char *text, *problem;
} mistakes[] = {
	{WHEN("a.b"), "disk.yaml:1:12: error: expected one of > < >= <= == !="},
	{WHEN("a.b = 1"), "1:13: error: \"=\" is no operator here; use =="},
	{WHEN("a.b > x"), "1:15: error: \"x\" is no value"},
	{WHEN("a.b > 1e999"), "is no value"},
	{WHEN("a.b > 1 && c.d > 2"), "1:17: error: tests are joined by the word and, not by &&"},
	{WHEN("a.b > 1 or c.d > 2"), "1:17: error: there is no or"},
	{WHEN("a.b > 1 || c.d > 2"), "there is no or"},
	{WHEN("a.b > 1 x"), "1:17: error: expected \"and\""},
	{WHEN("a.b > 1 and"), "expected a test after \"and\""},
	{WHEN("a.b > 1 and c.d > 2"), "1:21: error: a rule judges one figure"},
	{WHEN("\"a.b > 1 and c.d > 2\""), "1:22: error: a rule judges one figure"},
	{WHEN("(a.b > 1)"), "parentheses and negation are not read"},
	{WHEN("a.b == 5"), "1:16: error: a measured figure is hardly ever exactly equal"},
	{WHEN("a.b > true"), "true and false are compared with == or !="},
	{WHEN("a.b > \"x\""), "a figure is a number"},
	{WHEN("a.b{ > 1"), "a label stands in braces"},
	{WHEN("telemetry.disk_free_pct < 15"),
		"1:9: error: \"telemetry.disk_free_pct\" is a name of the predecessor; use "
		"filesystem.used_percent"},
	{WHEN("telemetry.other < 15"), "is a name of the predecessor; use a figure like"},
	{WHEN("event.mount == \"/\""), "which event? add event.kind"},
	{WHEN("event.kind > \"x\""), "1:20: error: event.kind is compared with =="},
	{WHEN("event.kind == \"a.b\" and event.kind == \"c.d\""), "event.kind stands here twice"},
	{WHEN("event.kind == \"a.b\" and x.y > 1"), "a figure or waits for an event, not both"},
	{WHEN("event.kind == \"a.b\" and event.x > \"1\""), "> and < compare numbers"},
	{WHEN("event.kind == \"a.b\" and event.x == 1 and event.x == 2"), "tested twice"},
	{WHEN("event.kind == \"a.b"), "the quote is not closed"},
	{THEN("disable_autonomy"), "2:9: error: there is no level of autonomy to change"},
	{THEN("alert"), "use send_alert"},
	{THEN("rm -rf /"), "2:9: error: \"rm\" is nothing a policy can do; it can log"},
	{THEN("log loudly"), "2:13: error: nothing may follow this word"},
	{THEN("restart_service"), "restart_service needs the name of one unit"},
	{THEN("restart_service a b"), "restart_service needs the name of one unit"},
	{THEN("exec /bin/true"), "2:14: error: exec needs a list of texts"},
	{THEN("exec []"), "exec needs a list of texts"},
	{THEN("exec [1]"), "exec needs a list of texts"},
	{THEN("{type: log}"), "maps inside a value are not read"},
	{"- then: log\n", "1:1: error: a rule needs \"when\""},
	{"- when: a.b > 1\n", "1:1: error: a rule needs \"then\""},
	{"- when: true\n  then: log\n", "1:9: error: a rule needs \"when\""},
	{WHEN("a.b > 1") "  enabled: yes\n", "3:12: error: enabled is true or false"},
	{WHEN("a.b > 1") "  always: true\n", "3:3: error: unknown key \"always\""},
	{WHEN("a.b > 1") "  name: a{b}\n", "3:9: error: a name is letters"},
};

TEST(what_is_not_in_the_grammar_is_refused_with_its_place_and_what_to_write) {
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		check_policy(mistakes[i].text, "{}", mistakes[i].problem);
	}
}

TEST(a_rule_with_a_mistake_leaves_the_others_readable) {
	check_policy(
		"- when: x\n  then: y\n- when: event.kind == \"test.a\"\n  then: exec [\"b\"]\n",
		"{ mappings = [{ name = \"policy:disk-2\", on = \"test.a\", action = { type = "
		"\"exec\", argv = [\"b\"] }, enabled = true }] }",
		"disk.yaml:1:10: error");
}

int main(void) {
	return TESTS(RUN(a_figure_over_a_limit_is_a_threshold_and_a_mapping_on_it),
		RUN(an_event_with_tests_of_its_attributes_is_a_mapping),
		RUN(a_figure_that_says_yes_or_no_takes_true_and_false), RUN(each_word_is_an_action),
		RUN(what_is_not_in_the_grammar_is_refused_with_its_place_and_what_to_write),
		RUN(a_rule_with_a_mistake_leaves_the_others_readable));
}
