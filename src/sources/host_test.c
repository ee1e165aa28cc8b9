// SPDX-License-Identifier: Apache-2.0
// The source `host` on a recorded machine, in simulated time.
#include "sources/source_fixture.h"

extern const struct capability source_host;

#define MOUNTS \
	"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / /proc rw - proc proc rw\n" \
	"3 1 0:3 / /data rw - tmpfs t rw\n"

static void machine_init(struct fixture *machine) {
	fixture_init(machine, NULL, &source_host);
	machine->services.sysroot = machine->folder;
	fixture_write(machine, "proc/stat", "cpu0 1 2 3 4\nbtime 7\n");
	fixture_write(machine, "proc/loadavg", "1.5 2 3 1/2 3\n");
	fixture_write(machine, "proc/meminfo", "MemTotal: 2 kB\n");
	fixture_write(machine, "proc/net/dev", "lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
	fixture_write(machine, "proc/self/mountinfo", MOUNTS);
	fixture_write(machine, "statfs", "/ 1 1000 500 500 9 8\n/data 1 1000 500 500 9 8\n");
}

static void machine_start(struct fixture *machine, const char *json) {
	fixture_start(machine, json);
	loop_advance(machine->fake.loop, NS_PER_SECOND);
}

// Rewrites the answers and lets two ticks pass: one to ask, one to be sure.
static void set_used(struct fixture *machine, int root, int data) {
	char text[128];
	snprintf(text, sizeof(text), "/ 1 1000 %d %d 9 8\n/data 1 1000 %d %d 9 8\n", 1000 - root,
		1000 - root, 1000 - data, 1000 - data);
	fixture_write(machine, "statfs", text);
	loop_advance(machine->fake.loop, 2 * NS_PER_SECOND);
}

static bool has_line(struct fixture *machine, const char *line) {
	struct buf text = BUF_INIT;
	meters_format(machine->meters, &text);
	bool has = str_find(buf_str(&text), str_from(line)) >= 0;
	buf_finish(&text);
	return has;
}

static void check_event(
	const struct event *event, const char *mount, const char *state, const char *used) {
	CHECK_STR(event->kind, "host.filesystem");
	CHECK_STR(event->subject, mount);
	CHECK_TEXT(fixture_text(event, "mount"), mount);
	CHECK_TEXT(fixture_text(event, "state"), state);
	CHECK_TEXT(fixture_text(event, "used_percent"), used);
}

TEST(numbers_of_the_machine_are_on_metrics) {
	struct fixture machine;
	machine_init(&machine);
	machine_start(&machine, "{}");
	CHECK(has_line(&machine, "\nnode_load1 1.5\n"));
	CHECK(has_line(&machine, "\nnode_memory_MemTotal_bytes 2048\n"));
	CHECK(has_line(&machine, "\nnode_network_receive_errs_total{device=\"lo\"} 3\n"));
	CHECK(has_line(&machine,
		"\nnode_filesystem_size_bytes{device=\"t\",fstype=\"tmpfs\","
		"mountpoint=\"/data\"} 1000\n"));
	CHECK(has_line(&machine, "\nnode_time_seconds "));
	CHECK(!has_line(&machine, "mountpoint=\"/proc\""));
	fixture_finish(&machine);
}

TEST(a_threshold_is_told_once_up_and_once_down) {
	struct fixture machine;
	machine_init(&machine);
	machine_start(&machine, "{}");
	CHECK_INT(machine.n, 0);
	set_used(&machine, 500, 905);
	set_used(&machine, 500, 860);
	set_used(&machine, 500, 950);
	CHECK_INT(machine.n, 1);
	check_event(machine.events[0], "/data", "above", "90.5");
	CHECK_TEXT(fixture_text(machine.events[0], "threshold"), "90");
	CHECK_TEXT(fixture_text(machine.events[0], "avail_bytes"), "95");
	set_used(&machine, 500, 849);
	CHECK_INT(machine.n, 2);
	check_event(machine.events[1], "/data", "below", "84.9");
	fixture_finish(&machine);
}

TEST(a_mount_that_is_full_at_start_is_told) {
	struct fixture machine;
	machine_init(&machine);
	fixture_write(&machine, "statfs", "/ 1 1000 10 10 9 8\n");
	machine_start(&machine, "{}");
	CHECK_INT(machine.n, 1);
	check_event(machine.events[0], "/", "above", "99");
	fixture_finish(&machine);
}

TEST(a_mount_may_have_its_own_threshold) {
	struct fixture machine;
	machine_init(&machine);
	machine_start(&machine,
		"{\"filesystems\": [{\"mount\": \"/data\", \"used_percent\": 40},"
		" {\"mount\": \"/\", \"used_percent\": 0}]}");
	set_used(&machine, 999, 500);
	CHECK_INT(machine.n, 1);
	check_event(machine.events[0], "/data", "above", "50");
	fixture_finish(&machine);
}

TEST(a_crossing_the_journal_refused_is_told_later) {
	struct fixture machine;
	machine_init(&machine);
	machine_start(&machine, "{}");
	fixture_set_journal(&machine, false);
	set_used(&machine, 950, 500);
	CHECK_INT(machine.n, 0);
	fixture_set_journal(&machine, true);
	loop_advance(machine.fake.loop, 2 * NS_PER_SECOND);
	CHECK_INT(machine.n, 1);
	fixture_finish(&machine);
}

TEST(a_vanished_mount_is_forgotten_and_told_anew) {
	struct fixture machine;
	machine_init(&machine);
	machine_start(&machine, "{}");
	set_used(&machine, 500, 950);
	fixture_write(&machine, "proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/a rw\n");
	loop_advance(machine.fake.loop, 2 * NS_PER_SECOND);
	CHECK(!has_line(&machine, "mountpoint=\"/data\""));
	fixture_write(&machine, "proc/self/mountinfo", MOUNTS);
	loop_advance(machine.fake.loop, 3 * NS_PER_SECOND);
	CHECK_INT(machine.n, 2);
	fixture_finish(&machine);
}

TEST(a_reload_keeps_what_is_above) {
	struct fixture machine;
	machine_init(&machine);
	machine_start(&machine, "{}");
	set_used(&machine, 500, 950);
	fixture_reconfigure(&machine, "{\"filesystem_used_percent\": 80, \"interval\": \"2s\"}");
	loop_advance(machine.fake.loop, 10 * NS_PER_SECOND);
	CHECK_INT(machine.n, 1);
	fixture_finish(&machine);
}

TEST(an_unreadable_file_degrades_and_its_numbers_are_absent) {
	struct fixture machine;
	struct capability_health state;
	machine_init(&machine);
	machine_start(&machine, "{}");
	source_host.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	fixture_remove_name(machine.folder, "proc/meminfo");
	loop_advance(machine.fake.loop, 2 * NS_PER_SECOND);
	source_host.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK(strstr(state.reason, "/proc/meminfo") != NULL);
	CHECK(!has_line(&machine, "node_memory_"));
	CHECK(has_line(&machine, "\nnode_load1 1.5\n"));
	fixture_finish(&machine);
}

TEST(a_damaged_file_system_is_reported_and_the_others_go_on) {
	struct fixture machine;
	struct capability_health state;
	machine_init(&machine);
	machine_start(&machine, "{}");
	fixture_write(&machine, "statfs", "/ broken\n/data 1 1000 50 50 9 8\n");
	loop_advance(machine.fake.loop, 2 * NS_PER_SECOND);
	source_host.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK_TEXT(state.reason, "/ (ext4) cannot be read: Input/output error");
	CHECK(has_line(&machine,
		"node_filesystem_device_error{device=\"/dev/a\",fstype=\"ext4\","
		"mountpoint=\"/\"} 1\n"));
	CHECK(!has_line(&machine, "node_filesystem_size_bytes{device=\"/dev/a\""));
	CHECK_INT(machine.n, 1);
	fixture_finish(&machine);
}

struct search {
	const char *name, *label;
	double value;
	size_t n;
};

static void on_figure(void *arg, const struct figure *figure) {
	struct search *search = arg;
	if (strcmp(figure->name, search->name) == 0 && strcmp(figure->label, search->label) == 0) {
		search->value = figure->value;
		search->n++;
	}
}

static double figure_of(struct fixture *machine, const char *name, const char *label) {
	struct search search = {name, label, -1, 0};
	board_each_figure(machine->board, on_figure, &search);
	CHECK(search.n <= 1);
	return search.value;
}

TEST(figures_of_the_machine_are_on_the_board) {
	struct fixture machine;
	machine_init(&machine);
	machine_start(&machine, "{}");
	set_used(&machine, 500, 750);
	CHECK_DOUBLE(figure_of(&machine, "filesystem.used_percent", "/data"), 75);
	CHECK_DOUBLE(figure_of(&machine, "filesystem.inodes_used_percent", "/data"), 100 * 1.0 / 9);
	CHECK_DOUBLE(figure_of(&machine, "filesystem.readonly", "/data"), 0);
	CHECK_DOUBLE(figure_of(&machine, "network.rx_bytes_per_second", "lo"), 0);
	CHECK_DOUBLE(figure_of(&machine, "memory.used_percent", ""), -1); // not told: absent
	fixture_stop(&machine);
	CHECK_DOUBLE(figure_of(&machine, "filesystem.used_percent", "/data"), -1);
	fixture_finish(&machine);
}

TEST(a_mount_that_turned_readonly_is_told_and_one_that_always_was_is_not) {
	struct fixture machine;
	machine_init(&machine);
	fixture_write(&machine, "proc/self/mountinfo",
		"1 0 8:1 / / rw - ext4 /dev/a rw\n3 1 0:3 / /data ro - tmpfs t ro\n");
	machine_start(&machine, "{}");
	CHECK_DOUBLE(figure_of(&machine, "filesystem.readonly", "/"), 0);
	CHECK_DOUBLE(figure_of(&machine, "filesystem.readonly", "/data"), 0);
	fixture_write(&machine, "proc/self/mountinfo",
		"1 0 8:1 / / rw - ext4 /dev/a rw,emergency_ro\n"
		"3 1 0:3 / /data ro - tmpfs t ro\n");
	loop_advance(machine.fake.loop, 11 * NS_PER_SECOND);
	CHECK_DOUBLE(figure_of(&machine, "filesystem.readonly", "/"), 1);
	CHECK_DOUBLE(figure_of(&machine, "filesystem.readonly", "/data"), 0);
	CHECK(has_line(&machine,
		"node_filesystem_readonly{device=\"/dev/a\",fstype=\"ext4\",mountpoint=\"/\"} "
		"1\n"));
	fixture_finish(&machine);
}

TEST(the_culprit_of_a_labelled_figure_is_its_label) {
	static const struct {
		const char *name, *label, *kind;
	} rows[] = {{"disk.busy_percent", "sda", "device"}, {"filesystem.readonly", "/", "mount"},
		{"network.errors_per_second", "eth0", "interface"}, {"cpu.used_percent", "", NULL},
		{"processes.blocked", "x", NULL}};
	struct fixture machine;
	struct culprit culprit;
	machine_init(&machine);
	machine_start(&machine, "{}");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct figure figure = {rows[i].name, rows[i].label, "percent", 97};
		bool is_known = board_find_culprit(machine.board, &figure, &culprit);
		CHECK_INT(is_known, rows[i].kind != NULL);
		if (is_known) {
			CHECK_TEXT(culprit.kind, rows[i].kind);
			CHECK_TEXT(culprit.name, rows[i].label);
			CHECK_DOUBLE(culprit.value, 97);
			CHECK_TEXT(culprit.value_unit, "percent");
		}
	}
	fixture_finish(&machine);
}

