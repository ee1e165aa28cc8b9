// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include "flow/kind.h"

TEST(names_have_two_parts_of_small_letters) {
	static const struct {
		const char *name;
		bool is_valid;
	} rows[] = {
		{"host.filesystem", true},
		{"user.a", true},
		{"user.door-bell_2.front", true},
		{"user", false},
		{"", false},
		{".user", false},
		{"user.", false},
		{"user..a", false},
		{"User.a", false},
		{"user.a b", false},
		{"user.\n", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_INT(kind_is_valid(str_from(rows[i].name)), rows[i].is_valid);
	}
}

TEST(a_name_of_more_than_100_bytes_is_refused) {
	char name[128];
	memset(name, 'a', sizeof(name));
	name[4] = '.';

	CHECK(kind_is_valid(str_range(name, 100)));
	CHECK(!kind_is_valid(str_range(name, 101)));
}

TEST(only_user_and_test_are_free) {
	CHECK(kind_is_free(STR("user.x")));
	CHECK(kind_is_free(STR("test.x.y")));
	CHECK(!kind_is_free(STR("host.filesystem")));
	CHECK(!kind_is_free(STR("users.x")));
}

TEST(declared_kinds_are_found_by_name) {
	struct kinds *kinds = kinds_create();
	kinds_add(kinds, core_kinds);

	const struct kind *found = kinds_find(kinds, STR("source.gap"));

	CHECK(found != NULL);
	CHECK_INT(found->stream, STREAM_AUDIT);
	CHECK(kinds_find(kinds, STR("source.gaps")) == NULL);
	CHECK_TEXT(kinds_get(kinds, 0)->name, core_kinds[0].name);
	kinds_destroy(kinds);
}

int main(void) {
	return TESTS(RUN(names_have_two_parts_of_small_letters),
		RUN(a_name_of_more_than_100_bytes_is_refused), RUN(only_user_and_test_are_free),
		RUN(declared_kinds_are_found_by_name));
}
