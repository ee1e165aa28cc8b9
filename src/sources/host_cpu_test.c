// SPDX-License-Identifier: Apache-2.0
// /proc/stat on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_cpu;

static const char stat_text[] =
	"cpu  301854 612 111922 8979004 3552 2 3944 0 44 36\n"
	"cpu0 44490 19 21045 1087069 220 1 3410 0 2 1\n"
	"cpu1 47869 23 16474 1110787 591 0 46 0 3 1\n"
	"intr 8885917 17 0 0\nctxt 38014093\nbtime 1418183276\nprocesses 26442\n"
	"procs_running 2\nprocs_blocked 1\nsoftirq 5057579 250191 1481983\n";

static void read_stat(struct machine *machine, const char *text) {
	machine_read(machine, "/proc/stat", text);
}

TEST(stat_becomes_node_exporters_series) {
	struct machine machine;
	machine_init(&machine, &host_collector_cpu);
	read_stat(&machine, stat_text);
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 444.9"));
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 11107.87"));
	CHECK(machine_shows(
		&machine, "node_cpu_guest_seconds_total{cpu=\"1\",mode=\"user\"} 0.03"));
	CHECK(machine_shows(
		&machine, "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"nice\"} 0.01"));
	CHECK(machine_shows(&machine, "node_intr_total 8885917"));
	CHECK(machine_shows(&machine, "node_context_switches_total 38014093"));
	CHECK(machine_shows(&machine, "node_boot_time_seconds 1418183276"));
	CHECK(machine_shows(&machine, "node_forks_total 26442"));
	CHECK(machine_shows(&machine, "node_procs_running 2"));
	CHECK(machine_shows(&machine, "node_procs_blocked 1"));
	machine_finish(&machine);
}

TEST(cpu_counters_do_not_step_back) {
	struct machine machine;
	machine_init(&machine, &host_collector_cpu);
	read_stat(&machine, "cpu0 10 0 0 1000 50 0 0 0 0 0\n");
	read_stat(&machine, "cpu0 11 0 0 990 49 0 0 0 0 0\n");
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 10"));
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 0.5"));
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 0.11"));
	machine_finish(&machine);
}

TEST(a_replugged_cpu_starts_again) {
	struct machine machine;
	machine_init(&machine, &host_collector_cpu);
	read_stat(&machine, "cpu0 10 0 0 1000 50 0 0 0 0 0\n");
	read_stat(&machine, "cpu0 1 0 0 700 4 0 0 0 0 0\n");
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 7"));
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 0.01"));
	CHECK(isnan(machine_figure(&machine, "cpu.used_percent", "")));
	machine_finish(&machine);
}

TEST(an_offline_cpu_is_absent_and_a_new_one_takes_its_place) {
	struct machine machine;
	machine_init(&machine, &host_collector_cpu);
	read_stat(&machine, "cpu0 1 1 1 1\ncpu1 1 1 1 1\ncpu2 1 1 1 1\n");
	read_stat(&machine, "cpu0 1 1 1 1\ncpu2 1 1 1 1\n");
	CHECK(str_find(buf_str(&machine.metrics), STR("cpu=\"1\"")) < 0);
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"2\",mode=\"user\"} 0.01"));
	read_stat(&machine, "cpu0 1 1 1 1\ncpu1 9 1 1 1\ncpu2 1 1 1 1\ncpu3 1 1 1 1\n");
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"1\",mode=\"user\"} 0.09"));
	CHECK(machine_shows(&machine, "node_cpu_seconds_total{cpu=\"3\",mode=\"user\"} 0.01"));
	machine_finish(&machine);
}

TEST(what_stat_does_not_say_is_absent) {
	struct machine machine;
	machine_init(&machine, &host_collector_cpu);
	read_stat(&machine, stat_text);
	read_stat(&machine, "cpu0 x 1 1 1\ncpu1 1\nbtime\nctxt 99999999999999999999999\n");
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	machine_finish(&machine);
}

TEST(shares_are_of_the_last_interval_and_of_all_cpus) {
	struct machine machine;
	machine_init(&machine, &host_collector_cpu);
	//                        user nice sys idle iowait irq softirq steal guest
	read_stat(&machine, "cpu0 1000 0 0 1000 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n");
	CHECK(isnan(machine_figure(&machine, "cpu.used_percent", "")));
	read_stat(&machine, "cpu0 1040 10 30 1000 10 0 0 10 40 10\ncpu1 0 0 0 100 0 0 0 0 0 0\n");
	CHECK_DOUBLE(machine_figure(&machine, "cpu.used_percent", ""), 40); // 80 of 200
	CHECK_DOUBLE(machine_figure(&machine, "cpu.iowait_percent", ""), 5);
	CHECK_DOUBLE(machine_figure(&machine, "cpu.steal_percent", ""), 5);
	read_stat(&machine, "cpu0 1040 10 30 1000 10 0 0 10 40 10\ncpu1 0 0 0 100 0 0 0 0 0 0\n");
	CHECK(isnan(machine_figure(&machine, "cpu.used_percent", ""))); // no time passed
	machine_finish(&machine);
}

TEST(an_unreadable_stat_is_a_complaint) {
	struct machine machine;
	machine_init(&machine, &host_collector_cpu);
	machine_gather(&machine, 1);
	CHECK_INT(machine.turn.complaint.code, ERR_NOT_FOUND);
	CHECK(strstr(machine.turn.complaint.message, "/proc/stat") != NULL);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(stat_becomes_node_exporters_series), RUN(cpu_counters_do_not_step_back),
		RUN(a_replugged_cpu_starts_again),
		RUN(an_offline_cpu_is_absent_and_a_new_one_takes_its_place),
		RUN(what_stat_does_not_say_is_absent),
		RUN(shares_are_of_the_last_interval_and_of_all_cpus),
		RUN(an_unreadable_stat_is_a_complaint));
}
