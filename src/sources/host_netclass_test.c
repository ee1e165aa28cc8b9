// SPDX-License-Identifier: Apache-2.0
// /sys/class/net on a recorded machine.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_netclass;

TEST(attributes_are_numbers_texts_and_whether_it_is_up) {
	struct machine machine;
	machine_init(&machine, &host_collector_netclass);
	machine_write(&machine, "/sys/class/net/e/operstate", "up\n");
	machine_write(&machine, "/sys/class/net/e/flags", "0x1003\n");
	machine_write(&machine, "/sys/class/net/e/speed", "1000\n");
	machine_write(&machine, "/sys/class/net/e/mtu", "none\n");
	machine_write(&machine, "/sys/class/net/e/ifalias", "a\"b\n");
	machine_write(&machine, "/sys/class/net/e/statistics/rx_nohandler", "4\n");
	machine_write(&machine, "/sys/class/net/d/operstate", "down\n");
	machine_read(&machine, "/sys/class/net/bonding_masters", "bond0\n");
	CHECK(machine_shows(&machine, "node_network_flags{device=\"e\"} 4099"));
	CHECK(machine_shows(&machine, "node_network_speed_bytes{device=\"e\"} 125000000"));
	CHECK(machine_shows(&machine, "node_network_up{device=\"e\"} 1"));
	CHECK(machine_shows(&machine, "node_network_up{device=\"d\"} 0"));
	CHECK(machine_shows(&machine, "node_network_receive_nohandler_total{device=\"e\"} 4"));
	CHECK(machine_shows(&machine,
		"node_network_info{address=\"\",broadcast=\"\",device=\"e\",duplex=\"\","
		"ifalias=\"a\\\"b\",operstate=\"up\"} 1"));
	CHECK(str_find(buf_str(&machine.metrics), STR("mtu")) < 0);
	CHECK(str_find(buf_str(&machine.metrics), STR("bonding")) < 0);
	machine_finish(&machine);
}

TEST(an_ignored_device_and_one_below_an_avoided_folder_are_left_out) {
	struct machine machine;
	struct str globs[] = {STR("veth*")};
	machine_init(&machine, &host_collector_netclass);
	_cleanup_(freep) char *avoided = xasprintf("%s/sys/class/net/e", machine.folder);
	machine.config.ignored_devices = (struct strings){globs, 1};
	machine.turn.avoided = avoided;
	machine_write(&machine, "/sys/class/net/veth1/operstate", "up\n");
	machine_write(&machine, "/sys/class/net/e/operstate", "up\n");
	machine_read(&machine, "/sys/class/net/e2/operstate", "up\n");
	CHECK(machine_shows(&machine, "node_network_up{device=\"e2\"} 1"));
	CHECK(str_find(buf_str(&machine.metrics), STR("\"e\"")) < 0);
	CHECK(str_find(buf_str(&machine.metrics), STR("veth1")) < 0);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(attributes_are_numbers_texts_and_whether_it_is_up),
		RUN(an_ignored_device_and_one_below_an_avoided_folder_are_left_out));
}
