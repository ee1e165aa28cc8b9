// SPDX-License-Identifier: Apache-2.0
// The source `thresholds` in simulated time, judging a board that the test fills.
#include "sources/source_fixture.h"

#include <math.h>

#include "flow/board.h"
#include "flow/meter.h"
#include "formats/toml.h"
#include "sources/threshold_presets.h"

extern const struct capability source_threshold;

#define SECOND NS_PER_SECOND
#define MEMORY \
	"[{\"name\": \"m\", \"figure\": \"memory.used_percent\", \"above\": 90, " \
	"\"hysteresis\": 5, \"for\": \"10s\"}]"
#define INODES \
	"[{\"name\": \"i\", \"figure\": \"filesystem.inodes_used_percent\", \"above\": 90, " \
	"\"labels\": [\"/*\", \"!/mnt*\"]}]"

// A part that measures: n figures of one name.
struct part {
	struct pin pin;
	const char *name;
	const char *labels[4];
	double values[4];
	size_t n;
	size_t many; // more, labelled by their number, all with the first value
	bool has_culprit;
};

struct machine {
	struct fixture fixture;
	struct part part;
};

static void figures(void *arg, figure_fn *on_figure, void *on_figure_arg) {
	struct part *part = arg;
	for (size_t i = 0; i < part->n; i++) {
		on_figure(on_figure_arg,
			&(struct figure){part->name, part->labels[i], "percent", part->values[i]});
	}
	for (size_t i = 0; i < part->many; i++) {
		char label[24];
		snprintf(label, sizeof(label), "/%zu", i);
		on_figure(on_figure_arg,
			&(struct figure){part->name, label, "percent", part->values[0]});
	}
}

static bool culprit(void *arg, const struct figure *figure, struct culprit *out) {
	(void)figure;
	*out = (struct culprit){.kind = "process",
		.name = "gr\xc3\xb6\xc3\x9f\x01",
		.pid = 77,
		.unit = "a.service",
		.value = 12.5,
		.value_unit = "percent"};
	return ((struct part *)arg)->has_culprit;
}

static void init(struct machine *machine, const char *name) {
	fixture_init(&machine->fixture, NULL, &source_threshold);
	machine->part = (struct part){.pin = {.figures = figures, .culprit = culprit},
		.name = name,
		.labels = {"", "", "", ""},
		.n = 1,
		.has_culprit = true};
	machine->part.pin.arg = &machine->part;
	board_pin(machine->fixture.board, &machine->part.pin);
}

static void finish(struct machine *machine) {
	board_unpin(&machine->part.pin);
	fixture_finish(&machine->fixture);
}

static void pass(struct machine *machine, int64_t seconds) {
	loop_advance(machine->fixture.fake.loop, seconds * SECOND);
}

static const struct event *newest(const struct machine *machine, size_t n, const char *state) {
	CHECK_INT(machine->fixture.n, n);
	const struct event *event = machine->fixture.events[n - 1];
	CHECK_STR(event->kind, "host.threshold");
	CHECK_TEXT(fixture_text(event, "state"), state);
	return event;
}

TEST(a_figure_over_its_limit_for_long_enough_is_told_with_its_culprit) {
	struct machine machine;
	init(&machine, "memory.used_percent");
	fixture_start(&machine.fixture, MEMORY);
	machine.part.values[0] = 96.5;
	pass(&machine, 10);
	CHECK_INT(machine.fixture.n, 0);
	pass(&machine, 2);
	const struct event *event = newest(&machine, 1, "above");
	CHECK_STR(event->subject, "m");
	CHECK_TEXT(fixture_text(event, "raised"), "true");
	CHECK_TEXT(fixture_text(event, "value"), "96.5");
	CHECK_TEXT(fixture_text(event, "limit"), "90");
	CHECK_TEXT(fixture_text(event, "unit"), "percent");
	CHECK_TEXT(fixture_text(event, "for_s"), "10");
	CHECK_TEXT(fixture_text(event, "since"), "2026-01-01T00:00:01.000000Z");
	CHECK_TEXT(fixture_text(event, "severity"), "warning");
	CHECK_TEXT(fixture_text(event, "culprit"), "gr\xc3\xb6\xc3\x9f\xef\xbf\xbd");
	CHECK_TEXT(fixture_text(event, "culprit_pid"), "77");
	CHECK_TEXT(fixture_text(event, "culprit_unit"), "a.service");
	machine.part.values[0] = 85;
	pass(&machine, 2);
	event = newest(&machine, 2, "below");
	CHECK_TEXT(fixture_text(event, "raised"), "false");
	CHECK_TEXT(fixture_text(event, "culprit"), "");
	pass(&machine, 600);
	CHECK_INT(machine.fixture.n, 2);
	finish(&machine);
}

