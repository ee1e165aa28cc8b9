// SPDX-License-Identifier: Apache-2.0
// exec with real programs of /bin on the real loop; each test waits for the end of its run.
#include "engine/action.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "actions/actions.h"
#include "base/alloc.h"
#include "formats/toml.h"
#include "io/child.h"
#include "io/loop.h"
#include "tests/check.h"

struct fixture {
	struct arena *arena;
	struct problems problems;
	struct loop *loop;
	struct random random;
	struct services services;
	struct action_call call;
	int ends;
	struct err err; // of the end
};

static const struct action *exec_action(void) {
	for (size_t i = 0; i < actions_count; i++) {
		if (strcmp(actions[i]->name, "exec") == 0) {
			return actions[i];
		}
	}
	return NULL;
}

static void on_done(struct action_call *call, const struct err *err) {
	struct fixture *fixture = list_item(call, struct fixture, call);
	fixture->ends++;
	fixture->err = err ? *err : (struct err)ERR_INIT;
}

static void fixture_init(struct fixture *fixture) {
	*fixture = (struct fixture){.arena = arena_create()};
	random_init(&fixture->random, 1);
	fixture->loop = loop_create(clock_system(), NULL, NULL);
	fixture->services = (struct services){.loop = fixture->loop,
		.children = child_runner_create(fixture->loop),
		.random = &fixture->random,
		.state_folder = "/nowhere",
		.sysroot = ""};
	struct event *event = event_create("test.a", "test", STR("the subject"));
	event->time_ns = 1767225600 * NS_PER_SECOND;
	trace_init(&event->trace, &fixture->random);
	event_set_text(event, "mount", "/var; rm -rf \"$HOME\" `id` $(id) {level}");
	event_set_int(event, "used-percent", 93);
	event_set_str(event, "nul", str_range("a\0b", 3));
	event_set_text(event, "id", "forged");
	event_set_text(event, "path", "forged");
	event->id = 7;
	fixture->call = (struct action_call){.services = &fixture->services,
		.event = event,
		.mapping = "m",
		.key = STR("7:m"),
		.attempt = 1,
		.result = event_create("action.finished", "engine", STR("m")),
		.on_done = on_done};
}

static void fixture_finish(struct fixture *fixture) {
	event_unref(fixture->call.event);
	event_unref(fixture->call.result);
	child_runner_destroy(fixture->services.children);
	loop_destroy(fixture->loop);
	problems_finish(&fixture->problems);
	arena_destroy(fixture->arena);
}

// False when the configuration has problems.
static bool configure(struct fixture *fixture, const char *toml) {
	struct option_reader reader = {.arena = fixture->arena, .problems = &fixture->problems};
	const struct value *table = toml_parse(
		fixture->arena, "t.toml", str_from(toml), &fixture->problems);
	void *config = arena_alloc(fixture->arena, exec_action()->size);
	struct place place = {"t.toml", 1, 1};
	if (option_fill(&reader, exec_action()->rows, table, place, config)) {
		exec_action()->check(config, place, fixture->arena, &fixture->problems);
	}
	fixture->call.config = config;
	return !problems_has_errors(&fixture->problems);
}

static void wait_for_end(struct fixture *fixture) {
	int64_t end = clock_monotonic(clock_system()) + 60 * NS_PER_SECOND;
	while (!fixture->ends) {
		CHECK(clock_monotonic(clock_system()) < end);
		loop_step(fixture->loop, 10 * NS_PER_MS);
	}
	CHECK_INT(fixture->ends, 1);
}

static void run(struct fixture *fixture, const char *toml) {
	CHECK(configure(fixture, toml));
	exec_action()->run(&fixture->call);
	wait_for_end(fixture);
}

static struct str result_text(const struct fixture *fixture, const char *name) {
	const struct value *value = event_attribute(fixture->call.result, str_from(name));
	return value ? value->string : STR("(absent)");
}

static int64_t result_int(const struct fixture *fixture, const char *name) {
	const struct value *value = event_attribute(fixture->call.result, str_from(name));
	return value ? value->integer : -1;
}

