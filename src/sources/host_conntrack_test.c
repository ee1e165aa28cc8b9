// SPDX-License-Identifier: Apache-2.0
// Connection tracking on a recorded machine.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_conntrack;

#define COUNT "/proc/sys/net/netfilter/nf_conntrack_count"
#define LIMIT "/proc/sys/net/netfilter/nf_conntrack_max"

TEST(the_table_is_as_full_as_its_entries) {
	struct machine machine;
	machine_init(&machine, &host_collector_conntrack);
	machine_write(&machine, LIMIT, "1000\n");
	machine_write(&machine, "/proc/net/stat/nf_conntrack",
		"entries  found drop\n000000fa 0000000a 00000001\n000000fa 00000010 00000002\n");
	machine_read(&machine, COUNT, "250\n");
	CHECK(machine_shows(&machine, "node_nf_conntrack_entries 250"));
	CHECK(machine_shows(&machine, "node_nf_conntrack_stat_found 26"));
	CHECK(machine_shows(&machine, "node_nf_conntrack_stat_drop 3"));
	CHECK(str_find(buf_str(&machine.metrics), STR("ignore")) < 0); // no such column
	CHECK_DOUBLE(machine_figure(&machine, "conntrack.used_percent", ""), 25);
	machine_finish(&machine);
}

TEST(without_the_module_or_a_limit_there_is_no_figure) {
	struct machine machine;
	machine_init(&machine, &host_collector_conntrack);
	machine_gather(&machine, 1);
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	CHECK_INT(machine.turn.complaint.code, ERR_NONE);
	machine_read(&machine, COUNT, "5\n");
	CHECK(isnan(machine_figure(&machine, "conntrack.used_percent", "")));
	machine_read(&machine, LIMIT, "0\n");
	CHECK(isnan(machine_figure(&machine, "conntrack.used_percent", "")));
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(the_table_is_as_full_as_its_entries),
		RUN(without_the_module_or_a_limit_there_is_no_figure));
}
