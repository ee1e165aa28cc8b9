// SPDX-License-Identifier: Apache-2.0
// The source `journald` before a played journalctl.
#include "sources/source_fixture.h"

#include "tests/fakes/fake_children.h"

extern const struct capability source_journald;

#define ENTRY(message, more) "{\"MESSAGE\":" message ",\"__CURSOR\":\"c1\"" more "}\n"
#define ANY "[{\"name\": \"any\", \"match\": \"fail\"}]"

struct machine {
	struct fixture fixture;
	struct fake_children children;
};

static void init(struct machine *machine, const char *json, const char *output) {
	fixture_init(&machine->fixture, NULL, &source_journald);
	fake_children_init(&machine->children, machine->fixture.fake.loop);
	machine->fixture.services.children = &machine->children.runner;
	fake_children_plan(&machine->children,
		(struct fake_plan){.duration_ns = 20 * NS_PER_SECOND, .output = output});
	fake_children_plan(
		&machine->children, (struct fake_plan){.duration_ns = 3600 * NS_PER_SECOND});
	fixture_start(&machine->fixture, json);
}

static void finish(struct machine *machine) {
	if (machine->fixture.source) {
		fixture_stop(&machine->fixture);
	}
	fake_children_finish(&machine->children);
	fixture_finish(&machine->fixture);
}

static void pass(struct machine *machine, int64_t seconds) {
	loop_advance(machine->fixture.fake.loop, seconds * NS_PER_SECOND);
}

TEST(a_matching_line_is_told_with_who_wrote_it) {
	struct machine machine;
	init(&machine, ANY,
		ENTRY("\"all is well\"", "") ENTRY("\"disk failed\\u0001\"",
			",\"_SYSTEMD_UNIT\":\"a.service\",\"SYSLOG_IDENTIFIER\":\"a\",\"_PID\":"
			"\"12\",\"PRIORITY\":\"3\""));
	pass(&machine, 11);
	CHECK_INT(machine.fixture.n, 1);
	const struct event *event = machine.fixture.events[0];
	CHECK_STR(event->kind, "journal.line");
	CHECK_STR(event->subject, "any");
	CHECK_TEXT(fixture_text(event, "line"), "disk failed\xef\xbf\xbd");
	CHECK_TEXT(fixture_text(event, "unit"), "a.service");
	CHECK_TEXT(fixture_text(event, "pid"), "12");
	CHECK_TEXT(fixture_text(event, "priority"), "err");
	finish(&machine);
}

TEST(unit_and_priority_narrow_a_pattern) {
	struct machine machine;
	init(&machine,
		"[{\"name\": \"x\", \"match\": \"*\", \"unit\": \"web*\", \"priority\": \"err\"}]",
		ENTRY("\"1\"", ",\"_SYSTEMD_UNIT\":\"db.service\",\"PRIORITY\":\"3\"") ENTRY(
			"\"2\"", ",\"_SYSTEMD_UNIT\":\"web.service\",\"PRIORITY\":\"6\"")
			ENTRY("\"3\"", ",\"_SYSTEMD_UNIT\":\"web.service\",\"PRIORITY\":\"2\""));
	pass(&machine, 11);
	CHECK_INT(machine.fixture.n, 1);
	CHECK_TEXT(fixture_text(machine.fixture.events[0], "line"), "3");
	finish(&machine);
}

TEST(a_message_of_bytes_is_read) {
	struct machine machine;
	init(&machine, ANY, ENTRY("[102,97,105,108,255,10]", ""));
	pass(&machine, 11);
	CHECK_TEXT(fixture_text(machine.fixture.events[0], "line"), "fail\xef\xbf\xbd\xef\xbf\xbd");
	finish(&machine);
}

