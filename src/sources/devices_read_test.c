// SPDX-License-Identifier: Apache-2.0
// The kernel's messages about devices, and a small /sys.
#include "sources/devices_read.h"

#include "sources/source_fixture.h"

static const struct capability nothing = {.name = "test"};

TEST(a_message_of_the_kernel_is_cut_into_its_fields) {
	struct uevent uevent;
	const char message[] = "add@/devices/x/sda\0ACTION=add\0DEVPATH=/devices/x/sda\0"
			       "SUBSYSTEM=block\0DEVNAME=sda\0DEVTYPE=disk\0DRIVER=\0SEQNUM=7";
	CHECK(uevent_parse(str_range(message, sizeof(message)), &uevent));
	CHECK_STR(uevent.action, "add");
	CHECK_STR(uevent.path, "/devices/x/sda");
	CHECK_STR(uevent.subsystem, "block");
	CHECK_STR(uevent.name, "sda");
	CHECK_STR(uevent.type, "disk");
	CHECK_STR(uevent.driver, "");
}

TEST(what_is_no_message_of_the_kernel_is_refused) {
	static const struct str messages[] = {STR_INIT(""), STR_INIT("libudev\0\xfe\xed"),
		STR_INIT("@"), STR_INIT("add@"), STR_INIT("add@/d\0ACTION=add"),
		STR_INIT("add@/d\0ACTION\0SUBSYSTEM\0DEVPATH"),
		STR_INIT("@/d\0ACTION=add\0DEVPATH=/d\0SUBSYSTEM=x"),
		STR_INIT("add@/d\0=\0ACTION=\0SUBSYSTEM=\0DEVPATH=")};
	struct uevent uevent;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		CHECK(!uevent_parse(messages[i], &uevent));
	}
}

static void link_name(struct fixture *fixture, const char *target, const char *name) {
	fixture_write(fixture, name, ""); // makes the folders on the way
	_cleanup_(freep) char *path = xasprintf("%s/%s", fixture->folder, name);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(symlink(target, path), 0);
}

TEST(the_devices_of_the_wanted_subsystems_are_found) {
	struct fixture fixture;
	struct facts facts = {0};
	struct buf trouble = BUF_INIT;
	fixture_init(&fixture, NULL, &nothing);
	fixture_write(&fixture, "sys/devices/pci/net/eth0/uevent", "");
	fixture_write(&fixture, "sys/devices/usb1/1-2/uevent", "");
	fixture_write(&fixture, "sys/devices/tty0/uevent", "");
	link_name(&fixture, "../../devices/pci/net/eth0", "sys/class/net/eth0");
	link_name(&fixture, "../../devices/tty0", "sys/class/tty/tty0");
	link_name(&fixture, "../../devices/gone", "sys/class/net/gone");
	link_name(&fixture, "../../../devices/usb1/1-2", "sys/bus/usb/devices/1-2");
	link_name(&fixture, "../../../bus/usb/drivers/hub", "sys/devices/usb1/1-2/driver");
	_cleanup_(freep) char *spec = xasprintf("%s\nnet\nus?", fixture.folder);
	devices_read(spec, &facts, &trouble);
	facts_sort(&facts);
	CHECK_TEXT(buf_text(&trouble), "");
	CHECK_INT(facts.n, 2);
	CHECK_STR(facts_find(&facts, STR("/devices/pci/net/eth0")), "net\n\n");
	CHECK_STR(facts_find(&facts, STR("/devices/usb1/1-2")), "usb\nhub\n");
	facts_finish(&facts);
	buf_finish(&trouble);
	fixture_finish(&fixture);
}

TEST(without_sys_there_is_trouble) {
	struct facts facts = {0};
	struct buf trouble = BUF_INIT;
	devices_read("/nonexistent\nnet", &facts, &trouble);
	CHECK(strstr(buf_text(&trouble), "/nonexistent/sys/class") != NULL);
	buf_finish(&trouble);
	facts_finish(&facts);
}

int main(void) {
	return TESTS(RUN(a_message_of_the_kernel_is_cut_into_its_fields),
		RUN(what_is_no_message_of_the_kernel_is_refused),
		RUN(the_devices_of_the_wanted_subsystems_are_found),
		RUN(without_sys_there_is_trouble));
}
