// SPDX-License-Identifier: Apache-2.0
// The source `packages` on a folder that the test fills as package managers do.
#include "sources/source_fixture.h"

extern const struct capability source_packages;

static void write_status(struct fixture *fixture, const char *text) {
	fixture_write(fixture, "var/lib/dpkg/status-new", text);
	_cleanup_(freep) char *from = xasprintf("%s/var/lib/dpkg/status-new", fixture->folder);
	_cleanup_(freep) char *to = xasprintf("%s/var/lib/dpkg/status", fixture->folder);
	CHECK_INT(rename(from, to), 0);
}

#define PACKAGE(name, version) \
	"Package: " name "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " version \
	"\n\n"

static void init(struct fixture *fixture) {
	fixture_init(fixture, NULL, &source_packages);
	fixture->services.sysroot = fixture->folder;
}

static void pass(struct fixture *fixture, int64_t seconds) {
	loop_advance(fixture->fake.loop, seconds * NS_PER_SECOND);
}

TEST(installed_removed_and_upgraded_packages_are_told) {
	struct fixture fixture;
	init(&fixture);
	write_status(&fixture, PACKAGE("bash", "5.1") PACKAGE("old", "1"));
	fixture_start(&fixture, "{}");
	pass(&fixture, 5);
	CHECK_INT(fixture.n, 0);
	write_status(&fixture, PACKAGE("bash", "5.2") PACKAGE("new", "3"));
	pass(&fixture, 1);
	CHECK_INT(fixture.n, 0); // it may not be all yet
	pass(&fixture, 5);
	CHECK_INT(fixture.n, 3);
	CHECK_STR(fixture.events[0]->kind, "package.upgraded");
	CHECK_STR(fixture.events[0]->subject, "bash");
	CHECK_TEXT(fixture_text(fixture.events[0], "from"), "5.1");
	CHECK_TEXT(fixture_text(fixture.events[0], "version"), "5.2");
	CHECK_TEXT(fixture_text(fixture.events[0], "architecture"), "amd64");
	CHECK_TEXT(fixture_text(fixture.events[0], "manager"), "dpkg");
	CHECK_STR(fixture.events[1]->kind, "package.installed");
	CHECK_TEXT(fixture_text(fixture.events[1], "package"), "new");
	CHECK_STR(fixture.events[2]->kind, "package.removed");
	CHECK_TEXT(fixture_text(fixture.events[2], "version"), "1");
	fixture_finish(&fixture);
}

TEST(more_than_twenty_are_one_event) {
	struct fixture fixture;
	struct buf text = BUF_INIT;
	init(&fixture);
	write_status(&fixture, PACKAGE("bash", "5.1"));
	fixture_start(&fixture, "{}");
	pass(&fixture, 5);
	buf_append_text(&text, PACKAGE("bash", "5.2"));
	for (int i = 0; i < 300; i++) {
		buf_appendf(
			&text, "Package: p%03d\nStatus: install ok installed\nVersion: 1\n\n", i);
	}
	write_status(&fixture, buf_text(&text));
	pass(&fixture, 5);
	CHECK_INT(fixture.n, 1);
	CHECK_STR(fixture.events[0]->kind, "package.batch");
	CHECK_TEXT(fixture_text(fixture.events[0], "installed"), "300");
	CHECK_TEXT(fixture_text(fixture.events[0], "upgraded"), "1");
	const struct value *names = event_attribute(fixture.events[0], STR("packages"));
	CHECK_INT(names->array.n, 200);
	CHECK_STR(names->array.items[0].string, "upgraded bash 5.1 to 5.2");
	buf_finish(&text);
	fixture_finish(&fixture);
}

TEST(pacman_is_read_and_of_rpm_it_is_told_that_something_changed) {
	struct fixture fixture;
	init(&fixture);
	fixture_write(&fixture, "var/lib/pacman/local/a-1-1/desc", "");
	fixture_write(&fixture, "var/lib/rpm/rpmdb.sqlite", "x");
	fixture_start(&fixture, "{}");
	pass(&fixture, 5);
	fixture_write(&fixture, "var/lib/pacman/local/b-2-1/desc", "");
	_cleanup_(freep) char *path = xasprintf("%s/var/lib/rpm/rpmdb.sqlite", fixture.folder);
	struct timespec times[2] = {{.tv_sec = 7}, {.tv_sec = 7}};
	CHECK_INT(utimensat(AT_FDCWD, path, times, 0), 0);
	pass(&fixture, 5);
	CHECK_INT(fixture.n, 2);
	CHECK_STR(fixture.events[0]->kind, "package.installed");
	CHECK_TEXT(fixture_text(fixture.events[0], "manager"), "pacman");
	CHECK_STR(fixture.events[1]->kind, "package.changed");
	fixture_finish(&fixture);
}

TEST(a_machine_without_a_package_database_is_degraded_with_what_to_do) {
	struct fixture fixture;
	struct capability_health state;
	init(&fixture);
	fixture_start(&fixture, "{}");
	pass(&fixture, 5);
	source_packages.health(fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK(strstr(state.reason, "enabled = false") != NULL);
	fixture_finish(&fixture);
}

int main(void) {
	return TESTS(RUN(installed_removed_and_upgraded_packages_are_told),
		RUN(more_than_twenty_are_one_event),
		RUN(pacman_is_read_and_of_rpm_it_is_told_that_something_changed),
		RUN(a_machine_without_a_package_database_is_degraded_with_what_to_do));
}
