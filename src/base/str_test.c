// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include "tests/check.h"

TEST(comparing_puts_prefixes_first) {
	CHECK(str_compare(STR("a"), STR("b")) < 0);
	CHECK(str_compare(STR("ab"), STR("a")) > 0);
	CHECK_INT(str_compare(STR("ab"), STR("ab")), 0);
	CHECK_INT(str_compare((struct str){NULL, 0}, STR("")), 0);
	CHECK(str_compare(STR("\xff"), STR("a")) > 0);
}

TEST(parts_are_found_and_cut) {
	struct str s = STR("alpha.beta");
	CHECK(str_starts(s, STR("alpha")) && !str_starts(s, STR("beta")));
	CHECK(str_ends(s, STR("beta")) && !str_ends(s, STR("xalpha.beta")));
	CHECK_INT(str_find_char(s, '.'), 5);
	CHECK_INT(str_find_char(s, 'z'), -1);
	CHECK_INT(str_find(s, STR("bet")), 6);
	CHECK_INT(str_find(s, STR("")), 0);
	CHECK_INT(str_find(STR(""), STR("a")), -1);
	CHECK_STR(str_skip(s, 6), "beta");
	CHECK_STR(str_skip(s, 99), "");
	CHECK_STR(str_head(s, 5), "alpha");
	CHECK_STR(str_trim(STR(" \t a b\r\n")), "a b");
	CHECK_STR(str_trim(STR(" \n ")), "");
	CHECK(str_equal_nocase(STR("Content-Length"), STR("content-lENGTH")));
	CHECK(!str_equal_nocase(STR("a"), STR("ab")));
	CHECK(!str_equal_nocase(STR("@"), STR("`"))); // only letters have a case
}

TEST(splitting_gives_empty_parts_too) {
	static const char *const expected[] = {"a", "", "b", ""};
	struct str rest = STR("a,,b,"), part;
	size_t n = 0;
	while (str_split(&rest, ',', &part)) {
		CHECK_STR(part, expected[n++]);
	}
	CHECK_INT(n, 4);
	rest = STR("");
	CHECK(str_split(&rest, ',', &part));
	CHECK(!str_split(&rest, ',', &part));
}

TEST(words_are_split_at_runs_of_blanks) {
	struct str rest = STR("  one\ttwo \n"), word;
	CHECK(str_word(&rest, &word));
	CHECK_STR(word, "one");
	CHECK(str_word(&rest, &word));
	CHECK_STR(word, "two");
	CHECK(!str_word(&rest, &word));
}

TEST(integers_are_read_to_their_limits) {
	int64_t i = 7;
	uint64_t u = 7;
	CHECK(str_to_int64(STR("-9223372036854775808"), &i));
	CHECK(i == INT64_MIN);
	CHECK(str_to_int64(STR("+9223372036854775807"), &i));
	CHECK(i == INT64_MAX);
	CHECK(str_to_uint64(STR("18446744073709551615"), &u));
	CHECK(u == UINT64_MAX);
}

TEST(texts_that_are_no_integers_are_refused) {
	static const char *const rows[] = {"", "-", "+", "--1", "1 ", " 1", "0x10", "1.0", "1e3",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999", "\xd9\xa1"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t value = 42;
		CHECK(!str_to_int64(str_from(rows[i]), &value));
		CHECK_INT(value, 42);
	}
	uint64_t u = 42;
	CHECK(!str_to_uint64(STR("-1"), &u));
	CHECK(!str_to_uint64(STR("+1"), &u));
	CHECK(!str_to_uint64(STR("18446744073709551616"), &u));
	CHECK_INT(u, 42);
}

