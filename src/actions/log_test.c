// SPDX-License-Identifier: Apache-2.0
// The log action: the expanded line is logged and reported, and cannot forge another line.
#include "base/log.h"

#include "actions/actions.h"
#include "formats/toml.h"
#include "tests/check.h"

static int ends;

static void on_done(struct action_call *call, const struct err *err) {
	(void)call;
	CHECK(!err);
	ends++;
}

static void *read_config(struct arena *arena, const char *toml, struct problems *problems) {
	struct option_reader reader = {.arena = arena, .problems = problems};
	const struct value *table = toml_parse(arena, "t.toml", str_from(toml), problems);
	void *config = arena_alloc(arena, actions[0]->size);
	struct place place = {"t.toml", 1, 1};
	if (option_fill(&reader, actions[0]->rows, table, place, config)) {
		actions[0]->check(config, place, arena, problems);
	}
	return config;
}

static struct event *create_event_with_mount(void) {
	struct event *event = event_create("test.a", "test", STR(""));
	event_set_text(event, "mount", "/a\n2026 forged");
	event_set_int(event, "used", 93);
	return event;
}

TEST(the_line_is_logged_escaped_and_reported_as_it_is) {
	struct problems problems = PROBLEMS_INIT;
	struct arena *arena = arena_create();
	struct event *event = create_event_with_mount();
	int fds[2];
	CHECK_INT(pipe(fds), 0);
	log_set_fd(fds[1]);
	struct action_call call = {.event = event,
		.mapping = "full",
		.config = read_config(arena,
			"message = '{mount} at {used} % {none}.'\nlevel = 'warn'", &problems),
		.result = event_create("action.finished", "engine", STR("full")),
		.on_done = on_done};

	actions[0]->run(&call);

	char line[512] = "";
	CHECK(read(fds[0], line, sizeof(line) - 1) > 0);
	log_set_fd(STDERR_FILENO);
	CHECK_INT(ends, 1);
	CHECK(strstr(line, "full: /a\\x0a2026 forged at 93 % ."));
	CHECK(!strstr(line, "\n2026"));
	CHECK_STR(
		event_attribute(call.result, STR("message"))->string, "/a\n2026 forged at 93 % .");
	CHECK(!event_attribute(call.result, STR("truncated")));
	(void)close(fds[0]);
	(void)close(fds[1]);
	event_unref(call.result);
	event_unref(event);
	problems_finish(&problems);
	arena_destroy(arena);
}

// The event says no more than the log does, and that something is missing.
TEST(a_line_too_long_for_the_log_is_cut_and_reported_as_cut) {
	struct problems problems = PROBLEMS_INIT;
	struct arena *arena = arena_create();
	struct event *event = event_create("test.a", "test", STR(""));
	struct buf many = BUF_INIT;
	int fds[2];
	for (int i = 0; i < 450; i++) {
		buf_append_text(&many, "\xc3\xa4"); // 900 bytes: just fits
	}
	event_set_str(event, "many", buf_str(&many));
	CHECK_INT(pipe(fds), 0);
	log_set_fd(fds[1]);
	struct action_call call = {.event = event,
		.mapping = "full",
		.config = read_config(arena, "message = '{many}'\nlevel = 'warn'", &problems),
		.on_done = on_done};

	call.result = event_create("action.finished", "engine", STR("full"));
	actions[0]->run(&call);
	CHECK(!event_attribute(call.result, STR("truncated")));
	event_unref(call.result);

	call.config = read_config(arena, "message = 'x{many}'\nlevel = 'warn'", &problems);
	call.result = event_create("action.finished", "engine", STR("full"));
	char lines[4096] = "";
	CHECK(read(fds[0], lines, sizeof(lines) - 1) > 0); // the first one
	actions[0]->run(&call);
	ssize_t n = read(fds[0], lines, sizeof(lines) - 1);
	CHECK(n > 0);
	lines[n] = '\0';
	log_set_fd(STDERR_FILENO);

	CHECK(event_attribute(call.result, STR("truncated")));
	struct str message = event_attribute(call.result, STR("message"))->string;
	CHECK_INT(message.len, 899); // 1 and 449 times 2: between characters
	CHECK(str_ends(str_trim(str_from(lines)), message));
	(void)close(fds[0]);
	(void)close(fds[1]);
	buf_finish(&many);
	event_unref(call.result);
	event_unref(event);
	problems_finish(&problems);
	arena_destroy(arena);
}

TEST(a_message_with_half_a_brace_is_a_problem) {
	struct problems problems = PROBLEMS_INIT;
	struct arena *arena = arena_create();
	struct buf text = BUF_INIT;

	(void)read_config(arena, "message = 'a {mount'", &problems);

	problems_format(&problems, &text);
	CHECK_TEXT(buf_text(&text),
		"t.toml:1:1: error: message: column 3: '{' without '}' after it;"
		" write '{{' for a brace itself\n");
	buf_finish(&text);
	problems_finish(&problems);
	arena_destroy(arena);
}

int main(void) {
	return TESTS(RUN(the_line_is_logged_escaped_and_reported_as_it_is),
		RUN(a_line_too_long_for_the_log_is_cut_and_reported_as_cut),
		RUN(a_message_with_half_a_brace_is_a_problem));
}
