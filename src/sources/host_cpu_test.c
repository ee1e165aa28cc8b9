// SPDX-License-Identifier: Apache-2.0
// /proc/stat on recorded texts.
#include "base/alloc.h"
#include "formats/exposition.h"
#include "sources/host.h"
#include "tests/check.h"

static const char stat_text[] =
	"cpu  301854 612 111922 8979004 3552 2 3944 0 44 36\n"
	"cpu0 44490 19 21045 1087069 220 1 3410 0 2 1\n"
	"cpu1 47869 23 16474 1110787 591 0 46 0 3 1\n"
	"intr 8885917 17 0 0\nctxt 38014093\nbtime 1418183276\nprocesses 26442\n"
	"procs_running 2\nprocs_blocked 1\nsoftirq 5057579 250191 1481983\n";

static void collect_cpu(const struct host_cpu *cpu, struct buf *out) {
	struct exposition exposition;
	buf_clear(out);
	exposition_init(&exposition, out);
	host_cpu_collect(cpu, &exposition);
}

static bool has_line(const struct buf *text, const char *line) {
	_cleanup_(freep) char *whole = xasprintf("\n%s\n", line);
	return str_find(buf_str(text), str_from(whole)) >= 0;
}

TEST(stat_becomes_node_exporters_series) {
	struct host_cpu cpu = {0};
	struct buf out = BUF_INIT;
	host_cpu_parse(&cpu, str_from(stat_text));
	collect_cpu(&cpu, &out);
	CHECK(has_line(&out, "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 444.9"));
	CHECK(has_line(&out, "node_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 11107.87"));
	CHECK(has_line(&out, "node_cpu_guest_seconds_total{cpu=\"1\",mode=\"user\"} 0.03"));
	CHECK(has_line(&out, "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"nice\"} 0.01"));
	CHECK(has_line(&out, "node_intr_total 8885917"));
	CHECK(has_line(&out, "node_context_switches_total 38014093"));
	CHECK(has_line(&out, "node_boot_time_seconds 1418183276"));
	CHECK(has_line(&out, "node_forks_total 26442"));
	CHECK(has_line(&out, "node_procs_running 2"));
	CHECK(has_line(&out, "node_procs_blocked 1"));
	buf_finish(&out);
	host_cpu_finish(&cpu);
}

TEST(cpu_counters_do_not_step_back) {
	struct host_cpu cpu = {0};
	host_cpu_parse(&cpu, STR("cpu0 10 0 0 1000 50 0 0 0 0 0\n"));
	host_cpu_parse(&cpu, STR("cpu0 11 0 0 990 49 0 0 0 0 0\n"));
	CHECK_INT(cpu.cpus[0].ticks[CPU_IDLE], 1000);
	CHECK_INT(cpu.cpus[0].ticks[CPU_IOWAIT], 50);
	CHECK_INT(cpu.cpus[0].ticks[CPU_USER], 11);
	host_cpu_finish(&cpu);
}

TEST(a_replugged_cpu_starts_again) {
	struct host_cpu cpu = {0};
	host_cpu_parse(&cpu, STR("cpu0 10 0 0 1000 50 0 0 0 0 0\n"));
	host_cpu_parse(&cpu, STR("cpu0 1 0 0 700 4 0 0 0 0 0\n"));
	CHECK_INT(cpu.cpus[0].ticks[CPU_IDLE], 700);
	CHECK_INT(cpu.cpus[0].ticks[CPU_USER], 1);
	host_cpu_finish(&cpu);
}

TEST(an_offline_cpu_is_absent_and_a_new_one_takes_its_place) {
	struct host_cpu cpu = {0};
	host_cpu_parse(&cpu, STR("cpu0 1 1 1 1\ncpu1 1 1 1 1\ncpu2 1 1 1 1\n"));
	host_cpu_parse(&cpu, STR("cpu0 1 1 1 1\ncpu2 1 1 1 1\n"));
	CHECK_INT(cpu.n, 2);
	CHECK_INT(cpu.cpus[1].number, 2);
	host_cpu_parse(&cpu, STR("cpu0 1 1 1 1\ncpu1 9 1 1 1\ncpu2 1 1 1 1\ncpu3 1 1 1 1\n"));
	CHECK_INT(cpu.n, 4);
	CHECK_INT(cpu.cpus[1].ticks[CPU_USER], 9);
	host_cpu_finish(&cpu);
}

TEST(what_stat_does_not_say_is_absent) {
	struct host_cpu cpu = {0};
	struct buf out = BUF_INIT;
	host_cpu_parse(&cpu, str_from(stat_text));
	host_cpu_parse(&cpu, STR("cpu0 x 1 1 1\ncpu1 1\nbtime\nctxt 99999999999999999999999\n"));
	collect_cpu(&cpu, &out);
	CHECK_INT(out.len, 0);
	buf_finish(&out);
	host_cpu_finish(&cpu);
}

int main(void) {
	return TESTS(RUN(stat_becomes_node_exporters_series), RUN(cpu_counters_do_not_step_back),
		RUN(a_replugged_cpu_starts_again),
		RUN(an_offline_cpu_is_absent_and_a_new_one_takes_its_place),
		RUN(what_stat_does_not_say_is_absent));
}