TEST(a_reload_neither_restarts_the_time_nor_tells_anything_twice) {
	struct machine machine;
	init(&machine, "memory.used_percent");
	fixture_start(&machine.fixture, MEMORY);
	machine.part.values[0] = 99;
	pass(&machine, 8);
	fixture_reconfigure(&machine.fixture, MEMORY);
	pass(&machine, 4);
	newest(&machine, 1, "above");
	fixture_reconfigure(&machine.fixture, MEMORY);
	pass(&machine, 60);
	CHECK_INT(machine.fixture.n, 1);
	finish(&machine);
}

TEST(a_raised_limit_clears_what_was_raised_by_the_old_one) {
	struct machine machine;
	init(&machine, "memory.used_percent");
	fixture_start(&machine.fixture, MEMORY);
	machine.part.values[0] = 93;
	pass(&machine, 12);
	newest(&machine, 1, "above");
	fixture_reconfigure(&machine.fixture,
		"[{\"name\": \"m\", \"figure\": \"memory.used_percent\", \"above\": 98, "
		"\"hysteresis\": 5, \"for\": \"10s\"}]");
	pass(&machine, 2);
	CHECK_TEXT(fixture_text(newest(&machine, 2, "below"), "limit"), "98");
	finish(&machine);
}

TEST(a_threshold_that_is_taken_away_while_raised_is_cleared_as_unknown) {
	struct machine machine;
	init(&machine, "memory.used_percent");
	fixture_start(&machine.fixture, MEMORY);
	machine.part.values[0] = 93;
	pass(&machine, 12);
	fixture_set_journal(&machine.fixture, false);
	fixture_reconfigure(&machine.fixture, "[]");
	pass(&machine, 5);
	CHECK_INT(machine.fixture.n, 1);
	fixture_set_journal(&machine.fixture, true);
	pass(&machine, 5);
	const struct event *event = newest(&machine, 2, "unknown");
	CHECK_TEXT(fixture_text(event, "raised"), "false");
	CHECK_TEXT(fixture_text(event, "value"), "");
	finish(&machine);
}

TEST(a_clock_that_jumps_changes_nothing) {
	struct machine machine;
	init(&machine, "memory.used_percent");
	fixture_start(&machine.fixture, MEMORY);
	machine.part.values[0] = 99;
	pass(&machine, 5);
	machine.fixture.fake.clock.wall_ns += 3600 * SECOND;
	pass(&machine, 4);
	CHECK_INT(machine.fixture.n, 0);
	machine.fixture.fake.clock.wall_ns -= 7200 * SECOND;
	pass(&machine, 3);
	newest(&machine, 1, "above");
	finish(&machine);
}

TEST(what_is_not_a_number_is_not_measured) {
	struct machine machine;
	init(&machine, "memory.used_percent");
	fixture_start(&machine.fixture, MEMORY);
	machine.part.values[0] = NAN;
	pass(&machine, 100);
	machine.part.values[0] = INFINITY;
	pass(&machine, 100);
	CHECK_INT(machine.fixture.n, 0);
	finish(&machine);
}

