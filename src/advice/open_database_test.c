// SPDX-License-Identifier: Apache-2.0
// Sockets that listen, as /proc/net/tcp shows them.
#include "advice/advice_fixture.h"

extern DEFINE_RULE(open_database);

TEST(redis_on_every_address_is_told) {
	fires(&rule_open_database,
		TREE({"/proc/net/tcp",
			"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			"retrnsmt   uid  timeout inode\n   0: 00000000:18EB 00000000:0000 0A "
			"00000000:00000000 00:00000000 00000000   105        0 21233 1 "
			"0000000000000000 100 0 0 10 0\n"}),
		"/proc/net/tcp: port 6379, usually Redis, listens on every address");
}

TEST(mongodb_on_ipv6_is_told) {
	fires(&rule_open_database,
		TREE({"/proc/net/tcp6",
			"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			"retrnsmt   uid  timeout inode\n   0: "
			"00000000000000000000000000000000:6989 "
			"00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 "
			"00000000   105        0 21233 1\n"}),
		"/proc/net/tcp6: port 27017, usually MongoDB, listens on every address");
}

TEST(on_loopback_it_is_silent) {
	is_silent(&rule_open_database,
		TREE({"/proc/net/tcp",
			"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			"retrnsmt   uid  timeout inode\n   0: 0100007F:18EB 00000000:0000 0A "
			"00000000:00000000 00:00000000 00000000   105        0 21233 1\n"}));
}

TEST(a_connection_is_no_listener) {
	is_silent(&rule_open_database,
		TREE({"/proc/net/tcp",
			"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			"retrnsmt   uid  timeout inode\n   0: 00000000:18EB 0100007F:C001 01 "
			"00000000:00000000 00:00000000 00000000   105        0 21233 1\n"}));
}

TEST(another_port_is_silent) {
	is_silent(&rule_open_database,
		TREE({"/proc/net/tcp",
			"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			"retrnsmt   uid  timeout inode\n   0: 00000000:0016 00000000:0000 0A "
			"00000000:00000000 00:00000000 00000000   105        0 21233 1\n"}));
}

int main(void) {
	return TESTS(RUN(redis_on_every_address_is_told), RUN(mongodb_on_ipv6_is_told),
		RUN(on_loopback_it_is_silent), RUN(a_connection_is_no_listener),
		RUN(another_port_is_silent));
}