TEST(values_with_shell_signs_stay_one_argument) {
	struct fixture fixture;
	fixture_init(&fixture);

	run(&fixture,
		"argv = [\"/usr/bin/printf\", \"<%s>\", \"{mount}\", \"{{x}}\", \"\", \"{nul}\"]");

	CHECK_INT(fixture.err.code, ERR_NONE);
	CHECK_STR(result_text(&fixture, "output"),
		"</var; rm -rf \"$HOME\" `id` $(id) {level}><{x}><><a\xef\xbf\xbd"
		"b>");
	CHECK_INT(result_int(&fixture, "exit_status"), 0);
	CHECK(result_int(&fixture, "pid") > 0);
	fixture_finish(&fixture);
}

TEST(a_shell_runs_the_text_as_written_with_values_in_its_environment) {
	struct fixture fixture;
	fixture_init(&fixture);

	run(&fixture, "shell = 'echo \"$ANNA_EVENT_MOUNT\" {mount}'");

	CHECK_STR(result_text(&fixture, "output"),
		"/var; rm -rf \"$HOME\" `id` $(id) {level} {mount}\n");
	fixture_finish(&fixture);
}

TEST(the_environment_is_what_anna_says_and_no_more) {
	struct fixture fixture;
	fixture_init(&fixture);
	(void)setenv("SECRET_OF_ANNA", "x", 1);
	(void)setenv("PATH", "/usr/bin:/bin", 1);
	(void)setenv("HOME", "/root", 1);
	(void)unsetenv("LANG");

	run(&fixture,
		"shell = 'env | sort | grep -v -e JSON= -e TRACE -e ^PWD= -e ^_='\n"
		"env = { EXTRA = \"<{subject}>\", HOME = \"/else\" }");

	CHECK_STR(result_text(&fixture, "output"),
		"ANNA_ATTEMPT=1\nANNA_EVENT_ID=7\nANNA_EVENT_KIND=test.a\n"
		"ANNA_EVENT_MOUNT=/var; rm -rf \"$HOME\" `id` $(id) {level}\n"
		"ANNA_EVENT_NUL=a\xef\xbf\xbd"
		"b\nANNA_EVENT_PATH=forged\nANNA_EVENT_SOURCE=test\n"
		"ANNA_EVENT_SUBJECT=the subject\nANNA_EVENT_TIME=2026-01-01T00:00:00.000000Z\n"
		"ANNA_EVENT_USED_PERCENT=93\nANNA_KEY=7:m\nANNA_MAPPING=m\nEXTRA=<the subject>\n"
		"HOME=/else\nLANG=C.UTF-8\nPATH=/usr/bin:/bin\n");
	fixture_finish(&fixture);
}

static const struct {
	const char *toml;
	const char *error;
} mistakes[] = {
	{"",
		"t.toml:1:1: error: an exec action needs argv = [\"/path/to/program\", …], or "
		"shell\n"},
	{"argv = [\"x\"]\nshell = \"y\"",
		"t.toml:1:1: error: an exec action has either argv or shell, not both\n"},
	{"argv = [\"{mount}\"]",
		"t.toml:1:1: error: argv[0] must name the program itself: an event"
		" may not choose it with {mount}\n"},
	{"argv = [\"x\", \"{mount\"]",
		"t.toml:1:1: error: argv[1]: column 1: '{' without '}' after"
		" it; write '{{' for a brace itself\n"},
	{"argv = \"x\"\ndirectory = \"here\"",
		"t.toml:1:1: error: directory must be a whole path, beginning with /\n"},
	{"argv = \"x\"\nenv = 3",
		"t.toml:2:7: error: env must be a table of at most 64 strings, like { LEVEL = "
		"\"{level}\" }\n"},
	{"argv = \"x\"\nenv = { ANNA_KEY = \"x\", \"a b\" = \"y\", Z = 1 }",
		"t.toml:2:9: error: env: ANNA_KEY is set by Anna herself\n"
		"t.toml:2:25: error: env: \"a b\" is no name of a variable: letters, digits and _\n"
		"t.toml:2:42: error: env: Z must be a string, not an integer\n"},
};

TEST(every_mistake_is_named) {
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct fixture fixture;
		struct buf text = BUF_INIT;
		fixture_init(&fixture);
		CHECK(!configure(&fixture, mistakes[i].toml));
		problems_format(&fixture.problems, &text);
		CHECK_TEXT(buf_text(&text), mistakes[i].error);
		buf_finish(&text);
		fixture_finish(&fixture);
	}
}