TEST(a_label_that_vanishes_is_unknown_after_a_minute_and_never_raised) {
	struct machine machine;
	init(&machine, "filesystem.inodes_used_percent");
	machine.part.n = 3;
	machine.part.labels[0] = "/var";
	machine.part.labels[1] = "/home";
	machine.part.labels[2] = "/mnt/x";
	machine.part.values[0] = machine.part.values[2] = 95;
	fixture_start(&machine.fixture, INODES);
	pass(&machine, 2);
	CHECK_TEXT(fixture_text(newest(&machine, 1, "above"), "label"), "/var");
	machine.part.n = 0;
	pass(&machine, 55);
	CHECK_INT(machine.fixture.n, 1);
	pass(&machine, 6);
	CHECK_TEXT(fixture_text(newest(&machine, 2, "unknown"), "label"), "/var");
	pass(&machine, 100);
	CHECK_INT(machine.fixture.n, 2);
	finish(&machine);
}

TEST(a_label_that_a_reload_leaves_out_is_cleared_as_unknown) {
	struct machine machine;
	init(&machine, "filesystem.inodes_used_percent");
	machine.part.labels[0] = "/var";
	machine.part.values[0] = 95;
	fixture_start(&machine.fixture, INODES);
	pass(&machine, 2);
	newest(&machine, 1, "above");
	fixture_reconfigure(&machine.fixture,
		"[{\"name\": \"i\", \"figure\": \"filesystem.inodes_used_percent\", "
		"\"above\": 90, \"labels\": [\"!/var*\"]}]");
	pass(&machine, 70);
	newest(&machine, 2, "unknown");
	pass(&machine, 70);
	CHECK_INT(machine.fixture.n, 2);
	finish(&machine);
}