TEST(doubles_are_read_whatever_their_length) {
	static const struct {
		const char *text;
		double value;
	} rows[] = {{"1.5", 1.5}, {"-2e3", -2000}, {"+.5", .5}, {"1.", 1}, {"1e-400", 0},
		{"1.7976931348623157e308", 1.7976931348623157e308}};
	double value;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK(str_to_double(str_from(rows[i].text), &value));
		CHECK_DOUBLE(value, rows[i].value);
	}
	char zeros[1000];
	memset(zeros, '0', sizeof(zeros));
	zeros[1] = '.';
	zeros[999] = '5';
	CHECK(str_to_double(str_range(zeros, sizeof(zeros)), &value));
	CHECK_DOUBLE(value, 0);
}

TEST(texts_that_are_no_doubles_are_refused) {
	static const char *const rows[] = {"", ".", "-", "e5", "1e", "1e400", "inf", "nan", "0x1p3",
		"1,5", " 1", "1 ", "1..2", "--1"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		double value = 42;
		print_message("# %s\n", rows[i]);
		CHECK(!str_to_double(str_from(rows[i]), &value));
		CHECK_DOUBLE(value, 42);
	}
	double value;
	CHECK(!str_to_double(str_range("1\0", 2), &value));
}

TEST(utf8_is_recognised) {
	static const char *const good[] = {"", "ascii only, longer than eight bytes", "\xc3\xa9",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xc2\x80", "12345678\xc3\xa9"};
	static const char *const bad[] = {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
		"\xe2\x82", "\xe2\x28\xa1", "12345678\xe2\x82", "\xf0\x9f\x98"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		CHECK(str_is_utf8(str_from(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(!str_is_utf8(str_from(bad[i])));
	}
	CHECK(str_is_utf8((struct str){NULL, 0}));
}

TEST(globs_match_runs_and_single_bytes) {
	static const struct {
		const char *pattern, *text;
		bool matches;
	} rows[] = {{"*", "", true}, {"", "", true}, {"", "a", false}, {"a*", "abc", true},
		{"*c", "abc", true}, {"a*c", "abdc", true}, {"a*c", "abd", false}, {"?", "a", true},
		{"?", "", false}, {"a?c", "abc", true}, {"cpu.*", "cpu.0.x", true},
		{"*.load*", "cpu.load1", true}, {"**a**", "bab", true}, {"[a]", "a", false},
		{"[a]", "[a]", true}, {"*ab*ab", "abxab", true}, {"*ab*ab", "ab", false}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("# %s %s\n", rows[i].pattern, rows[i].text);
		CHECK(str_glob(str_from(rows[i].pattern), str_from(rows[i].text)) ==
			rows[i].matches);
	}
}

TEST(a_hostile_glob_ends_soon) {
	char text[2000];
	memset(text, 'a', sizeof(text));
	CHECK(!str_glob(STR("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), str_range(text, sizeof(text))));
}

TEST(distance_counts_edits) {
	CHECK_INT(str_distance(STR("kitten"), STR("sitting")), 3);
	CHECK_INT(str_distance(STR(""), STR("abc")), 3);
	CHECK_INT(str_distance(STR("same"), STR("same")), 0);
	char text[65];
	memset(text, 'a', sizeof(text));
	CHECK_INT(str_distance(str_range(text, 64), STR("")), 64);
	CHECK(str_distance(str_range(text, 65), STR("")) == SIZE_MAX);
}

TEST(hash_is_fnv1a) {
	CHECK(str_hash(STR("")) == UINT64_C(0xcbf29ce484222325));
	CHECK(str_hash(STR("a")) == UINT64_C(0xaf63dc4c8601ec8c));
}

int main(void) {
	return TESTS(RUN(comparing_puts_prefixes_first), RUN(parts_are_found_and_cut),
		RUN(splitting_gives_empty_parts_too), RUN(words_are_split_at_runs_of_blanks),
		RUN(integers_are_read_to_their_limits), RUN(texts_that_are_no_integers_are_refused),
		RUN(doubles_are_read_whatever_their_length),
		RUN(texts_that_are_no_doubles_are_refused), RUN(utf8_is_recognised),
		RUN(globs_match_runs_and_single_bytes), RUN(a_hostile_glob_ends_soon),
		RUN(distance_counts_edits), RUN(hash_is_fnv1a));
}
