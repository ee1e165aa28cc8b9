// SPDX-License-Identifier: Apache-2.0
// The files of one process, with names made to mislead whoever splits at blanks and parentheses.
#include "tests/check.h"

#include "sources/processes.h"

#define REST(state, flags) \
	") " state " 7 8 9 0 -1 " flags " 1 2 3 4 150 50 6 7 20 0 3 0 9000 123456 25 0 0\n"

static struct process_stat parse(const char *text) {
	struct process_stat stat;
	CHECK(process_stat_parse(str_from(text), &stat));
	return stat;
}

TEST(a_stat_line_is_read) {
	struct process_stat stat = parse("42 (nginx" REST("S", "4194560"));
	CHECK_INT(stat.pid, 42);
	CHECK_TEXT(stat.name, "nginx");
	CHECK_INT(stat.state, 'S');
	CHECK_INT(stat.parent, 7);
	CHECK_INT(stat.ticks, 200);
	CHECK_INT(stat.threads, 3);
	CHECK_INT(stat.start, 9000);
	CHECK_INT(stat.rss_pages, 25);
	CHECK(!stat.is_kernel);
}

TEST(a_name_may_look_like_the_rest_of_the_line) {
	CHECK_TEXT(parse("42 (a b) R 1" REST("D", "0")).name, "a b) R 1");
	CHECK_INT(parse("42 (a b) R 1" REST("D", "0")).state, 'D');
	CHECK_TEXT(parse("42 ()" REST("Z", "0")).name, ")");
	CHECK_TEXT(parse("42 (" REST("Z", "0")).name, "");
	CHECK_TEXT(parse("42 (\n\033[2J" REST("R", "0")).name, "\n\033[2J");
}

TEST(a_thread_of_the_kernel_is_known_by_its_flag) {
	CHECK(parse("2 (kthreadd" REST("S", "2129984")).is_kernel);
}

TEST(a_negative_size_is_none) {
	struct process_stat stat = parse(
		"42 (x) S 7 8 9 0 -1 0 1 2 3 4 1 1 6 7 20 0 3 0 9000 123456 -3 0\n");
	CHECK_INT(stat.rss_pages, 0);
}

TEST(what_is_no_stat_line_is_refused) {
	static const char *const texts[] = {"", "42", "42 (x", "42 x) S 1", "x (x" REST("S", "0"),
		"0 (x" REST("S", "0"), "99999999999 (x" REST("S", "0"), "42 (x) S 7 8",
		"42 (x) SS 7 8 9 0 -1 0 1 2 3 4 150 50 6 7 20 0 3 0 9000 123456 25",
		"42 (x) S 7 8 9 0 -1 0 1 2 3 4 -150 50 6 7 20 0 3 0 9000 123456 25",
		"42)x( S 7 8 9 0 -1 0 1 2 3 4 150 50 6 7 20 0 3 0 9000 123456 25"};
	struct process_stat stat;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK(!process_stat_parse(str_from(texts[i]), &stat));
	}
}

TEST(io_is_what_reached_the_disks) {
	uint64_t read = 7, written = 7;
	CHECK(process_io_parse(STR("rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\n"
				   "write_bytes: 8192\ncancelled_write_bytes: 5\n"),
		&read, &written));
	CHECK_INT(read, 4096);
	CHECK_INT(written, 8192);
	CHECK(!process_io_parse(STR("rchar: 1\nread_bytes: 9\n"), &read, &written));
	CHECK(!process_io_parse(STR("read_bytes: x\nwrite_bytes: 1\n"), &read, &written));
	CHECK_INT(read, 4096);
}

TEST(the_user_is_the_effective_one) {
	struct process_status status;
	CHECK(process_status_parse(
		STR("Name:\tx\nUid:\t1000\t33\t1\t2\nVmSwap:\t      12 kB\n"), &status));
	CHECK_INT(status.uid, 33);
	CHECK(status.has_swap);
	CHECK_INT(status.swap_bytes, 12 * 1024);
	CHECK(process_status_parse(STR("Uid:\t0\t0\t0\t0\n"), &status));
	CHECK(!status.has_swap);
	CHECK(!process_status_parse(STR("Name:\tUid: 1 1\n"), &status));
}

