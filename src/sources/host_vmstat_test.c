// SPDX-License-Identifier: Apache-2.0
// /proc/vmstat on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_vmstat;

static void read_kills(struct machine *machine, int kills, double seconds) {
	char text[64];
	snprintf(text, sizeof(text), "oom_kill %d\n", kills);
	machine_write(machine, "/proc/vmstat", text);
	machine_gather(machine, seconds);
}

TEST(the_default_fields_are_shown_and_no_others) {
	struct machine machine;
	machine_init(&machine, &host_collector_vmstat);
	machine_read(&machine, "/proc/vmstat",
		"nr_free_pages 5\npgpgin 1\npswpout 2\npgfault 3\npgmajfault 4\npgsteal_x 5\n"
		"thp_fault_alloc 6\noom_kill 7\npgfault 9\npg{fault 1\n");
	CHECK_TEXT(buf_text(&machine.metrics),
		"\n# HELP node_vmstat_pgpgin /proc/vmstat information field pgpgin.\n"
		"# TYPE node_vmstat_pgpgin untyped\nnode_vmstat_pgpgin 1\n"
		"# HELP node_vmstat_pswpout /proc/vmstat information field pswpout.\n"
		"# TYPE node_vmstat_pswpout untyped\nnode_vmstat_pswpout 2\n"
		"# HELP node_vmstat_pgfault /proc/vmstat information field pgfault.\n"
		"# TYPE node_vmstat_pgfault untyped\nnode_vmstat_pgfault 3\n"
		"# HELP node_vmstat_pgmajfault /proc/vmstat information field pgmajfault.\n"
		"# TYPE node_vmstat_pgmajfault untyped\nnode_vmstat_pgmajfault 4\n"
		"# HELP node_vmstat_oom_kill /proc/vmstat information field oom_kill.\n"
		"# TYPE node_vmstat_oom_kill untyped\nnode_vmstat_oom_kill 7\n");
	machine_finish(&machine);
}

TEST(pages_swapped_in_are_counted_by_the_second) {
	struct machine machine;
	machine_init(&machine, &host_collector_vmstat);
	machine_read(&machine, "/proc/vmstat", "pswpin 100\n");
	CHECK(isnan(machine_figure(&machine, "memory.swap_in_per_second", "")));
	machine_write(&machine, "/proc/vmstat", "pswpin 150\n");
	machine_gather(&machine, 2);
	CHECK_DOUBLE(machine_figure(&machine, "memory.swap_in_per_second", ""), 25);
	machine_read(&machine, "/proc/vmstat", "pswpin 10\n");
	CHECK(isnan(machine_figure(&machine, "memory.swap_in_per_second", "")));
	machine_finish(&machine);
}

TEST(kills_are_those_of_the_last_minute) {
	struct machine machine;
	machine_init(&machine, &host_collector_vmstat);
	read_kills(&machine, 5, 1);
	CHECK(isnan(machine_figure(&machine, "oom.kills_per_minute", ""))); // one reading is none
	read_kills(&machine, 7, 1);
	CHECK_DOUBLE(machine_figure(&machine, "oom.kills_per_minute", ""), 2);
	for (int i = 0; i < 58; i++) {
		read_kills(&machine, 8, 1);
	}
	CHECK_DOUBLE(machine_figure(&machine, "oom.kills_per_minute", ""), 3);
	read_kills(&machine, 8, 1);
	CHECK_DOUBLE(machine_figure(&machine, "oom.kills_per_minute", ""), 3);
	read_kills(&machine, 8, 1);
	CHECK_DOUBLE(machine_figure(&machine, "oom.kills_per_minute", ""), 1);
	read_kills(&machine, 8, 1);
	CHECK_DOUBLE(machine_figure(&machine, "oom.kills_per_minute", ""), 0);
	machine_finish(&machine);
}

TEST(kills_are_kept_with_any_interval) {
	struct machine machine;
	machine_init(&machine, &host_collector_vmstat);
	for (int i = 0; i < 1000; i++) {
		read_kills(&machine, i, 0.1); // ten a second
	}
	double kills = machine_figure(&machine, "oom.kills_per_minute", "");
	CHECK(kills >= 600 && kills <= 620); // the window is up to a reading longer
	read_kills(&machine, 2000, 3600);
	CHECK_DOUBLE(machine_figure(&machine, "oom.kills_per_minute", ""), 1001);
	read_kills(&machine, 3, 1); // began anew
	CHECK(isnan(machine_figure(&machine, "oom.kills_per_minute", "")));
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(the_default_fields_are_shown_and_no_others),
		RUN(pages_swapped_in_are_counted_by_the_second),
		RUN(kills_are_those_of_the_last_minute), RUN(kills_are_kept_with_any_interval));
}
