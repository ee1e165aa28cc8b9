// SPDX-License-Identifier: Apache-2.0
// /proc/net/dev on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_netdev;

static const char network_text[] =
	"Inter-|   Receive                                                |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
	"    lo: 435303245 1832522  0 0 0 0 0 0 435303245 1832522 0 0 0 0 0 0\n"
	"  eth0:68210035552 520993275 1 2 3 4 5 6 9315587528 43451486 7 8 9 10 11 12\n"
	"eth0:1:  1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	"broken: 1 2 3\nnegative: -1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";

TEST(network_devices_are_read_by_column) {
	struct machine machine;
	struct str ignored[] = {STR("l?")};
	machine_init(&machine, &host_collector_netdev);
	machine.config.ignored_devices = (struct strings){ignored, 1};
	machine_read(&machine, "/proc/net/dev", network_text);
	CHECK(machine_shows(
		&machine, "node_network_receive_bytes_total{device=\"eth0\"} 68210035552"));
	CHECK(machine_shows(
		&machine, "node_network_transmit_compressed_total{device=\"eth0\"} 12"));
	CHECK(machine_shows(&machine, "node_network_receive_errs_total{device=\"eth0:1\"} 3"));
	CHECK(str_find(buf_str(&machine.metrics), STR("\"lo\"")) < 0);
	CHECK(str_find(buf_str(&machine.metrics), STR("broken")) < 0);
	CHECK(str_find(buf_str(&machine.metrics), STR("negative")) < 0);
	machine_finish(&machine);
}

TEST(rates_are_of_the_last_interval) {
	struct machine machine;
	machine_init(&machine, &host_collector_netdev);
	machine_read(&machine, "/proc/net/dev", "e: 100 0 1 2 0 0 0 0 200 0 3 4 0 0 0 0\n");
	CHECK(isnan(machine_figure(&machine, "network.rx_bytes_per_second", "e")));
	machine_write(&machine, "/proc/net/dev", "e: 300 0 2 4 0 0 0 0 600 0 5 8 0 0 0 0\n");
	machine_gather(&machine, 2);
	CHECK_DOUBLE(machine_figure(&machine, "network.rx_bytes_per_second", "e"), 100);
	CHECK_DOUBLE(machine_figure(&machine, "network.tx_bytes_per_second", "e"), 200);
	CHECK_DOUBLE(machine_figure(&machine, "network.errors_per_second", "e"), 1.5);
	CHECK_DOUBLE(machine_figure(&machine, "network.drops_per_second", "e"), 3);
	machine_finish(&machine);
}

TEST(after_a_step_back_a_rate_is_absent) {
	struct machine machine;
	machine_init(&machine, &host_collector_netdev);
	machine_read(&machine, "/proc/net/dev", "e: 100 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0\n");
	machine_read(&machine, "/proc/net/dev", "e: 50 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n");
	CHECK(isnan(machine_figure(&machine, "network.rx_bytes_per_second", "e")));
	CHECK_DOUBLE(machine_figure(&machine, "network.tx_bytes_per_second", "e"), 1);
	machine_read(&machine, "/proc/net/dev", "e: 60 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n");
	CHECK_DOUBLE(machine_figure(&machine, "network.rx_bytes_per_second", "e"), 10);
	machine_finish(&machine);
}

TEST(a_device_that_comes_back_begins_anew) {
	struct machine machine;
	machine_init(&machine, &host_collector_netdev);
	machine_read(&machine, "/proc/net/dev", "e: 100 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0\n");
	machine_read(&machine, "/proc/net/dev", "");
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	machine_read(&machine, "/proc/net/dev", "e: 900 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0\n");
	CHECK(isnan(machine_figure(&machine, "network.rx_bytes_per_second", "e")));
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(network_devices_are_read_by_column), RUN(rates_are_of_the_last_interval),
		RUN(after_a_step_back_a_rate_is_absent), RUN(a_device_that_comes_back_begins_anew));
}
