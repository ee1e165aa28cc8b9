// SPDX-License-Identifier: Apache-2.0
// What disks are, with udev's database and without.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_diskinfo;

TEST(udev_tells_model_and_serial_number) {
	struct machine machine;
	machine_init(&machine, &host_collector_diskinfo);
	machine_write(&machine, "/run/udev/data/b8:0",
		"S:disk/by-id/x\nE:ID_MODEL=Fast Disk\nE:ID_SERIAL_SHORT=A=1\nE:ID_PATH=pci-0\n"
		"E:ID_REVISION=1.0\nE:ID_WWN=0x5\nE:ID_MODEL\nG:seat\n");
	machine_read(&machine, "/proc/diskstats",
		"8 0 sda 1\n8 1 sda1 1\n253 7 dm-7 1\n8 x bad\n8 0 sda\n");
	CHECK(machine_shows(&machine,
		"node_disk_info{device=\"sda\",major=\"8\",minor=\"0\",model=\"Fast Disk\","
		"path=\"pci-0\",revision=\"1.0\",serial=\"A=1\",wwn=\"0x5\"} 1"));
	CHECK(machine_shows(&machine,
		"node_disk_info{device=\"dm-7\",major=\"253\",minor=\"7\",model=\"\",path=\"\","
		"revision=\"\",serial=\"\",wwn=\"\"} 1"));
	CHECK(str_find(buf_str(&machine.metrics), STR("sda1")) < 0);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(udev_tells_model_and_serial_number));
}