TEST(ten_thousand_labels_are_bounded_and_told) {
	struct machine machine;
	struct capability_health state;
	init(&machine, "filesystem.inodes_used_percent");
	machine.part.n = 0;
	machine.part.many = 10000;
	fixture_start(&machine.fixture, INODES);
	pass(&machine, 3);
	source_threshold.health(machine.fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK(strstr(state.reason, "8976 figures are not judged") != NULL);
	machine.part.many = 100; // the others are forgotten, and there is room again
	pass(&machine, 70);
	source_threshold.health(machine.fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	finish(&machine);
}

TEST(many_at_once_are_told_in_portions_and_all) {
	struct machine machine;
	init(&machine, "filesystem.inodes_used_percent");
	machine.part.n = 0;
	machine.part.many = 200;
	machine.part.values[0] = 99;
	fixture_start(&machine.fixture, INODES);
	loop_advance(machine.fixture.fake.loop, SECOND + SECOND / 50);
	CHECK(machine.fixture.n >= 32 && machine.fixture.n < 200);
	pass(&machine, 1);
	CHECK_INT(machine.fixture.n, 200);
	pass(&machine, 10);
	CHECK_INT(machine.fixture.n, 200);
	finish(&machine);
}

TEST(what_the_journal_refused_is_told_later_once) {
	struct machine machine;
	init(&machine, "memory.used_percent");
	fixture_start(&machine.fixture, MEMORY);
	machine.part.values[0] = 99;
	fixture_set_journal(&machine.fixture, false);
	pass(&machine, 30);
	fixture_set_journal(&machine.fixture, true);
	pass(&machine, 30);
	newest(&machine, 1, "above");
	finish(&machine);
}

TEST(two_thresholds_may_judge_one_figure) {
	struct machine machine;
	init(&machine, "memory.used_percent");
	fixture_start(&machine.fixture,
		"[{\"name\": \"a\", \"figure\": \"memory.used_percent\", \"above\": 80, "
		"\"every\": \"30s\"}, "
		"{\"name\": \"b\", \"figure\": \"memory.used_percent\", \"above\": 90, "
		"\"severity\": \"critical\"}, "
		"{\"name\": \"off\", \"figure\": \"memory.used_percent\", \"above\": 1, "
		"\"enabled\": false}]");
	machine.part.values[0] = 85;
	pass(&machine, 2);
	CHECK_STR(newest(&machine, 1, "above")->subject, "a");
	machine.part.values[0] = 95;
	pass(&machine, 2);
	CHECK_TEXT(fixture_text(newest(&machine, 2, "above"), "severity"), "critical");
	pass(&machine, 28);
	CHECK_TEXT(fixture_text(newest(&machine, 3, "above"), "repeat"), "1");
	finish(&machine);
}

TEST(the_meter_shows_all_three_states) {
	struct machine machine;
	struct buf text = BUF_INIT;
	init(&machine, "memory.used_percent");
	machine.part.has_culprit = false;
	fixture_start(&machine.fixture, MEMORY);
	const char *expected[] = {"} 0\n", "} 1\n", "} 2\n"};
	const int64_t seconds[] = {2, 2, 10};
	for (int i = 0; i < 3; i++) {
		machine.part.values[0] = i ? 99 : 10;
		pass(&machine, seconds[i]);
		buf_clear(&text);
		meters_format(machine.fixture.meters, &text);
		CHECK(strstr(buf_text(&text), "anna_threshold_state{threshold=\"m\",label=\"\"") !=
			NULL);
		CHECK(strstr(buf_text(&text), expected[i]) != NULL);
	}
	CHECK_TEXT(fixture_text(newest(&machine, 1, "above"), "culprit"), "");
	buf_finish(&text);
	finish(&machine);
}

TEST(wrong_thresholds_are_refused) {
	static const struct {
		const char *json, *expected;
	} table[] = {
		{"[{\"name\": \"a\", \"figure\": \"m.x\"}]", "either \"above\" or \"below\""},
		{"[{\"name\": \"a\", \"figure\": \"m.x\", \"above\": 1, \"below\": 2}]",
			"either \"above\" or \"below\""},
		{"[{\"name\": \"a\", \"figure\": \"m.x\", \"above\": \"90%\"}]",
			"\"above\" must be a number, not a string"},
		{"[{\"name\": \"a\", \"figure\": \"memory\", \"above\": 1}]", "like memory.used"},
		{"[{\"name\": \"a\", \"figure\": \"m.x\", \"above\": 1, \"severity\": \"bad\"}]",
			"severity"},
		{"[{\"figure\": \"m.x\", \"above\": 1}]", "\"name\""},
	};
	struct machine machine;
	init(&machine, "memory.used_percent");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct buf problems = BUF_INIT;
		CHECK(!fixture_configure(&machine.fixture, table[i].json, &problems));
		CHECK(strstr(buf_text(&problems), table[i].expected) != NULL);
		buf_finish(&problems);
	}
	finish(&machine);
}

TEST(every_built_in_threshold_is_valid) {
	struct machine machine;
	struct problems problems = PROBLEMS_INIT;
	const struct section *section = source_threshold.section;
	init(&machine, "memory.used_percent");
	struct arena *arena = machine.fixture.arena;
	const struct value *items = value_get(
		toml_parse(arena, "built-in", str_from(threshold_presets), &problems),
		STR("thresholds"));
	struct option_reader reader = {.arena = arena, .problems = &problems};
	CHECK(items && items->array.n > 10);
	for (size_t i = 0; i < items->array.n; i++) {
		void *out = arena_alloc(arena, section->size);
		CHECK(fixture_fill(&reader, section, &items->array.items[i], out));
	}
	problems_finish(&problems);
	finish(&machine);
}

int main(void) {
	return TESTS(RUN(a_figure_over_its_limit_for_long_enough_is_told_with_its_culprit),
		RUN(a_reload_neither_restarts_the_time_nor_tells_anything_twice),
		RUN(a_raised_limit_clears_what_was_raised_by_the_old_one),
		RUN(a_threshold_that_is_taken_away_while_raised_is_cleared_as_unknown),
		RUN(a_clock_that_jumps_changes_nothing), RUN(what_is_not_a_number_is_not_measured),
		RUN(a_label_that_vanishes_is_unknown_after_a_minute_and_never_raised),
		RUN(a_label_that_a_reload_leaves_out_is_cleared_as_unknown),
		RUN(ten_thousand_labels_are_bounded_and_told),
		RUN(many_at_once_are_told_in_portions_and_all),
		RUN(what_the_journal_refused_is_told_later_once),
		RUN(two_thresholds_may_judge_one_figure), RUN(the_meter_shows_all_three_states),
		RUN(wrong_thresholds_are_refused), RUN(every_built_in_threshold_is_valid));
}
