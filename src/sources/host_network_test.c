// SPDX-License-Identifier: Apache-2.0
// /proc/net/dev on recorded texts.
#include "sources/host.h"
#include "tests/check.h"

static const char network_text[] =
	"Inter-|   Receive                                                |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
	"    lo: 435303245 1832522  0 0 0 0 0 0 435303245 1832522 0 0 0 0 0 0\n"
	"  eth0:68210035552 520993275 1 2 3 4 5 6 9315587528 43451486 7 8 9 10 11 12\n"
	"eth0:1:  1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	"broken: 1 2 3\n";

TEST(network_devices_are_read_by_column) {
	struct host_network network = {0};
	const struct str ignored[] = {STR("l?")};
	host_network_parse(&network, str_from(network_text), ignored, 1);
	CHECK_INT(network.n, 2);
	CHECK_TEXT(network.devices[0].name, "eth0");
	CHECK_INT(network.devices[0].counters[0], INT64_C(68210035552));
	CHECK_INT(network.devices[0].counters[15], 12);
	CHECK_TEXT(network.devices[1].name, "eth0:1");
	host_network_finish(&network);
}

int main(void) {
	return TESTS(RUN(network_devices_are_read_by_column));
}