TEST(a_child_that_ends_is_started_again_where_it_was) {
	struct machine machine;
	struct capability_health state;
	init(&machine, ANY, ENTRY("\"fail\"", ""));
	CHECK(strstr(machine.children.last_argv, "--since=@1767225600") != NULL);
	pass(&machine, 20);
	CHECK_INT(machine.children.spawned, 1);
	source_journald.health(machine.fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK(strstr(state.reason, "journalctl ended (status 0)") != NULL);
	pass(&machine, 10);
	CHECK_INT(machine.children.spawned, 2);
	CHECK(strstr(machine.children.last_argv, "--after-cursor=c1") != NULL);
	source_journald.health(machine.fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	fixture_stop(&machine.fixture);
	CHECK_INT(machine.children.running, 0);
	finish(&machine);
}

TEST(a_program_that_is_missing_is_tried_ever_more_seldom) {
	struct machine machine;
	struct capability_health state;
	fixture_init(&machine.fixture, NULL, &source_journald);
	fake_children_init(&machine.children, machine.fixture.fake.loop);
	machine.fixture.services.children = &machine.children.runner;
	for (int i = 0; i < 20; i++) {
		fake_children_plan(&machine.children,
			(struct fake_plan){.spawn_error = "cannot run journalctl: no"});
	}
	fixture_start(&machine.fixture, ANY);
	pass(&machine, 300);
	source_journald.health(machine.fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK(strstr(state.reason, "cannot run journalctl") != NULL);
	CHECK(machine.children.plan_next >= 8 && machine.children.plan_next <= 12);
	finish(&machine);
}

TEST(an_overlong_line_is_left_out_and_told) {
	struct machine machine;
	struct buf text = BUF_INIT;
	buf_append_text(&text, "{\"MESSAGE\":\"fail ");
	for (int i = 0; i < 70000; i++) {
		buf_append_char(&text, 'x');
	}
	buf_append_text(&text, "\"}\n" ENTRY("\"fail 2\"", ""));
	init(&machine, ANY, buf_text(&text));
	pass(&machine, 11);
	CHECK_INT(machine.fixture.n, 2);
	CHECK_STR(machine.fixture.events[0]->kind, "source.gap");
	CHECK_TEXT(fixture_text(machine.fixture.events[1], "line"), "fail 2");
	buf_finish(&text);
	finish(&machine);
}

TEST(a_flood_is_cut_and_told_as_a_gap) {
	struct machine machine;
	struct buf text = BUF_INIT;
	for (int i = 0; i < 3000; i++) {
		buf_append_text(&text, ENTRY("\"fail\"", ""));
	}
	init(&machine, ANY, buf_text(&text));
	pass(&machine, 15);
	CHECK_INT(machine.fixture.n, 12); // ten lines, and the gap in two parts
	const struct event *gap = machine.fixture.events[11];
	CHECK_STR(gap->kind, "source.gap");
	CHECK_TEXT(fixture_text(gap, "reason"), "overflow");
	CHECK_TEXT(fixture_text(gap, "count"), "999");
	buf_finish(&text);
	finish(&machine);
}

TEST(lines_that_cannot_match_are_passed_by_without_number) {
	struct machine machine;
	struct buf text = BUF_INIT;
	for (int i = 0; i < 5000; i++) {
		buf_append_text(&text, ENTRY("\"quiet\"", ""));
	}
	buf_append_text(&text,
		"{\"__CURSOR\":\"c2\",\"MESSAGE\":\"it \\\"fail\\\"\"}\n"
		"{\"__CURSOR\":\"c3\",\"MESSAGE\":\"\\\"__CURSOR\\\":\\\"no\"}\n");
	init(&machine, "[{\"name\": \"any\", \"match\": \"it \\\"f?il\\\"\"}]", buf_text(&text));
	pass(&machine, 15);
	CHECK_INT(machine.fixture.n, 1);
	CHECK_TEXT(fixture_text(machine.fixture.events[0], "line"), "it \"fail\"");
	pass(&machine, 15);
	CHECK(strstr(machine.children.last_argv, "--after-cursor=c3") != NULL);
	buf_finish(&text);
	finish(&machine);
}

TEST(what_is_no_entry_is_kept_for_the_reason) {
	struct machine machine;
	struct capability_health state;
	init(&machine, ANY, "No journal files were found.\n[1]\n{\"MESSAGE\":null}\n");
	pass(&machine, 20);
	CHECK_INT(machine.fixture.n, 0);
	source_journald.health(machine.fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	finish(&machine);
}

int main(void) {
	return TESTS(RUN(a_matching_line_is_told_with_who_wrote_it),
		RUN(unit_and_priority_narrow_a_pattern), RUN(a_message_of_bytes_is_read),
		RUN(a_child_that_ends_is_started_again_where_it_was),
		RUN(a_program_that_is_missing_is_tried_ever_more_seldom),
		RUN(an_overlong_line_is_left_out_and_told), RUN(a_flood_is_cut_and_told_as_a_gap),
		RUN(lines_that_cannot_match_are_passed_by_without_number),
		RUN(what_is_no_entry_is_kept_for_the_reason));
}