TEST(the_machine_is_read_and_what_is_missing_stays_unknown) {
	struct machine machine;
	machine_init(&machine);
	machine_parse_stat(&machine, STR("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1\ncpu1 1\nintr 5\n"));
	machine_parse_memory(&machine, STR("MemTotal: 8 kB\nSwapTotal: 4 kB\nSwapFree: 1 kB\n"));
	machine_parse_load(&machine, STR("0.25 0.5 1.0 3/456 789\n"));
	CHECK_DOUBLE(machine.cpus, 2);
	CHECK_DOUBLE(machine.cpu_ticks[3], 4);
	CHECK_DOUBLE(machine.memory_bytes, 8192);
	CHECK_DOUBLE(machine.available_bytes, UNKNOWN);
	CHECK_DOUBLE(machine.swap_free_bytes, 1024);
	CHECK_DOUBLE(machine.load1, 0.25);
	CHECK_DOUBLE(machine.threads, 456);
	CHECK_DOUBLE(machine_first_number(STR("123.5 99\n")), 123.5);
	CHECK_DOUBLE(machine_first_number(STR("")), UNKNOWN);
	CHECK_DOUBLE(
		machine_parse_pressure(STR("some avg10=12.50 avg60=1.00 avg300=0.00 total=5\n")),
		12.5);
	CHECK_DOUBLE(machine_parse_pressure(STR("full avg10=1.00\n")), UNKNOWN);
}

TEST(commands_are_one_clean_line) {
	static const struct {
		const char *argv;
		size_t len;
		const char *text;
	} rows[] = {
#define ROW(argv, text) {argv, sizeof(argv), text}
		ROW("nginx: worker process\0\0\0\0", "nginx: worker process"),
		ROW("/bin/sh\0-c\0echo \033[2J\nhi",
			"/bin/sh -c echo \xef\xbf\xbd[2J\xef\xbf\xbdhi"),
		ROW("a\xff\0b", "a\xef\xbf\xbd b"),
		ROW("mail\0--password=hunter2\0-v", "mail --password=*** -v"),
		ROW("mail\0--Api-Key\0hunter2 x\0-v", "mail --Api-Key *** -v"),
		ROW("env\0PGPASSWORD=hunter2\0psql", "env PGPASSWORD=*** psql"),
		ROW("sh\0-c\0tool --token 'hunter 2' -v", "sh -c tool --token ***"),
		ROW("curl\0-u\0me:hunter2\0http://x/", "curl -u *** http://x/"),
		ROW("/usr/bin/mysql\0-phunter2\0db", "/usr/bin/mysql -p*** db"),
		ROW("cp\0-p\0a\0b", "cp -p a b"),
		ROW("git\0clone\0https://me:hunter2@host/x", "git clone https://***@host/x"),
		ROW("curl\0-H\0Authorization: Bearer hunter2\0-v", "curl -H Authorization:*** -v"),
		ROW("wget\0http://h/?a=b&token=hunter2&c=d", "wget http://h/?a=b&token=***"),
		ROW("x\0--secret", "x --secret"),
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;
		process_command_format(&out, str_range(rows[i].argv, rows[i].len), true);
		CHECK_STR(buf_str(&out), rows[i].text);
		buf_finish(&out);
	}
}

TEST(a_command_ends_at_its_limit_between_two_characters) {
	char argv[400];
	struct buf out = BUF_INIT;
	memset(argv, 'x', sizeof(argv));
	memcpy(argv + COMMAND_MAX - 1, "\xc3\xa4", 2);
	process_command_format(&out, str_range(argv, sizeof(argv)), true);
	CHECK_INT(out.len, COMMAND_MAX - 1);
	buf_clear(&out);
	process_command_format(&out, STR("/bin/x\0--a=b"), false);
	CHECK_STR(buf_str(&out), "/bin/x");
	buf_clear(&out);
	process_command_format(&out, STR("postgres: me db SELECT"), false);
	CHECK_STR(buf_str(&out), "postgres:");
	buf_clear(&out);
	process_command_format(&out, STR("\0\0\0"), true);
	CHECK_INT(out.len, 0);
	buf_finish(&out);
}

