// SPDX-License-Identifier: Apache-2.0
// The source `kernel` before a pipe that stands in for /dev/kmsg.
#include "sources/source_fixture.h"

extern const struct capability source_kernel;

#define SEGFAULT "4,7,1,-;prog[9]: segfault at 0 ip 1 sp 2 error 4\n"

struct machine {
	struct fixture fixture;
	int fd; // the pipe's other end
};

static void init(struct machine *machine, const char *json) {
	struct fixture *fixture = &machine->fixture;
	fixture_init(fixture, NULL, &source_kernel);
	fixture->services.sysroot = fixture->folder;
	fixture_write(fixture, "dev/null", "");
	_cleanup_(freep) char *path = xasprintf("%s/dev/kmsg", fixture->folder);
	CHECK_INT(mkfifo(path, 0600), 0);
	machine->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	CHECK(machine->fd >= 0);
	fixture_start(fixture, json);
}

static void finish(struct machine *machine) {
	close(machine->fd);
	fixture_finish(&machine->fixture);
}

static void log_text(struct machine *machine, const char *text) {
	CHECK_INT(write(machine->fd, text, strlen(text)), strlen(text));
	loop_advance(machine->fixture.fake.loop, NS_PER_MS);
}

TEST(trouble_is_told_with_whom_it_is_about) {
	struct machine machine;
	init(&machine, "{}");
	log_text(&machine, "6,1,1,-;usb 1-1: new device\n SUBSYSTEM=usb\n" SEGFAULT);
	CHECK_INT(machine.fixture.n, 1);
	const struct event *event = machine.fixture.events[0];
	CHECK_STR(event->kind, "kernel.segfault");
	CHECK_STR(event->subject, "prog");
	CHECK_TEXT(fixture_text(event, "pid"), "9");
	CHECK_TEXT(fixture_text(event, "level"), "4");
	CHECK_TEXT(fixture_text(event, "line"), "prog[9]: segfault at 0 ip 1 sp 2 error 4");
	finish(&machine);
}

TEST(what_a_program_wrote_into_the_log_is_no_trouble) {
	struct machine machine;
	init(&machine, "{\"patterns\": [{\"name\": \"any\", \"match\": \"segfault\"}]}");
	log_text(&machine, "12,7,1,-;prog[9]: segfault at 0 ip 1 sp 2 error 4\n");
	CHECK_INT(machine.fixture.n, 1);
	CHECK_STR(machine.fixture.events[0]->kind, "kernel.line");
	CHECK_TEXT(fixture_text(machine.fixture.events[0], "is_kernel"), "false");
	finish(&machine);
}

TEST(a_flood_of_one_kind_is_held_back_and_counted) {
	struct machine machine;
	init(&machine, "{\"limit\": 3}");
	for (int i = 0; i < 10; i++) {
		log_text(&machine, SEGFAULT);
	}
	log_text(&machine, "4,8,1,-;usb 1-2: over-current condition\n");
	CHECK_INT(machine.fixture.n, 4);
	CHECK_STR(machine.fixture.events[3]->kind, "kernel.usb_overcurrent");
	loop_advance(machine.fixture.fake.loop, 61 * NS_PER_SECOND);
	log_text(&machine, SEGFAULT);
	CHECK_TEXT(fixture_text(machine.fixture.events[4], "held_back"), "7");
	finish(&machine);
}

TEST(ignored_lines_say_nothing) {
	struct machine machine;
	init(&machine, "{\"ignored\": [\"prog[\"]}");
	log_text(&machine, SEGFAULT);
	CHECK_INT(machine.fixture.n, 0);
	fixture_reconfigure(&machine.fixture, "{}");
	log_text(&machine, SEGFAULT);
	CHECK_INT(machine.fixture.n, 1);
	finish(&machine);
}

TEST(lines_are_clean_text_and_bounded) {
	struct machine machine;
	struct buf text = BUF_INIT;
	init(&machine, "{\"patterns\": [{\"name\": \"x\", \"match\": \"*\"}]}");
	buf_append_text(&text, "6,1,1,-;\x01\xff");
	for (int i = 0; i < 2000; i++) {
		buf_append_char(&text, 'a');
	}
	buf_append_char(&text, '\n');
	log_text(&machine, buf_text(&text));
	CHECK_INT(machine.fixture.n, 1);
	const struct value *line = event_attribute(machine.fixture.events[0], STR("line"));
	CHECK(str_is_utf8(line->string) && line->string.len <= 1010);
	CHECK(str_starts(line->string,
		STR("\xef\xbf\xbd\xef\xbf\xbd"
		    "aaa")));
	buf_finish(&text);
	finish(&machine);
}

TEST(a_log_that_is_not_there_switches_the_part_off) {
	struct fixture fixture;
	struct capability_health state;
	fixture_init(&fixture, NULL, &source_kernel);
	fixture.services.sysroot = fixture.folder;
	fixture_start(&fixture, "{}");
	source_kernel.health(fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DISABLED);
	CHECK(strstr(state.reason, "/dev/kmsg") != NULL);
	fixture_finish(&fixture);
}

int main(void) {
	return TESTS(RUN(trouble_is_told_with_whom_it_is_about),
		RUN(what_a_program_wrote_into_the_log_is_no_trouble),
		RUN(a_flood_of_one_kind_is_held_back_and_counted), RUN(ignored_lines_say_nothing),
		RUN(lines_are_clean_text_and_bounded),
		RUN(a_log_that_is_not_there_switches_the_part_off));
}
