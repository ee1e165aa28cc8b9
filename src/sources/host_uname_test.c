// SPDX-License-Identifier: Apache-2.0
// Which kernel, recorded.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_uname;

TEST(a_recorded_machine_has_its_own_names) {
	struct machine machine;
	machine_init(&machine, &host_collector_uname);
	machine_gather(&machine, 1);
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	machine_write(&machine, "/proc/sys/kernel/hostname", "h\xffst\n");
	machine_read(&machine, "/proc/sys/kernel/ostype", "Linux\n");
	CHECK(machine_shows(&machine,
		"node_uname_info{domainname=\"\",machine=\"\",nodename=\"h\xEF\xBF\xBDst\","
		"release=\"\",sysname=\"Linux\",version=\"\"} 1"));
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(a_recorded_machine_has_its_own_names));
}
