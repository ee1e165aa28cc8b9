// SPDX-License-Identifier: Apache-2.0
// The parsers of /proc text, on recorded texts.
#include "sources/host.h"

#include "base/alloc.h"
#include "formats/exposition.h"
#include "sources/host_filesystem.h"
#include "sources/text.h"
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

TEST(load_is_three_numbers_or_nothing) {
	struct host_load load = {0};
	host_load_parse(&load, STR("0.21 0.37 1.39 1/719 19737\n"));
	CHECK(load.is_known);
	CHECK_DOUBLE(load.load[2], 1.39);
	host_load_parse(&load, STR("0.21 0.37\n"));
	CHECK(!load.is_known);
}

TEST(memory_fields_get_node_exporters_names) {
	struct host_memory memory = {0};
	host_memory_parse(&memory,
		STR("MemTotal:       3742148 kB\nActive(anon):    2068 kB\nHugePages_Free:        7\n"
		    "Odd name: 1 kB\nBad: x kB\nDirectMap1G: 18446744073709551615 kB\nnonsense\n"));
	CHECK_INT(memory.n, 3);
	CHECK_TEXT(memory.fields[0].name, "MemTotal_bytes");
	CHECK_INT(memory.fields[0].value, INT64_C(3742148) * 1024);
	CHECK_TEXT(memory.fields[1].name, "Active_anon_bytes");
	CHECK_TEXT(memory.fields[2].name, "HugePages_Free");
	CHECK_INT(memory.fields[2].value, 7);
}

static const char network_text[] =
	"Inter-|   Receive                                                |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
	"    lo: 435303245 1832522  0 0 0 0 0 0 435303245 1832522 0 0 0 0 0 0\n"
	"  eth0:68210035552 520993275 1 2 3 4 5 6 9315587528 43451486 7 8 9 10 11 12\n"
	"eth0:1:  1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	"broken: 1 2 3\n";

TEST(network_devices_are_read_by_column) {
	struct host_network network = {0};
	const struct str ignored[] = {STR("l?")};
	host_network_parse(&network, str_from(network_text), ignored, 1);
	CHECK_INT(network.n, 2);
	CHECK_TEXT(network.devices[0].name, "eth0");
	CHECK_INT(network.devices[0].counters[0], INT64_C(68210035552));
	CHECK_INT(network.devices[0].counters[15], 12);
	CHECK_TEXT(network.devices[1].name, "eth0:1");
	host_network_finish(&network);
}

struct seen {
	size_t n;
	char points[8][64];
	char device[64];
	bool is_readonly[8];
	uint64_t number;
};

static void on_mount(void *arg, const struct mount_line *line) {
	struct seen *seen = arg;
	snprintf(seen->points[seen->n], 64, "%" STR_FMT, STR_ARG(line->point));
	snprintf(seen->device, 64, "%" STR_FMT, STR_ARG(line->device));
	seen->is_readonly[seen->n] = line->is_readonly;
	seen->number = line->number;
	seen->n++;
}

TEST(mountinfo_is_decoded) {
	struct seen seen = {0};
	mountinfo_parse(STR("36 35 98:1 /a /mnt\\040two rw,noatime master:1 - ext3 /dev/a\\134b rw\n"
			    "37 35 0:5 / /ro ro shared:1 master:2 - tmpfs  rw,size=4k\n"
			    "38 35 0:6 / /super rw - btrfs /dev/x ro\n"
			    "39 35 0:6 / /no-dash rw btrfs /dev/x ro\n"
			    "40 35 6 / /no-colon rw - btrfs /dev/x ro\n"
			    "41 35 0:6 / relative rw - btrfs /dev/x ro\n\nnonsense"),
		on_mount, &seen);
	CHECK_INT(seen.n, 3);
	CHECK_TEXT(seen.points[0], "/mnt two");
	CHECK(!seen.is_readonly[0] && seen.is_readonly[1] && seen.is_readonly[2]);
	CHECK_INT(seen.number, 6);
}

TEST(used_percent_counts_as_df_does) {
	struct space space = {.size_bytes = 1000, .free_bytes = 300, .avail_bytes = 200};
	CHECK_DOUBLE(space_used_percent(&space), 100.0 * 700 / 900);
	space = (struct space){0};
	CHECK_DOUBLE(space_used_percent(&space), -1);
	space = (struct space){.size_bytes = 1, .free_bytes = 2, .avail_bytes = 2};
	CHECK_DOUBLE(space_used_percent(&space), -1);
}

TEST(space_is_six_numbers) {
	struct space space;
	CHECK(space_parse(STR("4096 10 5 4 100 50"), &space));
	CHECK_INT(space.size_bytes, 40960);
	CHECK_INT(space.avail_bytes, 16384);
	CHECK_INT(space.files_free, 50);
	CHECK(!space_parse(STR("4096 10 5 4 100"), &space));
	CHECK(!space_parse(STR("4096 10 5 4 100 50 1"), &space));
	CHECK(!space_parse(STR("4096 10 5 4 100 -1"), &space));
	CHECK(space_parse(STR("4096 18446744073709551615 5 4 100 50"), &space));
	CHECK(space.size_bytes == UINT64_MAX);
}