TEST(in_a_simulation_the_real_machine_is_not_read) {
	struct fixture machine;
	struct capability_health state;
	machine_init(&machine);
	machine.services.sysroot = "";
	machine_start(&machine, "{}");
	fixture_reconfigure(&machine, "{\"interval\": \"2s\"}");
	CHECK(has_line(&machine, "node_time_seconds "));
	CHECK(!has_line(&machine, "node_load1"));
	CHECK_DOUBLE(figure_of(&machine, "load.per_cpu", ""), -1);
	source_host.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	fixture_finish(&machine);
}

TEST(a_collector_named_twice_is_refused_with_its_name) {
	struct fixture machine;
	struct buf problems = BUF_INIT;
	machine_init(&machine);
	CHECK(!fixture_configure(
		&machine, "{\"collectors\": [{\"name\": \"os\"}, {\"name\": \"os\"}]}", &problems));
	CHECK(str_find(buf_str(&problems), STR("names os twice")) >= 0);
	buf_clear(&problems);
	CHECK(!fixture_configure(
		&machine, "{\"collectors\": [{\"name\": \"hwmonn\"}]}", &problems));
	CHECK(str_find(buf_str(&problems), STR("did you mean \"hwmon\"")) >= 0);
	buf_finish(&problems);
	fixture_finish(&machine);
}

