// SPDX-License-Identifier: Apache-2.0
// The source `processes` on a recorded machine, in simulated time.
#include <math.h>

#include "sources/processes.h"
#include "sources/source_fixture.h"

extern const struct capability source_processes;

struct recorded {
	int pid, parent;
	const char *name, *state;
	int ticks, threads, start, pages;
};

static void put(struct fixture *machine, struct recorded process, const char *cgroup) {
	char path[64], text[512];
	snprintf(path, sizeof(path), "proc/%d/stat", process.pid);
	snprintf(text, sizeof(text),
		"%d (%s) %s %d 0 0 0 -1 0 0 0 0 0 %d 0 0 0 20 0 %d 0 %d 1000 %d 0\n", process.pid,
		process.name, process.state, process.parent, process.ticks, process.threads,
		process.start, process.pages);
	fixture_write(machine, path, text);
	if (cgroup) {
		snprintf(path, sizeof(path), "proc/%d/cgroup", process.pid);
		snprintf(text, sizeof(text), "0::%s\n", cgroup);
		fixture_write(machine, path, text);
	}
}

static void put_file(struct fixture *machine, int pid, const char *name, const char *text) {
	char path[64];
	snprintf(path, sizeof(path), "proc/%d/%s", pid, name);
	fixture_write(machine, path, text);
}

static void put_io(struct fixture *machine, int pid, int read, int written) {
	char text[128];
	snprintf(text, sizeof(text), "read_bytes: %d\nwrite_bytes: %d\n", read, written);
	put_file(machine, pid, "io", text);
}

static void set_time(struct fixture *machine, const char *uptime, const char *cpu) {
	fixture_write(machine, "proc/uptime", uptime);
	fixture_write(machine, "proc/stat", cpu);
}