TEST(a_threshold_is_crossed_once_with_hysteresis) {
	static const struct {
		bool is_above;
		double value;
		enum crossing expected;
	} rows[] = {{false, 89.9, CROSSING_NONE}, {false, 90, CROSSING_UP}, {true, 95, CROSSING_NONE},
		{true, 85, CROSSING_NONE}, {true, 84.9, CROSSING_DOWN}, {false, 85, CROSSING_NONE}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_INT(threshold_judge(rows[i].is_above, rows[i].value, 90, 5), rows[i].expected);
	}
}

static void on_gone(void *arg, struct filesystem *filesystem) {
	struct buf *gone = arg;
	buf_appendf(gone, "%s ", filesystem->point);
}

static struct filesystem *find(struct filesystems *set, const char *point) {
	return map_get(&set->by_point, str_from(point));
}

TEST(mounts_keep_what_they_know_when_others_come_and_go) {
	struct filesystems set;
	struct buf gone = BUF_INIT;
	const struct str types[] = {STR("proc")};
	const struct mount_filter filter = {.types = types, .type_count = 1};
	filesystems_init(&set);
	filesystems_update(&set,
		STR("1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / /proc rw - proc proc rw\n"
		    "3 1 8:1 /x /bind rw - ext4 /dev/a rw\n4 1 0:9 / /nas rw - nfs4 n:/x rw\n"
		    "5 4 0:8 / /nas/in rw - tmpfs t rw\n"),
		&filter, on_gone, &gone);
	CHECK_INT(map_count(&set.by_point), 4);
	find(&set, "/")->is_above = true;
	CHECK(find(&set, "/")->is_first && !find(&set, "/bind")->is_first);
	CHECK(find(&set, "/nas")->may_block && find(&set, "/nas/in")->may_block);
	CHECK(!find(&set, "/")->may_block);
	uint64_t version = set.version;
	filesystems_update(&set, STR("1 0 8:1 / / ro - ext4 /dev/a rw\n"), &filter, on_gone, &gone);
	CHECK_TEXT(buf_text(&gone), "/bind /nas /nas/in ");
	CHECK(find(&set, "/")->is_above && find(&set, "/")->is_readonly);
	CHECK(set.version != version);
	filesystems_finish(&set);
	buf_finish(&gone);
}

TEST(of_mounts_on_one_point_the_last_counts_and_keeps_its_state) {
	static const char table[] = "1 0 8:1 / /a rw - ext4 /dev/a rw\n2 1 0:2 / /a rw - tmpfs t rw\n"
				    "3 0 8:1 / /b rw - ext4 /dev/a rw\n4 1 0:2 / /b rw - proc p rw\n";
	struct filesystems set;
	struct buf gone = BUF_INIT;
	const struct str types[] = {STR("proc")};
	const struct mount_filter filter = {.types = types, .type_count = 1};
	filesystems_init(&set);
	filesystems_update(&set, str_from(table), &filter, on_gone, &gone);
	CHECK_INT(map_count(&set.by_point), 1); // /b is hidden by one that is left out
	CHECK_TEXT(find(&set, "/a")->type, "tmpfs");
	find(&set, "/a")->is_above = true;
	filesystems_update(&set, str_from(table), &filter, on_gone, &gone);
	CHECK(find(&set, "/a")->is_above);
	CHECK_INT(gone.len, 0);
	filesystems_finish(&set);
}

TEST(names_become_clean_text) {
	static const struct {
		struct str in;
		const char *out;
		bool is_clean;
	} rows[] = {{STR_INIT("/plain \xc3\xa4"), "/plain \xc3\xa4", true},
		{STR_INIT("a\nb"), "a\xef\xbf\xbd" "b", false},
		{STR_INIT("\xff\xc3"), "\xef\xbf\xbd\xef\xbf\xbd", false},
		{STR_INIT("\xc2\x9b"), "\xef\xbf\xbd", false},
		{STR_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;
		CHECK(clean_text(&out, rows[i].in) == rows[i].is_clean);
		CHECK_TEXT(buf_text(&out), rows[i].out);
		buf_finish(&out);
	}
}

int main(void) {
	return TESTS(RUN(stat_becomes_node_exporters_series), RUN(cpu_counters_do_not_step_back),
		RUN(a_replugged_cpu_starts_again),
		RUN(an_offline_cpu_is_absent_and_a_new_one_takes_its_place),
		RUN(what_stat_does_not_say_is_absent), RUN(load_is_three_numbers_or_nothing),
		RUN(memory_fields_get_node_exporters_names), RUN(network_devices_are_read_by_column),
		RUN(mountinfo_is_decoded), RUN(used_percent_counts_as_df_does),
		RUN(space_is_six_numbers), RUN(a_threshold_is_crossed_once_with_hysteresis),
		RUN(mounts_keep_what_they_know_when_others_come_and_go),
		RUN(of_mounts_on_one_point_the_last_counts_and_keeps_its_state),
		RUN(names_become_clean_text));
}
