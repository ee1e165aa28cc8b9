// SPDX-License-Identifier: Apache-2.0
// The helper over a real socket with real programs: one request a connection, on the real loop.
#include "helper/helper.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/child.h"
#include "io/loop.h"
#include "tests/check.h"

#define STEP_NS (50 * NS_PER_MS)
#define PATIENCE 400 // steps: 20 s, for a loaded machine

struct fixture {
	char folder[64], path[96], grants[96];
	struct loop *loop;
	struct child_runner *children;
	struct helper *helper;
	struct buf answer;
};

static void write_grants(struct fixture *f, const char *text) {
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/a.toml", f->grants);
	FILE *file = fopen(path, "w");
	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
	CHECK_INT(chmod(path, 0600), 0);
}

static void setup(struct fixture *f, uid_t uid) {
	*f = (struct fixture){0};
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/anna-helper-XXXXXX");
	CHECK(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/sock", f->folder);
	(void)snprintf(f->grants, sizeof(f->grants), "%s/commands.d", f->folder);
	CHECK_INT(mkdir(f->grants, 0755), 0);
	write_grants(f,
		"[[commands]]\nname = \"hello\"\nargv = [\"/bin/echo\", \"hello\"]\n"
		"[[commands]]\nname = \"fails\"\nargv = [\"/bin/sh\", \"-c\", \"exit 3\"]\n"
		"[[commands]]\nname = \"environment\"\nargv = [\"/usr/bin/env\"]\n"
		"[[commands]]\nname = \"who\"\nargv = [\"/usr/bin/id\", \"-nu\"]\nuser = "
		"\"nobody\"\n"
		"[[commands]]\nname = \"long\"\nargv = [\"/bin/sleep\", \"60\"]\ntimeout = "
		"\"1s\"\n");
	f->loop = loop_create(clock_system(), NULL, NULL);
	f->children = child_runner_create(f->loop);
	struct helper_options options = {.loop = f->loop,
		.children = f->children,
		.socket_fd = -1,
		.path = f->path,
		.grants = f->grants,
		.uid = uid,
		.gid = (gid_t)-1};
	f->helper = helper_create(&options, NULL);
	CHECK(f->helper != NULL);
}

static int remove_entry(const char *path, const struct stat *stat_now, int flag, struct FTW *walk) {
	(void)stat_now;
	(void)flag;
	(void)walk;
	return remove(path);
}

static void teardown(struct fixture *f) {
	helper_destroy(f->helper);
	child_runner_destroy(f->children);
	loop_destroy(f->loop);
	buf_finish(&f->answer);
	CHECK_INT(nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int connect_it(struct fixture *f) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, f->path, strlen(f->path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

// Runs the helper until the answer is whole and the connection closed.
static const char *finish(struct fixture *f, int fd) {
	char bytes[4096];
	buf_clear(&f->answer);
	for (int i = 0; i < PATIENCE; i++) {
		loop_step(f->loop, STEP_NS);
		ssize_t n;
		while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
			buf_append(&f->answer, bytes, (size_t)n);
		}
		if (n == 0 || errno != EAGAIN) {
			break;
		}
	}
	close(fd);
	return buf_text(&f->answer);
}

static const char *ask(struct fixture *f, const char *line) {
	int fd = connect_it(f);
	CHECK_INT(write(fd, line, strlen(line)), strlen(line));
	return finish(f, fd);
}

TEST(a_granted_command_is_run_and_its_output_and_status_are_the_answer) {
	struct fixture f;
	setup(&f, geteuid());
	CHECK(strstr(ask(&f, "{\"verb\":\"command.run\",\"params\":{\"name\":\"hello\"}}\n"),
		"{\"ok\":true,\"exit_status\":0,\"output\":\"hello\\n\",\"output_cut\":false,"));
	CHECK(strstr(ask(&f, "{\"verb\":\"command.run\",\"params\":{\"name\":\"fails\"}}\n"),
		"\"exit_status\":3"));
	teardown(&f);
}

TEST(nothing_of_the_asker_reaches_the_environment) {
	struct fixture f;
	setup(&f, geteuid());
	CHECK_INT(setenv("LD_PRELOAD_OF_ANNA", "/evil.so", 1), 0);
	CHECK(strstr(ask(&f, "{\"verb\":\"command.run\",\"params\":{\"name\":\"environment\"}}\n"),
		"\"output\":\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\\n"
		"LANG=C.UTF-8\\n\""));
	teardown(&f);
}

TEST(a_command_runs_as_the_user_it_was_granted_for) {
	if (geteuid() != 0) {
		print_message("not root: cannot become another user\n");
		skip();
	}
	struct fixture f;
	setup(&f, 0);
	CHECK(strstr(ask(&f, "{\"verb\":\"command.run\",\"params\":{\"name\":\"who\"}}\n"),
		"\"output\":\"nobody\\n\""));
	teardown(&f);
}

TEST(what_is_not_granted_or_not_understood_is_refused_by_name) {
	static const struct {
		const char *line, *name;
	} rows[] = {
		{"{\"verb\":\"command.run\",\"params\":{\"name\":\"other\"}}\n",
			"PermissionDenied"},
		{"{\"verb\":\"shell\",\"params\":{}}\n", "MethodNotFound"},
		{"{\"verb\":\"command.run\",\"params\":{\"name\":\"hello\",\"argv\":[\"x\"]}}\n",
			"InvalidParams"},
		{"{\"verb\":\"command.run\"}\n", "InvalidParams"},
		{"[]\n", "InvalidRequest"},
		{"rm -rf /\n", "ParseError"},
		{"\n", "ParseError"},
	};
	struct fixture f;
	setup(&f, geteuid());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *answer = ask(&f, rows[i].line);
		CHECK(strstr(answer, "\"ok\":false"));
		CHECK(strstr(answer, rows[i].name));
	}
	teardown(&f);
}

TEST(a_file_with_a_mistake_is_named_as_the_reason_for_a_refusal) {
	struct fixture f;
	setup(&f, geteuid());
	write_grants(&f, "[[commands]]\nname = \"hello\"\nargs = 1\n");
	CHECK(strstr(
		ask(&f, "{\"verb\":\"command.run\",\"params\":{\"name\":\"hello\"}}\n"), "a.toml"));
	teardown(&f);
}

TEST(a_command_over_its_time_is_ended) {
	struct fixture f;
	setup(&f, geteuid());
	const char *answer = ask(&f, "{\"verb\":\"command.run\",\"params\":{\"name\":\"long\"}}\n");
	CHECK(strstr(answer, "\"name\":\"Timeout\""));
	teardown(&f);
}

TEST(a_request_that_is_too_long_is_refused) {
	struct fixture f;
	setup(&f, geteuid());
	static char line[HELPER_REQUEST_MAX + 10];
	memset(line, ' ', sizeof(line) - 1);
	CHECK(strstr(ask(&f, line), "QuotaExceeded"));
	teardown(&f);
}

TEST(an_asker_who_leaves_while_it_runs_does_not_stop_it) {
	struct fixture f;
	setup(&f, geteuid());
	char grants[256], mark[128];
	(void)snprintf(mark, sizeof(mark), "%s/mark", f.folder);
	(void)snprintf(grants, sizeof(grants),
		"[[commands]]\nname = \"mark\"\nargv = [\"/bin/sh\", \"-c\", \"sleep 0.1; echo "
		">%s\"]\n",
		mark);
	write_grants(&f, grants);
	int fd = connect_it(&f);
	static const char line[] = "{\"verb\":\"command.run\",\"params\":{\"name\":\"mark\"}}\n";
	CHECK_INT(write(fd, line, sizeof(line) - 1), sizeof(line) - 1);
	loop_step(f.loop, STEP_NS); // accepted
	loop_step(f.loop, STEP_NS); // read, begun
	close(fd);
	for (int i = 0; i < PATIENCE && access(mark, F_OK) != 0; i++) {
		loop_step(f.loop, STEP_NS);
	}
	CHECK_INT(access(mark, F_OK), 0);
	teardown(&f);
}

TEST(somebody_else_is_refused) {
	if (geteuid() != 0) {
		print_message("not root: cannot become another user\n");
		skip();
	}
	struct fixture f;
	setup(&f, 0);
	CHECK_INT(chmod(f.folder, 0755) | chmod(f.path, 0666), 0);
	CHECK_INT(seteuid(65534), 0);
	int fd = connect_it(&f);
	CHECK_INT(seteuid(0), 0);
	CHECK(strstr(finish(&f, fd), "PermissionDenied"));
	teardown(&f);
}

int main(void) {
	return TESTS(RUN(a_granted_command_is_run_and_its_output_and_status_are_the_answer),
		RUN(nothing_of_the_asker_reaches_the_environment),
		RUN(a_command_runs_as_the_user_it_was_granted_for),
		RUN(what_is_not_granted_or_not_understood_is_refused_by_name),
		RUN(a_file_with_a_mistake_is_named_as_the_reason_for_a_refusal),
		RUN(a_command_over_its_time_is_ended), RUN(a_request_that_is_too_long_is_refused),
		RUN(an_asker_who_leaves_while_it_runs_does_not_stop_it),
		RUN(somebody_else_is_refused));
}