static void machine_begin(struct fixture *machine) {
	fixture_init(machine, NULL, &source_processes);
	machine->services.sysroot = machine->folder;
	set_time(machine, "100.00 0\n", "cpu 0 0 0 1000 0\ncpu0 1\ncpu1 1\n");
	fixture_write(machine, "proc/meminfo",
		"MemTotal: 1000 kB\nMemAvailable: 400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
	fixture_write(machine, "proc/sys/kernel/pid_max", "1000\n");
	fixture_write(machine, "proc/sys/kernel/threads-max", "400\n");
	fixture_write(machine, "etc/passwd", "root:x:0:0::/root:/bin/sh\nwww:x:33:33::/:/bin/sh\n");
	put(machine, (struct recorded){1, 0, "systemd", "S", 100, 1, 0, 10}, "/init.scope");
}

// Two looks a second apart, with this in between.
static void pass(struct fixture *machine) {
	loop_advance(machine->fake.loop, 1200 * NS_PER_MS);
}

static const struct value *view(struct fixture *machine) {
	struct json_writer w;
	static struct buf text = BUF_INIT;
	buf_clear(&text);
	json_writer_init(&w, &text);
	CHECK(board_write_view(machine->board, "top", &w, NULL));
	const struct value *value = json_parse(machine->arena, buf_str(&text), 16, NULL);
	CHECK(value != NULL);
	return value;
}

static const struct value *at(const struct value *list, size_t i) {
	CHECK(list && list->type == VALUE_ARRAY);
	return i < list->array.n ? &list->array.items[i] : NULL;
}

static const struct value *top(struct fixture *machine, const char *list, size_t i) {
	return at(value_get(view(machine), str_from(list)), i);
}

static const char *text_of(const struct value *table, const char *key) {
	static struct buf text = BUF_INIT;
	const struct value *value = value_get(table, str_from(key));
	buf_clear(&text);
	if (value && value->type == VALUE_STRING) {
		buf_append_str(&text, value->string);
	} else if (value) {
		json_format(&text, value);
	}
	return buf_text(&text);
}

static bool blame(struct fixture *machine, const char *figure, struct culprit *out) {
	return board_find_culprit(machine->board, &(struct figure){figure, "", "percent", 90}, out);
}

TEST(the_busiest_process_is_named_with_its_unit_and_share) {
	struct fixture machine;
	struct culprit culprit;
	machine_begin(&machine);
	struct recorded burner = {50, 1, "ffmpeg", "R", 1000, 4, 500, 20};
	put(&machine, burner, "/system.slice/render.service");
	put_file(&machine, 50, "cmdline", "/usr/bin/ffmpeg");
	put_file(&machine, 50, "status", "Uid:\t33\t33\t33\t33\n");
	fixture_start(&machine, "{}");
	loop_advance(machine.fake.loop, 500 * NS_PER_MS);
	CHECK(!blame(&machine, "cpu.used_percent", &culprit)); // one look says nothing of rates
	burner.ticks += 150;
	put(&machine, burner, NULL);
	set_time(&machine, "101.00 0\n", "cpu 80 0 3 1017 0\ncpu0 1\ncpu1 1\n");
	pass(&machine);
	CHECK(blame(&machine, "cpu.used_percent", &culprit));
	CHECK_TEXT(culprit.kind, "process");
	CHECK_TEXT(culprit.name, "ffmpeg");
	CHECK_TEXT(culprit.unit, "render.service");
	CHECK_TEXT(culprit.value_unit, "percent");
	CHECK_INT(culprit.pid, 50);
	CHECK_INT((int)(culprit.value + 0.5), 75);
	CHECK(blame(&machine, "temperature.celsius", &culprit) && culprit.pid == 50);
	CHECK(blame(&machine, "load.per_cpu", &culprit) && culprit.pid == 50);
	CHECK(blame(&machine, "memory.used_percent", &culprit) && culprit.pid == 50);
	CHECK_INT(culprit.value, 20 * sysconf(_SC_PAGESIZE));
	const struct value *first = top(&machine, "by_cpu", 0);
	CHECK_TEXT(text_of(first, "command"), "/usr/bin/ffmpeg");
	CHECK_TEXT(text_of(first, "user"), "www");
	CHECK_TEXT(text_of(first, "threads"), "4");
	CHECK_TEXT(text_of(first, "age_s"), "96");
	CHECK_TEXT(text_of(value_get(view(&machine), STR("cpu")), "busy_percent"), "83");
	CHECK_TEXT(text_of(top(&machine, "units", 0), "unit"), "render.service");
	CHECK_TEXT(text_of(top(&machine, "units", 0), "processes"), "1");
	fixture_finish(&machine);
}

TEST(a_pid_that_came_again_is_another_process) {
	struct fixture machine;
	machine_begin(&machine);
	put(&machine, (struct recorded){50, 1, "old", "S", 5000, 1, 500, 20},
		"/system.slice/a.service");
	fixture_start(&machine, "{}");
	loop_advance(machine.fake.loop, 500 * NS_PER_MS);
	// Began at 100.50 s, after the first look at 100.00 s: all it used, it used since.
	put(&machine, (struct recorded){50, 1, "new", "R", 30, 1, 10050, 20},
		"/system.slice/b.service");
	pass(&machine);
	const struct value *first = top(&machine, "by_cpu", 0);
	CHECK_TEXT(text_of(first, "name"), "new");
	CHECK_TEXT(text_of(first, "unit"), "b.service");
	CHECK_INT((int)(strtod(text_of(first, "cpu_percent"), NULL) + 0.5), 30);
	fixture_finish(&machine);
}

TEST(what_an_old_process_used_before_it_was_seen_is_not_told_as_now) {
	struct fixture machine;
	machine_begin(&machine);
	fixture_start(&machine, "{}");
	loop_advance(machine.fake.loop, 500 * NS_PER_MS);
	put(&machine, (struct recorded){50, 1, "late", "R", 5000, 1, 20, 20}, NULL);
	pass(&machine);
	CHECK(top(&machine, "by_cpu", 0) == NULL);
	CHECK_TEXT(text_of(top(&machine, "by_memory", 0), "name"), "late");
	CHECK_TEXT(text_of(top(&machine, "by_memory", 0), "cpu_percent"), "");
	fixture_finish(&machine);
}

TEST(one_that_ends_between_the_listing_and_the_reading_was_never_there) {
	struct fixture machine;
	machine_begin(&machine);
	fixture_write(&machine, "proc/60/comm", "ended\n"); // a folder without a stat
	fixture_write(&machine, "proc/61/stat", "62 (other) S 1");
	fixture_write(&machine, "proc/self/stat", "not a process\n");
	fixture_start(&machine, "{}");
	pass(&machine);
	const struct value *counts = value_get(view(&machine), STR("counts"));
	CHECK_TEXT(text_of(counts, "sleeping"), "1");
	CHECK(top(&machine, "by_memory", 1) == NULL);
	fixture_finish(&machine);
}

TEST(io_that_may_not_be_read_is_absent_and_accuses_nobody) {
	struct fixture machine;
	struct culprit culprit;
	machine_begin(&machine);
	put(&machine, (struct recorded){50, 1, "mine", "S", 0, 1, 500, 20}, NULL);
	put_io(&machine, 50, 0, 0);
	fixture_start(&machine, "{}");
	loop_advance(machine.fake.loop, 500 * NS_PER_MS);
	put_io(&machine, 50, 1000000, 3000000);
	pass(&machine);
	const struct value *first = top(&machine, "by_io", 0);
	CHECK_TEXT(text_of(first, "name"), "mine");
	double written = strtod(text_of(first, "write_bytes_per_second"), NULL);
	CHECK(written > 2.9e6 && written < 3.1e6);
	CHECK_TEXT(text_of(top(&machine, "by_memory", 1), "name"), "systemd");
	CHECK_TEXT(text_of(top(&machine, "by_memory", 1), "read_bytes_per_second"), "");
	CHECK_TEXT(text_of(value_get(view(&machine), STR("counts")), "io_unknown"), "1");
	CHECK(!blame(&machine, "disk.busy_percent", &culprit));
	fixture_finish(&machine);
}

TEST(a_disk_is_kept_busy_by_whom_the_io_shows_or_by_who_waits_for_it) {
	struct fixture machine;
	struct culprit culprit;
	machine_begin(&machine);
	put_io(&machine, 1, 0, 0);
	put(&machine, (struct recorded){50, 1, "backup", "D", 0, 1, 500, 20},
		"/system.slice/backup.service");
	fixture_start(&machine, "{}");
	loop_advance(machine.fake.loop, 500 * NS_PER_MS);
	CHECK(blame(&machine, "disk.busy_percent", &culprit) && culprit.pid == 50);
	CHECK(isnan(culprit.value)); // its share is not known
	CHECK(blame(&machine, "pressure.io_some_percent", &culprit) && culprit.pid == 50);
	CHECK(blame(&machine, "load.per_cpu", &culprit) && culprit.pid == 50);
	CHECK(blame(&machine, "processes.blocked", &culprit) && culprit.pid == 50);
	put_io(&machine, 50, 0, 0);
	pass(&machine);
	put_io(&machine, 1, 9000000, 0);
	loop_advance(machine.fake.loop, 6 * NS_PER_SECOND);
	CHECK(blame(&machine, "disk.busy_percent", &culprit) && culprit.pid == 1);
	CHECK_TEXT(culprit.value_unit, "bytes_per_second");
	fixture_finish(&machine);
}

TEST(zombies_are_the_fault_of_the_parent_with_most_of_them) {
	struct fixture machine;
	struct culprit culprit;
	machine_begin(&machine);
	put(&machine, (struct recorded){50, 1, "careless", "S", 0, 1, 500, 20},
		"/system.slice/c.service");
	put(&machine, (struct recorded){51, 1, "z", "Z", 0, 1, 500, 0}, NULL);
	put(&machine, (struct recorded){52, 50, "z", "Z", 0, 1, 500, 0}, NULL);
	put(&machine, (struct recorded){53, 50, "z", "Z", 0, 1, 500, 0}, NULL);
	fixture_start(&machine, "{}");
	pass(&machine);
	CHECK(blame(&machine, "processes.zombies", &culprit));
	CHECK_TEXT(culprit.name, "careless");
	CHECK_TEXT(culprit.unit, "c.service");
	CHECK_DOUBLE(culprit.value, 2);
	CHECK_TEXT(culprit.value_unit, "zombies");
	fixture_finish(&machine);
}

static void take_figure(void *arg, const struct figure *figure) {
	struct buf *out = arg;
	buf_appendf(out, "%s %g %s\n", figure->name, figure->value, figure->unit);
}

TEST(figures_and_metrics_are_counted) {
	struct fixture machine;
	struct culprit culprit;
	struct buf text = BUF_INIT;
	machine_begin(&machine);
	put(&machine, (struct recorded){50, 1, "pool", "S", 0, 99, 500, 20},
		"/system.slice/pool.service");
	put(&machine, (struct recorded){51, 1, "io", "D", 0, 20, 500, 20}, NULL);
	fixture_start(&machine, "{}");
	pass(&machine);
	board_each_figure(machine.board, take_figure, &text);
	CHECK_TEXT(buf_text(&text),
		"processes.count 3 \nprocesses.blocked 1 \nprocesses.zombies 0 \n"
		"processes.of_limit_percent 30 percent\n");
	CHECK(blame(&machine, "processes.of_limit_percent", &culprit));
	CHECK_TEXT(culprit.kind, "unit");
	CHECK_TEXT(culprit.name, "pool.service");
	CHECK_DOUBLE(culprit.value, 99);
	buf_clear(&text);
	meters_format(machine.meters, &text);
	CHECK(strstr(buf_text(&text), "\nnode_processes_max_processes 1000\n") != NULL);
	CHECK(strstr(buf_text(&text), "\nnode_processes_max_threads 400\n") != NULL);
	CHECK(strstr(buf_text(&text), "\nnode_processes_pids 3\n") != NULL);
	CHECK(strstr(buf_text(&text), "\nnode_processes_threads 120\n") != NULL);
	CHECK(strstr(buf_text(&text), "\nnode_processes_state{state=\"S\"} 2\n") != NULL);
	CHECK(strstr(buf_text(&text), "\nnode_processes_state{state=\"D\"} 1\n") != NULL);
	CHECK(strstr(buf_text(&text), "state=\"Z\"") == NULL);
	buf_finish(&text);
	fixture_finish(&machine);
}

TEST(names_made_to_mislead_stay_text) {
	struct fixture machine;
	machine_begin(&machine);
	put(&machine, (struct recorded){50, 1, "a b) R 1", "S", 0, 1, 500, 30},
		"/x.slice/\033c.service");
	put(&machine, (struct recorded){51, 1, "\n\033[2J\xff", "S", 0, 1, 500, 20}, NULL);
	put_file(&machine, 50, "cmdline", "evil\nroot 1 0\033]0;x\007");
	fixture_start(&machine, "{}");
	pass(&machine);
	const struct value *first = top(&machine, "by_memory", 0);
	CHECK_TEXT(text_of(first, "name"), "a b) R 1");
	CHECK_TEXT(text_of(first, "unit"),
		"\xef\xbf\xbd"
		"c.service");
	CHECK_TEXT(
		text_of(first, "command"), "evil\xef\xbf\xbdroot 1 0\xef\xbf\xbd]0;x\xef\xbf\xbd");
	CHECK_TEXT(text_of(top(&machine, "by_memory", 1), "name"),
		"\xef\xbf\xbd\xef\xbf\xbd[2J\xef\xbf\xbd");
	fixture_finish(&machine);
}

static void do_nothing(void *arg) {
	(void)arg;
}

TEST(an_old_picture_accuses_nobody) {
	struct fixture machine;
	struct culprit culprit;
	machine_begin(&machine);
	put(&machine, (struct recorded){50, 1, "x", "S", 0, 1, 500, 20}, NULL);
	fixture_start(&machine, "{}");
	pass(&machine);
	CHECK(blame(&machine, "memory.used_percent", &culprit));
	while (jobs_run(machine.jobs, do_nothing, do_nothing, NULL)) {
		// until the pool is full: no gather can begin
	}
	fake_clock_advance(&machine.fake.clock, 20 * NS_PER_SECOND);
	loop_step(machine.fake.loop, 0);
	CHECK(!blame(&machine, "memory.used_percent", &culprit));
	fixture_finish(&machine);
}

TEST(hidden_processes_degrade_and_only_a_majority_is_accused) {
	struct fixture machine;
	struct culprit culprit;
	struct capability_health state;
	machine_begin(&machine);
	fixture_remove_name(machine.folder, "proc/1");
	put(&machine, (struct recorded){50, 1, "mine", "S", 0, 1, 500, 20}, NULL);
	fixture_start(&machine, "{}");
	loop_advance(machine.fake.loop, 500 * NS_PER_MS);
	put(&machine, (struct recorded){50, 1, "mine", "S", 10, 1, 500, 20}, NULL);
	set_time(&machine, "101.00 0\n", "cpu 200 0 0 1000 0\ncpu0 1\ncpu1 1\n");
	pass(&machine);
	source_processes.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK(strstr(state.reason, "hidepid") != NULL);
	CHECK(!blame(&machine, "cpu.used_percent", &culprit));
	CHECK(!blame(&machine, "memory.used_percent", &culprit));
	fixture_finish(&machine);
}

TEST(a_machine_without_processes_says_so) {
	struct fixture machine;
	struct capability_health state;
	machine_begin(&machine);
	fixture_remove_name(machine.folder, "proc");
	fixture_start(&machine, "{}");
	pass(&machine);
	source_processes.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK_TEXT(state.reason, "no process is to be seen in /proc");
	fixture_finish(&machine);
}

TEST(thousands_of_processes_are_looked_at_in_steps) {
	struct fixture machine;
	machine_begin(&machine);
	for (int pid = 100; pid < 2250; pid++) {
		put(&machine, (struct recorded){pid, 1, "x", "S", 0, 1, 500, 1}, NULL);
	}
	struct walk walk;
	walk_init(&walk, &machine.fake.clock.clock, machine.folder);
	CHECK(!walk_step(&walk)); // the rest comes later, so that others have the thread
	CHECK(walk.n > 1000 && walk.n < 2151);
	CHECK(walk_step(&walk));
	CHECK_INT(walk.n, 2151);
	walk_finish(&walk);
	fixture_start(&machine, "{\"top\": 3}");
	loop_advance(machine.fake.loop, NS_PER_SECOND);
	const struct value *all = view(&machine);
	CHECK_TEXT(text_of(value_get(all, STR("counts")), "processes"), "2151");
	CHECK_TEXT(text_of(value_get(all, STR("counts")), "sleeping"), "2151");
	CHECK(at(value_get(all, STR("by_memory")), 3) == NULL);
	fixture_finish(&machine);
}

// Jobs that hang until the loop beside is advanced.
struct stuck {
	struct fake_loop fake;
	struct jobs *jobs;
};

static void stuck_init(struct stuck *stuck) {
	fake_loop_init(&stuck->fake, 1);
	stuck->jobs = jobs_create(stuck->fake.loop, 1, 4);
}

static void stuck_finish(struct stuck *stuck) {
	CHECK(jobs_destroy(stuck->jobs));
	fake_loop_finish(&stuck->fake);
}

TEST(io_that_cannot_be_read_is_missing_and_the_rest_goes_on) {
	struct fixture machine;
	struct stuck stuck;
	struct capability_health state;
	machine_begin(&machine);
	put(&machine, (struct recorded){50, 1, "x", "S", 0, 1, 500, 20}, NULL);
	put_file(&machine, 50, "cmdline", "/bin/x");
	stuck_init(&stuck);
	fixture_start(&machine, "{}");
	machine.services.slow_jobs = stuck.jobs; // the walk has begun; the look comes here
	loop_advance(machine.fake.loop, 2 * NS_PER_SECOND);
	machine.services.slow_jobs = machine.slow_jobs;
	CHECK(!board_write_view(machine.board, "top", NULL, NULL)); // waits for the look
	loop_advance(machine.fake.loop, 2 * NS_PER_SECOND);
	CHECK_TEXT(text_of(top(&machine, "by_memory", 0), "name"), "x");
	CHECK_TEXT(text_of(top(&machine, "by_memory", 0), "command"), "");
	source_processes.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK(strstr(state.reason, "I/O and commands are missing") != NULL);
	loop_advance(machine.fake.loop, 20 * NS_PER_SECOND);
	CHECK_INT(jobs_depth(stuck.jobs), 1); // one is lost, never more
	loop_advance(stuck.fake.loop, NS_PER_SECOND);
	source_processes.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	loop_advance(machine.fake.loop, 20 * NS_PER_SECOND);
	CHECK_TEXT(text_of(top(&machine, "by_memory", 0), "command"), "/bin/x");
	fixture_finish(&machine);
	stuck_finish(&stuck);
}

TEST(a_walk_that_hangs_is_left_behind_once) {
	struct fixture machine;
	struct stuck stuck;
	struct capability_health state;
	machine_begin(&machine);
	stuck_init(&stuck);
	machine.services.slow_jobs = stuck.jobs;
	fixture_start(&machine, "{}");
	loop_advance(machine.fake.loop, 2 * NS_PER_SECOND);
	CHECK_INT(jobs_depth(stuck.jobs), 1);
	loop_advance(machine.fake.loop, 20 * NS_PER_SECOND);
	CHECK_INT(jobs_depth(stuck.jobs), 2); // a second try, and no third
	source_processes.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	machine.services.slow_jobs = machine.slow_jobs;
	loop_advance(stuck.fake.loop, NS_PER_SECOND);
	loop_advance(machine.fake.loop, 10 * NS_PER_SECOND);
	CHECK_TEXT(text_of(top(&machine, "by_memory", 0), "name"), "systemd");
	source_processes.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_ACTIVE);
	machine.services.slow_jobs = stuck.jobs;
	loop_advance(machine.fake.loop, 20 * NS_PER_SECOND);
	CHECK_INT(jobs_depth(stuck.jobs), 2);
	fixture_stop(&machine); // with both on their way
	loop_advance(stuck.fake.loop, NS_PER_SECOND);
	fixture_finish(&machine);
	stuck_finish(&stuck);
}