TEST(a_failing_program_is_an_error_with_its_status) {
	struct fixture fixture;
	fixture_init(&fixture);

	run(&fixture, "shell = 'echo no; exit 3'");

	CHECK_TEXT(fixture.err.message, "the program ended with exit status 3");
	CHECK_STR(result_text(&fixture, "output"), "no\n");
	fixture_finish(&fixture);
}

TEST(a_missing_program_is_an_error_at_once) {
	struct fixture fixture;
	fixture_init(&fixture);
	CHECK(configure(&fixture, "argv = [\"/no/program\"]"));

	exec_action()->run(&fixture.call);

	CHECK_INT(fixture.ends, 1);
	CHECK_TEXT(fixture.err.message, "cannot run /no/program: No such file or directory");
	fixture_finish(&fixture);
}

TEST(output_is_cut_at_its_limit_between_characters_and_cleaned) {
	struct fixture fixture;
	fixture_init(&fixture);

	run(&fixture,
		"shell = 'printf \"ab\\\\377\\\\303\\\\244\\\\303\\\\244x\"'\noutput_limit = 6");

	CHECK_STR(result_text(&fixture, "output"), "ab\xef\xbf\xbdä");
	CHECK(event_attribute(fixture.call.result, STR("output_cut")));
	fixture_finish(&fixture);
}

TEST(output_that_swells_when_cleaned_still_fits_an_event) {
	struct fixture fixture;
	fixture_init(&fixture);

	run(&fixture,
		"shell = \"head -c 200000 /dev/zero | tr '\\\\0' '\\\\377'\"\n"
		"output_limit = \"128KiB\"");

	struct str output = result_text(&fixture, "output");
	CHECK(str_starts(output, STR("\xef\xbf\xbd\xef\xbf\xbd")));
	CHECK(arena_used(fixture.call.result->arena) < EVENT_BYTES_MAX - 16 * 1024);
	CHECK(event_attribute(fixture.call.result, STR("output_cut")));
	fixture_finish(&fixture);
}

static bool has_ended(int64_t pid) {
	char state[128] = "";
	char *path = xasprintf("/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0) {
		return true;
	}
	ssize_t n = read(fd, state, sizeof(state) - 1);
	(void)close(fd);
	state[n > 0 ? n : 0] = '\0';
	return n <= 0 || strstr(state, ") Z ");
}

TEST(a_time_limit_ends_the_whole_group_grandchildren_too) {
	struct fixture fixture;
	fixture_init(&fixture);

	// The grandchild ignores SIGTERM; its parent dies of it.
	run(&fixture,
		"shell = '''\n"
		"(trap '' TERM; while :; do read x; done) </dev/zero >/dev/null & echo $!\n"
		"wait'''\ntimeout = \"200ms\"\nkill_after = \"100ms\"");

	CHECK_INT(fixture.err.code, ERR_SLOW);
	CHECK(event_attribute(fixture.call.result, STR("timed_out")));
	int64_t grandchild = 0;
	CHECK(str_to_int64(str_trim(result_text(&fixture, "output")), &grandchild));
	for (int i = 0; i < 6000 && !has_ended(grandchild); i++) {
		loop_step(fixture.loop, 10 * NS_PER_MS);
	}
	CHECK(has_ended(grandchild));
	fixture_finish(&fixture);
}

// Its output is the id of a process that goes on without it.
#define LEAVES_ONE "shell = 'sleep 1000 >/dev/null 2>&1 & echo $!'\n"

TEST(what_a_program_leaves_behind_is_killed_at_its_end) {
	struct fixture fixture;
	fixture_init(&fixture);

	run(&fixture, LEAVES_ONE);

	CHECK_INT(fixture.err.code, ERR_NONE);
	CHECK_INT(result_int(&fixture, "exit_status"), 0);
	int64_t left = 0;
	CHECK(str_to_int64(str_trim(result_text(&fixture, "output")), &left));
	for (int i = 0; i < 600 && !has_ended(left); i++) {
		loop_step(fixture.loop, 10 * NS_PER_MS);
	}
	bool is_killed = has_ended(left);
	(void)kill((pid_t)left, SIGKILL);
	CHECK(is_killed);
	fixture_finish(&fixture);
}