TEST(a_cgroup_names_the_unit_and_the_container) {
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct {
		const char *cgroup, *unit, *container;
	} rows[] = {
		{"0::/system.slice/nginx.service\n", "nginx.service", ""},
		{"0::/system.slice/nginx.service/worker\n", "nginx.service", ""},
		{"9:name=systemd:/system.slice/a.service\n8:memory:/b.service\n0::/\n", "a.service",
			""},
		{"9:name=systemd:/\n0::/system.slice/a.service\n", "a.service", ""},
		{"0::/user.slice/user-1000.slice/session-2.scope\n", "session-2.scope", ""},
		{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service\n",
			"user@1000.service/app-x.service", ""},
		{"0::/user.slice/user-1000.slice/user@1000.service\n", "user@1000.service", ""},
		{"0::/system.slice/dev-disk\\x2dby.swap (deleted)\n", "dev-disk\\x2dby.swap", ""},
		{"0::/system.slice/_memory.service\n", "memory.service", ""},
		{"0::/init.scope\n", "init.scope", ""},
		{"0::/../../system.slice/x.service\n", "x.service", ""},
		{"0::/\n", "", ""},
		{"0::/system.slice/.service\n", "", ""},
		{"0::/.slice/x.service\n", "", ""},
		{"nonsense\n0:\n::\n\n", "", ""},
		{"0::/system.slice/docker-" ID ".scope\n", "docker-" ID ".scope",
			"docker:0123456789ab"},
		{"4:memory:/docker/" ID "\n0::/\n", "", "docker:0123456789ab"},
		{"0::/machine.slice/libpod-" ID ".scope/container\n", "libpod-" ID ".scope",
			"podman:0123456789ab"},
		{"0::/machine.slice/libpod-conmon-" ID ".scope\n", "libpod-conmon-" ID ".scope",
			""},
		{"0::/kubepods/burstable/pod1/" ID "\n", "", "kubernetes:0123456789ab"},
		{"0::/lxc.payload.web\n", "", "lxc:web"},
		{"0::/system.slice/a\033[2J.service\n", "a\xef\xbf\xbd[2J.service", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf unit = BUF_INIT, container = BUF_INIT;
		process_place_parse(str_from(rows[i].cgroup), &unit, &container);
		CHECK_TEXT(buf_text(&unit), rows[i].unit);
		CHECK_TEXT(buf_text(&container), rows[i].container);
		buf_finish(&unit);
		buf_finish(&container);
	}
}

TEST(names_are_kept_once_and_forgotten_without_a_process) {
	struct names names = {NULL, 0};
	uint16_t a = names_add(&names, STR("a.service")), b = names_add(&names, STR("b.service"));
	CHECK_INT(names_add(&names, STR("")), 0);
	CHECK_INT(names_add(&names, STR("a.service")), a);
	CHECK(a != b && a > 0);
	names_begin(&names);
	names.items[b].processes = 1;
	names_sweep(&names);
	CHECK_TEXT(names_get(&names, a), "");
	CHECK_TEXT(names_get(&names, b), "b.service");
	CHECK_INT(names_add(&names, STR("c.service")), a);
	for (int i = 0; i < 2 * NAMES_MAX; i++) {
		char text[16];
		snprintf(text, sizeof(text), "%d", i);
		CHECK(names_add(&names, str_from(text)) < NAMES_MAX);
	}
	CHECK_INT(names_add(&names, STR("one too many")), 0);
	names_finish(&names);
}

int main(void) {
	return TESTS(RUN(a_stat_line_is_read), RUN(a_name_may_look_like_the_rest_of_the_line),
		RUN(a_thread_of_the_kernel_is_known_by_its_flag), RUN(a_negative_size_is_none),
		RUN(what_is_no_stat_line_is_refused), RUN(io_is_what_reached_the_disks),
		RUN(the_user_is_the_effective_one),
		RUN(the_machine_is_read_and_what_is_missing_stays_unknown),
		RUN(commands_are_one_clean_line),
		RUN(a_command_ends_at_its_limit_between_two_characters),
		RUN(a_cgroup_names_the_unit_and_the_container),
		RUN(names_are_kept_once_and_forgotten_without_a_process));
}