TEST(a_stop_is_safe_in_every_step) {
	for (int ms = 0; ms < 12; ms++) {
		struct fixture machine;
		machine_begin(&machine);
		fixture_start(&machine, "{}");
		loop_advance(machine.fake.loop, ms * NS_PER_MS / 4);
		fixture_stop(&machine);
		fixture_finish(&machine);
	}
}

TEST(whoever_watches_sees_something_new_every_second) {
	struct fixture machine;
	machine_begin(&machine);
	fixture_start(&machine, "{}");
	loop_advance(machine.fake.loop, 3 * NS_PER_SECOND);
	_cleanup_(freep) char *before = xstrdup(text_of(view(&machine), "time"));
	loop_advance(machine.fake.loop, NS_PER_SECOND / 2);
	CHECK(strcmp(text_of(view(&machine), "time"), before) != 0);
	loop_advance(machine.fake.loop, 20 * NS_PER_SECOND); // nobody watches any more
	free(before);
	before = xstrdup(text_of(view(&machine), "time"));
	fixture_reconfigure(&machine, "{\"watched_interval\": \"60s\", \"interval\": \"60s\"}");
	loop_advance(machine.fake.loop, 30 * NS_PER_SECOND);
	CHECK_TEXT(text_of(view(&machine), "time"), before);
	fixture_finish(&machine);
}

