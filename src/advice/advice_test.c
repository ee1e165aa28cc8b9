// SPDX-License-Identifier: Apache-2.0
// All rules together: their descriptors are whole, an empty machine is no cause for alarm, and the
// answer has the worst first.
#include "advice/advice_fixture.h"

TEST(every_rule_is_described_whole) {
	for (size_t i = 0; i < advice_rule_count; i++) {
		const struct rule *rule = advice_rules[i];
		CHECK(rule->title[0] && rule->reads[0] && rule->reason[0] && rule->explain[0]);
		CHECK(rule->category[0] && rule->references[0] && rule->look);
		CHECK(rule->level <= ADVICE_ERROR);
		CHECK(!str_ends(str_from(rule->title), STR(".")));
		CHECK(advice_find_rule(str_from(rule->id)) == rule); // no id twice
	}
	CHECK(advice_rule_count >= 20);
}

TEST(of_a_machine_that_tells_nothing_nothing_is_claimed) {
	struct bench bench;
	bench_init(&bench, NULL);
	advice_run(&bench.survey, NULL);
	CHECK_INT(bench.survey.n, 0);
	CHECK(bench.survey.unjudged_count > 0);
	CHECK_INT(bench.survey.judged_count + bench.survey.unjudged_count, advice_rule_count);
	bench_finish(&bench);
}

TEST(the_worst_comes_first_in_the_answer) {
	struct bench bench;
	struct buf json = BUF_INIT;
	struct json_writer writer;
	bench_init(&bench,
		TREE({"/run/reboot-required", ""}, {"/proc/vmstat", "oom_kill 1\n"},
			{"/proc/mdstat", "md0 : active raid1 sda1[0]\n  10 blocks [2/1] [U_]\n"}));
	advice_run(&bench.survey, NULL);
	json_writer_init(&writer, &json);
	advice_write(&bench.survey, &writer);
	const struct value *answer = json_parse(bench.arena, buf_str(&json), 16, NULL);
	CHECK(answer != NULL);
	const struct value *findings = value_get(answer, STR("findings"));
	CHECK_INT(findings->array.n, 3);
	CHECK_STR(value_get(&findings->array.items[0], STR("id"))->string, "raid-degraded");
	CHECK_STR(value_get(&findings->array.items[0], STR("level"))->string, "error");
	CHECK_STR(value_get(&findings->array.items[0], STR("fix"))->string,
		"mdadm --detail /dev/md0");
	CHECK_STR(value_get(&findings->array.items[1], STR("id"))->string, "oom-kills");
	CHECK_STR(value_get(&findings->array.items[2], STR("id"))->string, "reboot-required");
	CHECK_STR(value_get(answer, STR("generated_at"))->string, "2026-01-01T00:00:00.000000Z");
	buf_finish(&json);
	bench_finish(&bench);
}

TEST(a_wrong_id_has_a_neighbour) {
	CHECK(advice_find_rule(STR("raid-degradet")) == NULL);
	CHECK_TEXT(advice_nearest(STR("raid-degradet")), "raid-degraded");
}

int main(void) {
	return TESTS(RUN(every_rule_is_described_whole),
		RUN(of_a_machine_that_tells_nothing_nothing_is_claimed),
		RUN(the_worst_comes_first_in_the_answer), RUN(a_wrong_id_has_a_neighbour));
}
