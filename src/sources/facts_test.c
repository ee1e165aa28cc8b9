// SPDX-License-Identifier: Apache-2.0
// Sets of facts and their difference.
#include "sources/facts.h"

#include "tests/check.h"

// "key=value key=value" as a sorted set.
static struct facts make(const char *text) {
	struct facts facts = {0};
	struct str rest = str_from(text), word, key;
	while (str_word(&rest, &word)) {
		(void)str_split(&word, '=', &key);
		facts_add(&facts, key, word);
	}
	facts_sort(&facts);
	return facts;
}

static void check_diff(const char *before, const char *after, const char *expected) {
	struct facts a = make(before), b = make(after);
	struct fact_changes changes = {0};
	struct buf text = BUF_INIT;
	facts_diff(&a, &b, &changes);
	for (size_t i = 0; i < changes.n; i++) {
		const struct fact_change *change = &changes.items[i];
		const char *sign = !change->before.at ? "+" : !change->after.at ? "-" : "~";
		buf_appendf(&text, "%s%" STR_FMT " ", sign, STR_ARG(change->key));
	}
	CHECK_TEXT(buf_text(&text), expected);
	buf_finish(&text);
	fact_changes_finish(&changes);
	facts_finish(&a);
	facts_finish(&b);
}

TEST(differences_are_additions_removals_and_changes_in_order_of_key) {
	check_diff("", "", "");
	check_diff("b=1 a=1", "a=1 b=1", "");
	check_diff("b=1 a=1", "", "-a -b ");
	check_diff("", "b=1 a=1", "+a +b ");
	check_diff("a=1 b=1 d=1", "b=2 c=1 d=1", "-a ~b +c ");
	check_diff("a=", "a=x", "~a ");
	check_diff("a=", "a=", "");
	check_diff("ab=1", "a=1", "+a -ab ");
}

TEST(of_equal_keys_the_first_stays) {
	struct facts facts = make("b=1 a=1 b=2 b=3");
	CHECK_INT(facts.n, 2);
	CHECK_STR(facts_find(&facts, STR("b")), "1");
	CHECK_STR(facts_find(&facts, STR("a")), "1");
	CHECK(!facts_find(&facts, STR("c")).at);
	CHECK(!facts_find(&facts, STR("")).at);
	facts_finish(&facts);
}

TEST(what_is_too_much_is_cut_and_told) {
	struct facts facts = {0};
	for (int i = 0; i < FACTS_MAX + 1; i++) {
		char key[16];
		snprintf(key, sizeof(key), "%d", i);
		facts_add(&facts, str_from(key), STR(""));
	}
	CHECK(facts.is_cut);
	CHECK_INT(facts.n, FACTS_MAX);
	facts_finish(&facts);
}

int main(void) {
	return TESTS(RUN(differences_are_additions_removals_and_changes_in_order_of_key),
		RUN(of_equal_keys_the_first_stays), RUN(what_is_too_much_is_cut_and_told));
}