static void do_nothing(void *arg) {
	(void)arg;
}

TEST(file_systems_nobody_can_ask_degrade_until_somebody_can) {
	struct fixture machine;
	struct capability_health state;
	machine_init(&machine);
	for (int i = 0; i < FIXTURE_SLOW_JOBS; i++) {
		CHECK(jobs_run(machine.slow_jobs, do_nothing, do_nothing, NULL));
	}
	fixture_start(&machine, "{}");
	source_host.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK_TEXT(state.reason,
		"file systems are not asked: too many wait for paths that do not answer");
	loop_advance(machine.fake.loop, 2 * NS_PER_SECOND);
	source_host.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	CHECK(has_line(&machine,
		"\nnode_filesystem_size_bytes{device=\"t\",fstype=\"tmpfs\","
		"mountpoint=\"/data\"} 1000\n"));
	fixture_finish(&machine);
}

TEST(a_stop_with_a_question_under_way_is_safe) {
	struct fixture machine;
	machine_init(&machine);
	fixture_start(&machine, "{}");
	fixture_finish(&machine); // the job comes back after the stop
}

int main(void) {
	return TESTS(RUN(numbers_of_the_machine_are_on_metrics),
		RUN(a_threshold_is_told_once_up_and_once_down),
		RUN(a_mount_that_is_full_at_start_is_told), RUN(a_mount_may_have_its_own_threshold),
		RUN(a_crossing_the_journal_refused_is_told_later),
		RUN(a_vanished_mount_is_forgotten_and_told_anew), RUN(a_reload_keeps_what_is_above),
		RUN(an_unreadable_file_degrades_and_its_numbers_are_absent),
		RUN(a_damaged_file_system_is_reported_and_the_others_go_on),
		RUN(figures_of_the_machine_are_on_the_board),
		RUN(a_mount_that_turned_readonly_is_told_and_one_that_always_was_is_not),
		RUN(the_culprit_of_a_labelled_figure_is_its_label),
		RUN(in_a_simulation_the_real_machine_is_not_read),
		RUN(a_collector_named_twice_is_refused_with_its_name),
		RUN(file_systems_nobody_can_ask_degrade_until_somebody_can),
		RUN(a_stop_with_a_question_under_way_is_safe));
}
