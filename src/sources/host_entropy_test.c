// SPDX-License-Identifier: Apache-2.0
// The pool of random bits on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_entropy;

TEST(each_number_is_shown_when_it_is_one) {
	struct machine machine;
	machine_init(&machine, &host_collector_entropy);
	machine_write(&machine, "/proc/sys/kernel/random/poolsize", "x\n");
	machine_read(&machine, "/proc/sys/kernel/random/entropy_avail", "256\n");
	CHECK(machine_shows(&machine, "node_entropy_available_bits 256"));
	CHECK(str_find(buf_str(&machine.metrics), STR("pool_size")) < 0);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(each_number_is_shown_when_it_is_one));
}
