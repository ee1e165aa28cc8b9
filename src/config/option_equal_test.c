// SPDX-License-Identifier: Apache-2.0
// Deep equality of filled structs.
#include "config/option_fixture.h"
#include "tests/check.h"

TEST(equality_is_deep_and_ignores_places) {
	const char *toml =
		"tags = ['q']\ntargets = [{name='a'}]\naction={type='log', message='m'}\n"
		"where = { a = [1, 2] }\n";
	struct config a = {0}, b = {0}, c = {0};
	CHECK(fill(toml, &a, NULL));
	struct arena *kept = arena;
	arena = NULL;
	char *later = xasprintf("# moved\n%s", toml);
	CHECK(fill(later, &b, NULL));
	struct arena *kept_too = arena;
	arena = NULL;
	CHECK(fill("tags = ['q']\ntargets = [{name='a'}]\naction={type='log', message='n'}\n"
		   "where = { a = [1, 2] }\n",
		&c, NULL));

	CHECK(option_equal(rows, &a, &b));
	CHECK(!option_equal(rows, &a, &c));

	free(later);
	arena_destroy(kept);
	arena_destroy(kept_too);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		RUN(equality_is_deep_and_ignores_places),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
