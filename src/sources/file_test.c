// SPDX-License-Identifier: Apache-2.0
// The source `file` with real inotify on a real loop: each wait is for something that has already
// happened or surely comes, and bounded.
#include <errno.h>

#include "sources/source_fixture.h"

extern const struct capability source_file;

#define ROUNDS_MAX 2000 // of at most 5 ms

struct machine {
	struct fixture fixture;
	struct loop *loop;
	char watched[80];
};

static void machine_init(struct machine *machine) {
	machine->loop = loop_create(clock_system(), NULL, NULL);
	CHECK(machine->loop != NULL);
	fixture_init(&machine->fixture, machine->loop, &source_file);
	fixture_write(&machine->fixture, "tree/old", "1");
	snprintf(machine->watched, sizeof(machine->watched), "%s/tree", machine->fixture.folder);
}

static void machine_finish(struct machine *machine) {
	struct loop *loop = machine->loop;
	fixture_finish(&machine->fixture);
	loop_destroy(loop);
}

// A watch `w` on the tree, with more members of its table.
static const char *watch_json(const struct machine *machine, const char *more) {
	static char json[512];
	snprintf(json, sizeof(json),
		"[{\"name\": \"w\", \"path\": \"%s\", \"debounce\": \"0s\"%s}]", machine->watched,
		more);
	return json;
}

static void wait_for_jobs(struct machine *machine) {
	for (int i = 0; i < ROUNDS_MAX && jobs_depth(machine->fixture.slow_jobs); i++) {
		loop_step(machine->loop, 5 * NS_PER_MS);
	}
}

static void start_watching(struct machine *machine, const char *json) {
	fixture_start(&machine->fixture, json);
	wait_for_jobs(machine);
	loop_step(machine->loop, 0);
	CHECK_INT(machine->fixture.n, 0);
}

// Until n events have come; then nothing more may be under way.
static void wait_for_events(struct machine *machine, size_t n) {
	for (int i = 0; i < ROUNDS_MAX && machine->fixture.n < n; i++) {
		loop_step(machine->loop, 5 * NS_PER_MS);
	}
	wait_for_jobs(machine);
	CHECK_INT(machine->fixture.n, n);
}

static const struct event *event_at(const struct machine *machine, size_t i) {
	return machine->fixture.events[i];
}

TEST(a_change_becomes_an_event_with_its_attributes) {
	struct machine machine;
	machine_init(&machine);
	start_watching(&machine, watch_json(&machine, ""));
	fixture_write(&machine.fixture, "tree/old", "123");
	wait_for_events(&machine, 1);
	const struct event *event = event_at(&machine, 0);
	CHECK_STR(event->kind, "file.modified");
	CHECK(str_ends(event->subject, STR("/tree/old")));
	CHECK(str_ends(str_from(fixture_text(event, "path")), STR("/tree/old")));
	CHECK_TEXT(fixture_text(event, "watch"), "w");
	CHECK_TEXT(fixture_text(event, "size"), "3");
	CHECK_TEXT(fixture_text(event, "path_bytes"), "");
	machine_finish(&machine);
}

TEST(only_wanted_events_are_told) {
	struct machine machine;
	machine_init(&machine);
	start_watching(&machine, watch_json(&machine, ", \"events\": [\"removed\"]"));
	fixture_write(&machine.fixture, "tree/old", "123");
	fixture_remove_name(machine.fixture.folder, "tree/old");
	wait_for_events(&machine, 1);
	CHECK_STR(event_at(&machine, 0)->kind, "file.removed");
	machine_finish(&machine);
}

TEST(hostile_names_become_clean_text_and_exact_bytes) {
	struct machine machine;
	machine_init(&machine);
	start_watching(&machine, watch_json(&machine, ""));
	fixture_write(&machine.fixture, "tree/a\n\xff\x1b[31m", "");
	wait_for_events(&machine, 1);
	const struct event *event = event_at(&machine, 0);
	CHECK(str_is_utf8(event->subject));
	CHECK(str_ends(event->subject, STR("/a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd[31m")));
	CHECK(str_ends(str_from(fixture_text(event, "path_bytes")), STR("2f610aff1b5b33316d")));
	machine_finish(&machine);
}

TEST(events_the_journal_refused_are_told_later_in_order) {
	struct machine machine;
	machine_init(&machine);
	start_watching(&machine, watch_json(&machine, ""));
	fixture_set_journal(&machine.fixture, false);
	fixture_write(&machine.fixture, "tree/a", "");
	loop_step(machine.loop, 5 * NS_PER_MS);
	wait_for_jobs(&machine);
	fixture_write(&machine.fixture, "tree/b", "");
	loop_step(machine.loop, 0);
	CHECK_INT(machine.fixture.n, 0);
	fixture_set_journal(&machine.fixture, true);
	wait_for_events(&machine, 2);
	CHECK(str_ends(event_at(&machine, 0)->subject, STR("/a")));
	CHECK(str_ends(event_at(&machine, 1)->subject, STR("/b")));
	machine_finish(&machine);
}

