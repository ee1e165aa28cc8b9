// SPDX-License-Identifier: Apache-2.0
// Tests of look.h: programs and files are bounded; every look of the table leaves a fact or says why.
#include "doctor/look.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/check.h"

#define WITHIN_NS (10 * NS_PER_SECOND)

TEST(a_program_is_run_and_its_output_kept) {
	const char *const argv[] = {"/bin/echo", "hello", NULL};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = -1;
	CHECK(look_run_program(argv, WITHIN_NS, &out, &status, &err));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK_TEXT(buf_text(&out), "hello\n");
	buf_finish(&out);
}

TEST(a_program_that_fails_tells_its_status) {
	const char *const argv[] = {"/bin/sh", "-c", "exit 7", NULL};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = -1;
	CHECK(look_run_program(argv, WITHIN_NS, &out, &status, &err));
	CHECK_INT(WEXITSTATUS(status), 7);
	buf_finish(&out);
}

TEST(a_program_that_hangs_is_ended) {
	const char *const argv[] = {"/bin/sleep", "60", NULL};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = -1;
	CHECK(!look_run_program(argv, 20 * NS_PER_MS, &out, &status, &err));
	CHECK_INT(err.code, ERR_TIMEOUT);
	CHECK(WIFSIGNALED(status));
	buf_finish(&out);
}

TEST(a_program_that_floods_is_ended) {
	const char *const argv[] = {
		"/bin/sh", "-c", "while :; do echo yyyyyyyyyyyyyyyyyyyyyyy; done", NULL};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = -1;
	CHECK(!look_run_program(argv, WITHIN_NS, &out, &status, &err));
	CHECK(out.len < 100000);
	buf_finish(&out);
}

TEST(a_program_that_is_not_there_is_told) {
	const char *const argv[] = {"/nonexistent/program", NULL};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int status = -1;
	CHECK(!look_run_program(argv, WITHIN_NS, &out, &status, &err));
	CHECK_INT(err.code, ERR_NOT_FOUND);
	buf_finish(&out);
}

TEST(a_file_over_the_bound_is_refused) {
	struct buf out = BUF_INIT;
	CHECK(look_read_file("/proc/self/stat", 4096, &out));
	CHECK(out.len > 0);
	buf_clear(&out);
	CHECK(!look_read_file("/dev/zero", 100, &out));
	CHECK(out.len <= 100);
	CHECK(!look_read_file("/nonexistent", 100, &out));
	CHECK_INT(errno, ENOENT);
	buf_finish(&out);
}

TEST(where_nothing_is_every_look_says_so) {
	struct arena *arena = arena_create();
	struct patient patient = {0};
	struct places places = {.socket = "/nonexistent/annad.sock",
		.state_folder = "/nonexistent/state",
		.config_path = "/nonexistent/config.toml",
		.annad = "/nonexistent/annad",
		.unit = "nonexistent.service",
		.shipped_unit = "/nonexistent/unit",
		.bus_address = "/nonexistent/bus",
		.now_ns = clock_wall(clock_system())};
	struct looking *looking = looking_start(arena, &places);
	looking_finish(
		looking, clock_system(), clock_monotonic(clock_system()) + WITHIN_NS, &patient);
	CHECK_INT(patient.n, look_count);
	for (size_t i = 0; i < patient.n; i++) {
		const struct fact *fact = &patient.facts[i];
		CHECK(!fact->timed_out);
		CHECK(fact->value ? fact->missing == NULL : fact->missing[0] != '\0');
	}
	CHECK(!patient_is(&patient, "socket.exists"));
	CHECK(patient_has(&patient, "socket.exists"));
	CHECK(!patient_is(&patient, "state.exists"));
	CHECK(!patient_is(&patient, "lock.exists"));
	CHECK(!patient_is(&patient, "installed.runs"));
	CHECK(!patient_has(&patient, "processes.daemon"));
	CHECK(patient_find(&patient, "journal")->value == NULL);
	CHECK(patient_has(&patient, "clock.wall_ns"));
	arena_destroy(arena);
}

TEST(a_look_that_hangs_is_missing_and_told_so) {
	struct arena *arena = arena_create();
	struct patient patient = {0};
	char folder[] = "/tmp/look-XXXXXX", annad[64];
	CHECK(mkdtemp(folder) != NULL);
	(void)snprintf(annad, sizeof(annad), "%s/annad", folder);
	int fd = open(annad, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	CHECK(fd >= 0 && write(fd, "#!/bin/sh\nexec sleep 60\n", 24) == 24);
	close(fd);
	struct places places = {.socket = "/nonexistent/annad.sock",
		.state_folder = "/nonexistent/state",
		.config_path = "",
		.annad = annad,
		.unit = "nonexistent.service",
		.shipped_unit = "/nonexistent/unit",
		.bus_address = "/nonexistent/bus"};
	struct looking *looking = looking_start(arena, &places);
	looking_finish(looking, clock_system(), clock_monotonic(clock_system()) + 700 * NS_PER_MS,
		&patient);
	CHECK(patient_find(&patient, "installed")->timed_out);
	CHECK(patient_find(&patient, "installed")->missing != NULL);
	(void)unlink(annad);
	(void)rmdir(folder);
	arena_destroy(arena);
}

int main(void) {
	return TESTS(RUN(a_program_is_run_and_its_output_kept),
		RUN(a_program_that_fails_tells_its_status), RUN(a_program_that_hangs_is_ended),
		RUN(a_program_that_floods_is_ended), RUN(a_program_that_is_not_there_is_told),
		RUN(a_file_over_the_bound_is_refused), RUN(where_nothing_is_every_look_says_so),
		RUN(a_look_that_hangs_is_missing_and_told_so));
}
