// SPDX-License-Identifier: Apache-2.0
// Huge pages and the databases that do not want them.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(huge_pages);

TEST(always_with_redis_is_told) {
	fires(&rule_huge_pages,
		TREE({"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"},
			{"/proc/77/comm", "redis-server\n"}, {"/proc/1/comm", "systemd\n"}),
		"/sys/kernel/mm/transparent_hugepage/enabled is \"[always] madvise never\" and "
		"redis-server runs as process 77");
}

TEST(madvise_is_silent) {
	is_silent(&rule_huge_pages,
		TREE({"/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"},
			{"/proc/77/comm", "redis-server\n"}));
}

TEST(without_a_database_it_is_silent) {
	is_silent(&rule_huge_pages,
		TREE({"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"},
			{"/proc/77/comm", "postgres\n"}));
}

int main(void) {
	return TESTS(RUN(always_with_redis_is_told), RUN(madvise_is_silent),
		RUN(without_a_database_it_is_silent));
}