TEST(a_flood_is_a_gap_and_what_was_lost_is_found) {
	struct machine machine;
	char name[32];
	machine_init(&machine);
	start_watching(&machine, watch_json(&machine, ", \"events\": [\"modified\"]"));
	FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	int most = 0;
	CHECK(limit && fscanf(limit, "%d", &most) == 1 && fclose(limit) == 0);
	for (int i = 0; i < most && i < 200000; i++) { // the loop does not run: nobody reads
		snprintf(name, sizeof(name), "tree/%d", i % 7);
		fixture_write(&machine.fixture, name, "");
	}
	fixture_write(&machine.fixture, "tree/old", "changed in the flood");
	wait_for_events(&machine, 2);
	CHECK_STR(event_at(&machine, 0)->kind, "source.gap");
	CHECK_TEXT(fixture_text(event_at(&machine, 0), "reason"), "overflow");
	CHECK_TEXT(fixture_text(event_at(&machine, 0), "watch"), "w");
	CHECK_STR(event_at(&machine, 1)->kind, "file.modified");
	CHECK(str_ends(event_at(&machine, 1)->subject, STR("/old")));
	machine_finish(&machine);
}

TEST(a_reload_keeps_a_watch_and_changes_what_it_tells) {
	struct machine machine;
	machine_init(&machine);
	start_watching(&machine, watch_json(&machine, ", \"events\": [\"removed\"]"));
	fixture_write(&machine.fixture, "tree/new", "");
	fixture_reconfigure(&machine.fixture, watch_json(&machine, ", \"events\": [\"created\"]"));
	wait_for_events(&machine, 1); // remembered from before the reload
	CHECK_STR(event_at(&machine, 0)->kind, "file.created");
	fixture_reconfigure(&machine.fixture, "[]");
	fixture_write(&machine.fixture, "tree/newer", "");
	loop_step(machine.loop, 5 * NS_PER_MS);
	CHECK_INT(machine.fixture.n, 1);
	machine_finish(&machine);
}

TEST(a_stop_while_a_job_looks_is_safe) {
	struct machine machine;
	machine_init(&machine);
	fixture_start(&machine.fixture, watch_json(&machine, ""));
	fixture_stop(&machine.fixture); // the first scan comes back after the stop
	wait_for_jobs(&machine);
	machine_finish(&machine);
}

TEST(a_missing_folder_degrades_until_it_is_there) {
	struct machine machine;
	struct capability_health state;
	machine_init(&machine);
	snprintf(machine.watched, sizeof(machine.watched), "%s/not/yet", machine.fixture.folder);
	start_watching(&machine, watch_json(&machine, ""));
	source_file.health(machine.fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK(strstr(state.reason, "w: ") && strstr(state.reason, "not/yet does not exist yet"));
	fixture_write(&machine.fixture, "not/yet", "it is a file");
	wait_for_events(&machine, 1);
	CHECK_STR(event_at(&machine, 0)->kind, "file.created");
	source_file.health(machine.fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	machine_finish(&machine);
}

static void do_nothing(void *arg) {
	(void)arg;
}

TEST(a_watch_nobody_can_look_at_degrades_until_somebody_can) {
	struct machine machine;
	struct capability_health state;
	machine_init(&machine);
	for (int i = 0; i < FIXTURE_SLOW_JOBS; i++) { // done only when the loop runs
		CHECK(jobs_run(machine.fixture.slow_jobs, do_nothing, do_nothing, NULL));
	}
	fixture_start(&machine.fixture, watch_json(&machine, ""));
	source_file.health(machine.fixture.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK_TEXT(state.reason, "w: not looked at: too many wait for paths that do not answer");
	for (int i = 0; i < ROUNDS_MAX && state.state != CAPABILITY_ACTIVE; i++) {
		loop_step(machine.loop, 5 * NS_PER_MS);
		source_file.health(machine.fixture.source, &state);
	}
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	fixture_write(&machine.fixture, "tree/new", "");
	wait_for_events(&machine, 1);
	machine_finish(&machine);
}

TEST(wrong_watches_are_refused) {
	static const struct {
		const char *json, *expected;
	} rows[] = {
		{"[{\"name\": \"a\"}]", "path"},
		{"[{\"name\": \"a\", \"path\": \"x/y\"}]", "\"path\" is an absolute path"},
		{"[{\"name\": \"a\", \"path\": \"/\", \"events\": [\"create\"]}]",
			"not \"create\"; did you mean \"created\"?"},
	};
	struct machine machine;
	machine_init(&machine);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf problems = BUF_INIT;
		CHECK(!fixture_configure(&machine.fixture, rows[i].json, &problems));
		CHECK(strstr(buf_text(&problems), rows[i].expected) != NULL);
		buf_finish(&problems);
	}
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(a_change_becomes_an_event_with_its_attributes),
		RUN(only_wanted_events_are_told),
		RUN(hostile_names_become_clean_text_and_exact_bytes),
		RUN(events_the_journal_refused_are_told_later_in_order),
		RUN(a_flood_is_a_gap_and_what_was_lost_is_found),
		RUN(a_reload_keeps_a_watch_and_changes_what_it_tells),
		RUN(a_stop_while_a_job_looks_is_safe),
		RUN(a_missing_folder_degrades_until_it_is_there),
		RUN(a_watch_nobody_can_look_at_degrades_until_somebody_can),
		RUN(wrong_watches_are_refused));
}
