// SPDX-License-Identifier: Apache-2.0
// Sockets in use on recorded texts.
#include <unistd.h>

#include "sources/host_fixture.h"

extern const struct host_collector host_collector_sockstat;

TEST(memory_is_told_in_pages_and_in_bytes) {
	struct machine machine;
	machine_init(&machine, &host_collector_sockstat);
	machine_write(&machine, "/proc/net/sockstat6", "TCP6: inuse 9\n");
	machine_read(&machine, "/proc/net/sockstat",
		"sockets: used 290\nTCP: inuse 8 mem 2\nTCP: inuse 9\nodd inuse 1\nUDP: inuse x "
		"mem\n");
	_cleanup_(freep) char *bytes = xasprintf(
		"node_sockstat_TCP_mem_bytes %ld", 2 * sysconf(_SC_PAGESIZE));
	CHECK(machine_shows(&machine, "node_sockstat_sockets_used 290"));
	CHECK(machine_shows(&machine, "node_sockstat_TCP_inuse 8"));
	CHECK(machine_shows(&machine, "node_sockstat_TCP_mem 2"));
	CHECK(machine_shows(&machine, bytes));
	CHECK(machine_shows(&machine, "node_sockstat_TCP6_inuse 9"));
	CHECK(str_find(buf_str(&machine.metrics), STR("UDP")) < 0);
	CHECK(str_find(buf_str(&machine.metrics), STR("TCP_inuse 9")) < 0);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(memory_is_told_in_pages_and_in_bytes));
}
