// SPDX-License-Identifier: Apache-2.0
// Counters of the protocols on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_netstat;

TEST(fields_are_paired_by_their_column) {
	struct machine machine;
	machine_init(&machine, &host_collector_netstat);
	machine_write(&machine, "/proc/net/snmp",
		"Tcp: MaxConn InSegs InErrs\nTcp: -1 5 6\nIcmp: InType3\nIcmp: 1\n"
		"UdpLite: InErrors InCsumErrors\nUdpLite: 3 4\n");
	machine_write(
		&machine, "/proc/net/snmp6", "Ip6InOctets \t12\nIp6InPkts 1\nUdp6NoPorts 2\n");
	machine_read(&machine, "/proc/net/netstat",
		"TcpExt: ListenDrops TW SyncookiesSent\nTcpExt: 1 2 3\n");
	CHECK(machine_shows(&machine, "node_netstat_Tcp_InSegs 5"));
	CHECK(machine_shows(&machine, "node_netstat_Tcp_InErrs 6"));
	CHECK(machine_shows(&machine, "node_netstat_UdpLite_InErrors 3"));
	CHECK(machine_shows(&machine, "node_netstat_Ip6_InOctets 12"));
	CHECK(machine_shows(&machine, "node_netstat_Udp6_NoPorts 2"));
	CHECK(machine_shows(&machine, "node_netstat_TcpExt_ListenDrops 1"));
	CHECK(machine_shows(&machine, "node_netstat_TcpExt_SyncookiesSent 3"));
	CHECK(machine_shows(&machine, "# HELP node_netstat_Tcp_InSegs Statistic TcpInSegs."));
	CHECK(str_find(buf_str(&machine.metrics), STR("_TW")) < 0);
	CHECK(str_find(buf_str(&machine.metrics), STR("Csum")) < 0);
	machine_finish(&machine);
}

TEST(lines_that_do_not_belong_together_are_left_out) {
	struct machine machine;
	machine_init(&machine, &host_collector_netstat);
	machine_read(&machine, "/proc/net/snmp",
		"Tcp: InSegs\nUdp: 1\nTcp InSegs\nTcp 1\nTcp: InSegs\nTcp: x\nTcp: InSegs\n");
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	machine_read(&machine, "/proc/net/snmp", "Tcp: InSegs InSegs\nTcp: 1 2\n");
	CHECK(machine_shows(&machine, "node_netstat_Tcp_InSegs 1")); // once is enough
	CHECK(str_find(buf_str(&machine.metrics), STR("InSegs 2")) < 0);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(fields_are_paired_by_their_column),
		RUN(lines_that_do_not_belong_together_are_left_out));
}