TEST(what_a_program_leaves_behind_is_left_alone_when_the_config_says_so) {
	struct fixture fixture;
	fixture_init(&fixture);

	run(&fixture, LEAVES_ONE "keep_children = true");

	int64_t left = 0;
	CHECK(str_to_int64(str_trim(result_text(&fixture, "output")), &left));
	for (int i = 0; i < 20; i++) {
		loop_step(fixture.loop, 10 * NS_PER_MS);
	}
	CHECK(!has_ended(left));
	CHECK_INT(kill((pid_t)left, SIGKILL), 0);
	fixture_finish(&fixture);
}

TEST(keep_children_does_not_outlast_the_time_limit) {
	struct fixture fixture;
	fixture_init(&fixture);

	run(&fixture,
		"shell = 'sleep 1000 >/dev/null 2>&1 & echo $!; wait'\nkeep_children = true\n"
		"timeout = \"100ms\"");

	int64_t left = 0;
	CHECK(str_to_int64(str_trim(result_text(&fixture, "output")), &left));
	for (int i = 0; i < 600 && !has_ended(left); i++) {
		loop_step(fixture.loop, 10 * NS_PER_MS);
	}
	CHECK(has_ended(left));
	fixture_finish(&fixture);
}

TEST(one_that_ignores_sigterm_is_killed) {
	struct fixture fixture;
	fixture_init(&fixture);

	run(&fixture,
		"shell = \"trap '' TERM; while :; do :; done\"\ntimeout = \"100ms\"\n"
		"kill_after = \"100ms\"");

	CHECK_TEXT(fixture.err.message,
		"it did not end within its time limit of 100ms and was killed");
	CHECK_INT(result_int(&fixture, "signal"), SIGKILL);
	fixture_finish(&fixture);
}

TEST(cancelling_kills_and_reports_at_once) {
	struct fixture fixture;
	fixture_init(&fixture);
	CHECK(configure(&fixture, "shell = 'while :; do :; done'"));
	exec_action()->run(&fixture.call);
	int64_t pid = result_int(&fixture, "pid");

	exec_action()->cancel(&fixture.call);

	CHECK_INT(fixture.ends, 1);
	CHECK_INT(fixture.err.code, ERR_UNAVAILABLE);
	for (int i = 0; i < 6000 && !has_ended(pid); i++) {
		loop_step(fixture.loop, 10 * NS_PER_MS);
	}
	CHECK(has_ended(pid));
	fixture_finish(&fixture);
}

TEST(a_cgroup_that_cannot_be_joined_does_not_keep_an_action_from_running) {
	struct fixture fixture;
	char folder[] = "/tmp/anna-exec-cgroup-XXXXXX";
	fixture_init(&fixture);
	CHECK(mkdtemp(folder)); // no cgroup file system: what is made in it has no cgroup.procs
	fixture.services.cgroup = folder;

	run(&fixture, "argv = [\"/bin/echo\", \"ran\"]");

	CHECK_INT(fixture.err.code, ERR_NONE);
	CHECK_STR(result_text(&fixture, "output"), "ran\n");
	CHECK_INT(rmdir(folder), 0); // and nothing is left behind
	fixture_finish(&fixture);
}

int main(void) {
	return TESTS(RUN(values_with_shell_signs_stay_one_argument),
		RUN(a_shell_runs_the_text_as_written_with_values_in_its_environment),
		RUN(the_environment_is_what_anna_says_and_no_more), RUN(every_mistake_is_named),
		RUN(a_failing_program_is_an_error_with_its_status),
		RUN(a_missing_program_is_an_error_at_once),
		RUN(output_is_cut_at_its_limit_between_characters_and_cleaned),
		RUN(output_that_swells_when_cleaned_still_fits_an_event),
		RUN(a_time_limit_ends_the_whole_group_grandchildren_too),
		RUN(what_a_program_leaves_behind_is_killed_at_its_end),
		RUN(what_a_program_leaves_behind_is_left_alone_when_the_config_says_so),
		RUN(keep_children_does_not_outlast_the_time_limit),
		RUN(one_that_ignores_sigterm_is_killed), RUN(cancelling_kills_and_reports_at_once),
		RUN(a_cgroup_that_cannot_be_joined_does_not_keep_an_action_from_running));
}
