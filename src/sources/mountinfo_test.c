// SPDX-License-Identifier: Apache-2.0
#include "sources/mountinfo.h"

#include "tests/check.h"

TEST(a_recorded_machine_has_one_table) {
	CHECK_TEXT(mountinfo_path("/recorded"), "/proc/self/mountinfo");
}

TEST(the_table_can_be_read_whichever_it_is) {
	CHECK(access(mountinfo_path(""), R_OK) == 0);
	CHECK_TEXT(mountinfo_path(NULL), mountinfo_path(""));
}

int main(void) {
	return TESTS(
		RUN(a_recorded_machine_has_one_table), RUN(the_table_can_be_read_whichever_it_is));
}
