// SPDX-License-Identifier: Apache-2.0
// /proc/loadavg on recorded texts.
#include "sources/host.h"
#include "tests/check.h"

TEST(load_is_three_numbers_or_nothing) {
	struct host_load load = {0};
	host_load_parse(&load, STR("0.21 0.37 1.39 1/719 19737\n"));
	CHECK(load.is_known);
	CHECK_DOUBLE(load.load[2], 1.39);
	host_load_parse(&load, STR("0.21 0.37\n"));
	CHECK(!load.is_known);
}

int main(void) {
	return TESTS(RUN(load_is_three_numbers_or_nothing));
}
