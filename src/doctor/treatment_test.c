// SPDX-License-Identifier: Apache-2.0
// Tests of treatment.h: what remedies change, on files and a process of the test's own.
#include "doctor/treatment.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "doctor/process.h"
#include "formats/json.h"
#include "tests/check.h"

struct fixture {
	struct arena *arena;
	struct patient patient;
	struct finding finding;
	struct treatment treatment;
	char folder[32];
	char path[64];
};

static void begin(struct fixture *f) {
	*f = (struct fixture){.arena = arena_create(), .folder = "/tmp/treatment-XXXXXX"};
	f->treatment = (struct treatment){
		.patient = &f->patient, .finding = &f->finding, .arena = f->arena};
	CHECK(mkdtemp(f->folder) != NULL);
	(void)snprintf(f->path, sizeof(f->path), "%s/file", f->folder);
	FILE *file = fopen(f->path, "we");
	CHECK(file != NULL);
	(void)fputs("content", file);
	CHECK(fclose(file) == 0);
}

static void end(struct fixture *f) {
	const char *names[] = {"file", "file.aside-1", "file.aside-2", "link"};
	for (size_t i = 0; i < 4; i++) {
		char path[96];
		(void)snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
		(void)unlink(path);
	}
	CHECK(rmdir(f->folder) == 0);
	arena_destroy(f->arena);
}

TEST(a_file_moved_aside_takes_a_free_name_and_says_how_to_put_it_back) {
	struct fixture f;
	struct err err = ERR_INIT;
	char taken[96], aside[96];
	begin(&f);
	(void)snprintf(taken, sizeof(taken), "%s.aside-1", f.path);
	(void)snprintf(aside, sizeof(aside), "%s.aside-2", f.path);
	CHECK(link(f.path, taken) == 0);
	CHECK(treatment_move_aside(&f.treatment, f.path, &err));
	CHECK(access(f.path, F_OK) < 0);
	CHECK(access(aside, F_OK) == 0);
	CHECK_TEXT(f.treatment.undo, arena_printf(f.arena, "mv %s %s", aside, f.path));
	end(&f);
}

TEST(a_mode_is_changed_by_bits) {
	struct fixture f;
	struct err err = ERR_INIT;
	struct stat status;
	begin(&f);
	CHECK(chmod(f.path, 0666) == 0);
	CHECK(treatment_chmod(&f.treatment, f.path, 022, 0100, &err));
	CHECK(stat(f.path, &status) == 0);
	CHECK_INT(status.st_mode & 07777, 0744);
	CHECK_TEXT(f.treatment.before, "mode 0666");
	CHECK_TEXT(f.treatment.after, "mode 0744");
	end(&f);
}

TEST(a_link_is_not_followed) {
	struct fixture f;
	struct err err = ERR_INIT;
	struct stat status;
	char path[96];
	begin(&f);
	(void)snprintf(path, sizeof(path), "%s/link", f.folder);
	CHECK(chmod(f.path, 0600) == 0);
	CHECK(symlink(f.path, path) == 0);
	CHECK(!treatment_chmod(&f.treatment, path, 0, 0077, &err));
	CHECK(stat(f.path, &status) == 0);
	CHECK_INT(status.st_mode & 07777, 0600);
	end(&f);
}

TEST(only_the_process_that_was_seen_gets_the_signal) {
	struct fixture f;
	struct err err = ERR_INIT;
	struct process process;
	int status = 0;
	begin(&f);
	pid_t pid = fork();
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	f.finding.pid = pid;
	CHECK(process_read(pid, &process));
	CHECK(!treatment_signal(&f.treatment, process.start_ticks + 1, SIGKILL, &err));
	CHECK_INT(err.code, ERR_NOT_FOUND);
	CHECK_INT(waitpid(pid, &status, WNOHANG), 0);
	CHECK(treatment_signal(&f.treatment, process.start_ticks, SIGKILL, &err));
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	end(&f);
}

static bool run_nothing(struct treatment *treatment, const char *const *argv, struct err *err) {
	(void)argv;
	(void)err;
	*(bool *)treatment->arg = true;
	return true;
}

TEST(only_a_daemon_of_systemd_is_restarted) {
	struct fixture f;
	struct err err = ERR_INIT;
	bool was_run = false;
	begin(&f);
	f.treatment.run = run_nothing;
	f.treatment.arg = &was_run;
	patient_add(&f.patient, "processes",
		json_parse(f.arena, STR("{\"daemon\":{\"pid\":42}}"), JSON_DEPTH, NULL));
	CHECK(!treatment_restart(&f.treatment, &err));
	CHECK(!was_run);
	patient_add(&f.patient, "systemd",
		json_parse(f.arena, STR("{\"unit\":\"annad.service\",\"MainPID\":43}"), JSON_DEPTH,
			NULL));
	CHECK(!treatment_restart(&f.treatment, &err));
	CHECK(!was_run);
	f.patient.n = 0;
	patient_add(&f.patient, "systemd",
		json_parse(f.arena, STR("{\"unit\":\"annad.service\",\"MainPID\":43}"), JSON_DEPTH,
			NULL));
	CHECK(treatment_restart(&f.treatment, &err));
	CHECK(was_run);
	end(&f);
}

int main(void) {
	return TESTS(RUN(a_file_moved_aside_takes_a_free_name_and_says_how_to_put_it_back),
		RUN(a_mode_is_changed_by_bits), RUN(a_link_is_not_followed),
		RUN(only_the_process_that_was_seen_gets_the_signal),
		RUN(only_a_daemon_of_systemd_is_restarted));
}
