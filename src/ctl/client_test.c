// SPDX-License-Identifier: Apache-2.0
#include "ctl/client.h"

#include <stdlib.h>

#include "tests/check.h"

TEST(the_waits_double_and_carry_ten_percent_of_jitter) {
	struct random random;
	random_init(&random, 7);
	for (int i = 0; i < 1000; i++) {
		int first = client_backoff_ms(&random, 1, 0);
		int second = client_backoff_ms(&random, 2, 0);
		int third = client_backoff_ms(&random, 3, 0);
		CHECK(first >= 90 && first <= 110);
		CHECK(second >= 180 && second <= 220);
		CHECK(third >= 360 && third <= 440);
		CHECK_INT(client_backoff_ms(&random, 4, 0), 0);
	}
}

TEST(the_daemon_may_ask_for_a_longer_wait_up_to_a_second) {
	struct random random;
	random_init(&random, 7);
	CHECK_INT(client_backoff_ms(&random, 1, 500), 500);
	CHECK_INT(client_backoff_ms(&random, 1, 60000), 1000);
	CHECK_INT(client_backoff_ms(&random, 4, 500), 0);
}

static int waits;
static int waited_ms;

static void count_wait(struct client *client, int ms) {
	(void)client;
	waits++;
	waited_ms += ms;
}

static bool call(const char *path, const char *method, struct failure *failure) {
	struct client client;
	struct arena *arena = arena_create();
	struct request request = {.method = method, .is_repeatable = false};
	const struct value *result;
	waits = waited_ms = 0;
	client_init(&client, path, 5 * NS_PER_SECOND, clock_system());
	client.wait_ms = count_wait;
	result = client_call(&client, &request, arena, failure);
	client_finish(&client);
	arena_destroy(arena);
	return result != NULL;
}

TEST(a_missing_socket_is_not_waited_for) {
	struct failure failure = FAILURE_INIT;
	CHECK(!call("/nonexistent/annad.sock", "status", &failure));
	CHECK_INT(failure_exit_status(&failure), 3);
	CHECK_TEXT(failure_name(&failure), "SocketNotFound");
	CHECK(failure.is_unreachable);
	CHECK_INT(waits, 0);
}

TEST(a_refused_connection_is_tried_four_times_whatever_the_method) {
	struct failure failure = FAILURE_INIT;
	CHECK(!call("/proc/self/exe", "reload", &failure)); // no socket: connect says refused
	CHECK_TEXT(failure_name(&failure), "ConnectionRefused");
	CHECK_INT(waits, 3);
	CHECK(waited_ms >= 630 && waited_ms <= 770);
}

TEST(a_path_too_long_for_a_socket_is_said_at_once) {
	char path[300];
	struct failure failure = FAILURE_INIT;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	CHECK(!call(path, "status", &failure));
	CHECK_TEXT(failure.err.message, "a socket path has 1 to 107 bytes, this one 299");
	CHECK_INT(failure_exit_status(&failure), 5);
}

TEST(the_socket_is_the_one_asked_for_then_the_environments_then_the_systems) {
	struct buf path = BUF_INIT;
	setenv("ANNA_SOCKET", "/env.sock", 1);
	connection_find_socket(&path, STR("/asked.sock"));
	CHECK_TEXT(buf_text(&path), "/asked.sock");
	connection_find_socket(&path, STR(""));
	CHECK_TEXT(buf_text(&path), "/env.sock");
	unsetenv("ANNA_SOCKET");
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
	setenv("HOME", "/nonexistent", 1);
	connection_find_socket(&path, STR(""));
	CHECK_TEXT(buf_text(&path), "/run/anna/annad.sock");
	buf_finish(&path);
}

int main(void) {
	return TESTS(RUN(the_waits_double_and_carry_ten_percent_of_jitter),
		RUN(the_daemon_may_ask_for_a_longer_wait_up_to_a_second),
		RUN(a_missing_socket_is_not_waited_for),
		RUN(a_refused_connection_is_tried_four_times_whatever_the_method),
		RUN(a_path_too_long_for_a_socket_is_said_at_once),
		RUN(the_socket_is_the_one_asked_for_then_the_environments_then_the_systems));
}