TEST(a_simulated_machine_has_no_processes) {
	struct fixture machine;
	struct err err = ERR_INIT;
	fixture_init(&machine, NULL, &source_processes);
	CHECK(fixture_configure(&machine, "{}", NULL));
	CHECK(source_processes.start(&machine.services, &machine.config, &err) == NULL);
	CHECK_INT(err.code, ERR_UNAVAILABLE);
	fixture_finish(&machine);
}

int main(void) {
	return TESTS(RUN(the_busiest_process_is_named_with_its_unit_and_share),
		RUN(a_pid_that_came_again_is_another_process),
		RUN(what_an_old_process_used_before_it_was_seen_is_not_told_as_now),
		RUN(one_that_ends_between_the_listing_and_the_reading_was_never_there),
		RUN(io_that_may_not_be_read_is_absent_and_accuses_nobody),
		RUN(a_disk_is_kept_busy_by_whom_the_io_shows_or_by_who_waits_for_it),
		RUN(zombies_are_the_fault_of_the_parent_with_most_of_them),
		RUN(figures_and_metrics_are_counted), RUN(names_made_to_mislead_stay_text),
		RUN(an_old_picture_accuses_nobody),
		RUN(hidden_processes_degrade_and_only_a_majority_is_accused),
		RUN(a_machine_without_processes_says_so),
		RUN(thousands_of_processes_are_looked_at_in_steps),
		RUN(io_that_cannot_be_read_is_missing_and_the_rest_goes_on),
		RUN(a_walk_that_hangs_is_left_behind_once), RUN(a_stop_is_safe_in_every_step),
		RUN(whoever_watches_sees_something_new_every_second),
		RUN(a_simulated_machine_has_no_processes));
}
