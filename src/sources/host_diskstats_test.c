// SPDX-License-Identifier: Apache-2.0
// /proc/diskstats on recorded texts.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_diskstats;

static void read_disk(struct machine *machine, const char *columns, double seconds) {
	_cleanup_(freep) char *line = xasprintf("   8       0 sda %s\n", columns);
	machine_write(machine, "/proc/diskstats", line);
	machine_gather(machine, seconds);
}

TEST(columns_get_names_and_units) {
	struct machine machine;
	machine_init(&machine, &host_collector_diskstats);
	read_disk(&machine, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 80 16 17", 1);
	CHECK(machine_shows(&machine, "node_disk_reads_completed_total{device=\"sda\"} 1"));
	CHECK(machine_shows(&machine, "node_disk_read_bytes_total{device=\"sda\"} 1536"));
	CHECK(machine_shows(&machine, "node_disk_io_now{device=\"sda\"} 9"));
	CHECK(machine_shows(&machine, "node_disk_discard_time_seconds_total{device=\"sda\"} 0.08"));
	CHECK(machine_shows(
		&machine, "node_disk_flush_requests_time_seconds_total{device=\"sda\"} 0.017"));
	machine_finish(&machine);
}

TEST(an_older_kernel_has_fewer_columns) {
	struct machine machine;
	machine_init(&machine, &host_collector_diskstats);
	read_disk(&machine, "1 2 3 4 5 6 7 8 9 10 11", 1);
	CHECK(machine_shows(
		&machine, "node_disk_io_time_weighted_seconds_total{device=\"sda\"} 0.011"));
	CHECK(str_find(buf_str(&machine.metrics), STR("discard")) < 0);
	read_disk(&machine, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", 1);
	CHECK(machine_shows(&machine, "node_disk_discards_completed_total{device=\"sda\"} 12"));
	CHECK(str_find(buf_str(&machine.metrics), STR("flush")) < 0);
	read_disk(&machine, "1 2 3 4 5 6 7 8 9 10", 1);
	CHECK_TEXT(buf_text(&machine.metrics), "\n");
	machine_finish(&machine);
}

TEST(latency_and_busy_share_are_of_the_last_interval) {
	struct machine machine;
	machine_init(&machine, &host_collector_diskstats);
	//                  reads    ms   writes     ms now  io
	read_disk(&machine, "100 0 0 1000 100 0 0 1000 0 5000 0", 1);
	CHECK(isnan(machine_figure(&machine, "disk.busy_percent", "sda")));
	CHECK(isnan(machine_figure(&machine, "disk.latency_ms", "sda")));
	read_disk(&machine, "110 0 0 1030 130 0 0 1090 0 5500 0", 2);
	CHECK_DOUBLE(machine_figure(&machine, "disk.busy_percent", "sda"), 25); // 500 of 2000 ms
	CHECK_DOUBLE(machine_figure(&machine, "disk.latency_ms", "sda"), 3);	// 120 ms of 40
	read_disk(&machine, "110 0 0 1030 130 0 0 1090 0 5500 0", 1);
	CHECK_DOUBLE(machine_figure(&machine, "disk.busy_percent", "sda"), 0);
	CHECK(isnan(machine_figure(&machine, "disk.latency_ms", "sda"))); // no I/O, no latency
	read_disk(&machine, "110 0 0 1080 130 0 0 1090 0 5500 0", 1);
	CHECK(isnan(machine_figure(&machine, "disk.latency_ms", "sda"))); // none has ended
	machine_finish(&machine);
}

TEST(after_a_step_back_nothing_is_known_for_one_interval) {
	struct machine machine;
	machine_init(&machine, &host_collector_diskstats);
	read_disk(&machine, "100 0 0 1000 100 0 0 1000 0 5000 0", 1);
	read_disk(&machine, "1 0 0 10 1 0 0 10 0 50 0", 1);
	CHECK(isnan(machine_figure(&machine, "disk.busy_percent", "sda")));
	CHECK(isnan(machine_figure(&machine, "disk.latency_ms", "sda")));
	read_disk(&machine, "2 0 0 14 2 0 0 16 0 2000 0", 1);
	CHECK_DOUBLE(machine_figure(&machine, "disk.busy_percent", "sda"), 100); // at most
	CHECK_DOUBLE(machine_figure(&machine, "disk.latency_ms", "sda"), 5);
	machine_finish(&machine);
}

TEST(no_more_disks_are_kept_than_there_is_room_for) {
	struct machine machine;
	struct buf text = BUF_INIT;
	machine_init(&machine, &host_collector_diskstats);
	for (int i = 0; i < 5000; i++) {
		buf_appendf(&text, "8 %d dm-%d 1 2 3 4 5 6 7 8 9 10 11\n", i, i);
	}
	machine_read(&machine, "/proc/diskstats", buf_text(&text));
	CHECK(machine_shows(&machine, "node_disk_io_now{device=\"dm-4095\"} 9"));
	CHECK(str_find(buf_str(&machine.metrics), STR("dm-4096")) < 0);
	buf_finish(&text);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(columns_get_names_and_units), RUN(an_older_kernel_has_fewer_columns),
		RUN(latency_and_busy_share_are_of_the_last_interval),
		RUN(after_a_step_back_nothing_is_known_for_one_interval),
		RUN(no_more_disks_are_kept_than_there_is_room_for));
}
