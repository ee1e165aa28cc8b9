// SPDX-License-Identifier: Apache-2.0
// os-release on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_os;

TEST(values_are_read_as_the_shell_would) {
	struct machine machine;
	machine_init(&machine, &host_collector_os);
	machine_read(&machine, "/etc/os-release",
		"# comment\nNAME='single \\ quoted'\nID=bare\nPRETTY_NAME=\"a \\\"b\\\" \\$x\"\n"
		"VERSION_ID=24.04.1\nVARIANT=\"open\nID_LIKE\n=x\n");
	CHECK(machine_shows(&machine,
		"node_os_info{build_id=\"\",id=\"bare\",id_like=\"\",image_id=\"\","
		"image_version=\"\",name=\"single \\\\ quoted\",pretty_name=\"a \\\"b\\\" $x\","
		"variant=\"\\\"open\",variant_id=\"\",version=\"\",version_codename=\"\","
		"version_id=\"24.04.1\"} 1"));
	CHECK(machine_shows(&machine,
		"node_os_version{id=\"bare\",id_like=\"\",name=\"single \\\\ quoted\"} 24.04"));
	machine_finish(&machine);
}

TEST(the_vendors_file_stands_in_and_a_rolling_release_has_no_version) {
	struct machine machine;
	machine_init(&machine, &host_collector_os);
	machine_gather(&machine, 1);
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	machine_read(&machine, "/usr/lib/os-release", "ID=arch\nVERSION_ID=rolling\n");
	CHECK(str_find(buf_str(&machine.metrics), STR("id=\"arch\"")) > 0);
	CHECK(str_find(buf_str(&machine.metrics), STR("node_os_version")) < 0);
	machine_read(&machine, "/usr/lib/os-release", "VERSION_ID=7.\n");
	CHECK(machine_shows(&machine, "node_os_version{id=\"\",id_like=\"\",name=\"\"} 7"));
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(values_are_read_as_the_shell_would),
		RUN(the_vendors_file_stands_in_and_a_rolling_release_has_no_version));
}
