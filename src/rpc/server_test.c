// SPDX-License-Identifier: Apache-2.0
#include "rpc/server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"
#define PONG "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n"

static struct call *held;
static int role;

static void handle_ping(struct call *call) {
	role = (int)call_caller(call)->role;
	json_bool(call_result(call), true);
	call_reply(call);
}

static void handle_hold(struct call *call) {
	held = call;
}

static void handle_large(struct call *call) {
	char *text = xmalloc(1024 * 1024);
	memset(text, 'a', 1024 * 1024);
	json_str(call_result(call), str_range(text, 1024 * 1024));
	free(text);
	call_reply(call);
}

static const struct method ping = {.name = "ping", .role = ROLE_READ, .handle = handle_ping};
static const struct method hold = {.name = "hold", .role = ROLE_READ, .handle = handle_hold};
static const struct method large = {.name = "large", .role = ROLE_READ, .handle = handle_large};
static const struct method *const methods[] = {&ping, &hold, &large};

struct fixture {
	struct fake_loop fake;
	struct rpc *rpc;
	struct rpc_server *server;
	char folder[64];
	char path[96];
};

static void setup_with(struct fixture *f, struct rpc_config config) {
	struct err err = ERR_INIT;
	*f = (struct fixture){0};
	fake_loop_init(&f->fake, 1);
	struct rpc_options options = {
		.clock = &f->fake.clock.clock, .methods = methods, .method_count = 3};
	f->rpc = rpc_create(&options);
	rpc_set_ready(f->rpc, true);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/anna-server-XXXXXX");
	CHECK(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/sock", f->folder);
	config.idle_timeout = config.idle_timeout ? config.idle_timeout : 60 * NS_PER_SECOND;
	config.max_connections = config.max_connections ? config.max_connections : 4;
	f->server = rpc_server_open(f->fake.loop, f->rpc, &config, f->path, -1, &err);
	CHECK(f->server);
	held = NULL;
}

static void setup(struct fixture *f) {
	setup_with(f, (struct rpc_config){0});
}

static void run(struct fixture *f) {
	for (int i = 0; i < 5; i++) {
		loop_step(f->fake.loop, 0);
	}
}

static void teardown(struct fixture *f) {
	rpc_server_close(f->server);
	run(f);
	rpc_destroy(f->rpc);
	CHECK_INT(rmdir(f->folder), 0); // the socket is gone
	fake_loop_finish(&f->fake);
}

static int connect_client(struct fixture *f) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, f->path, strlen(f->path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	run(f);
	return fd;
}

static void say(struct fixture *f, int fd, const char *text) {
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
	run(f);
}

// What the client can read now; is_closed says whether the end came.
static struct str hear(struct fixture *f, int fd, bool *is_closed) {
	static char bytes[4096];
	size_t len = 0;
	ssize_t n = 0;
	run(f);
	while (len < sizeof(bytes) && (n = read(fd, bytes + len, sizeof(bytes) - len)) > 0) {
		len += (size_t)n;
	}
	*is_closed = n == 0 || (n < 0 && errno != EAGAIN);
	return str_range(bytes, len);
}

TEST(a_client_is_answered_and_ourselves_are_admin) {
	struct fixture f;
	bool closed;
	setup(&f);
	int fd = connect_client(&f);

	say(&f, fd, PING);

	CHECK_STR(hear(&f, fd, &closed), PONG);
	CHECK(!closed);
	CHECK_INT(role, ROLE_ADMIN);
	close(fd);
	teardown(&f);
}

TEST(one_connection_too_many_gets_a_line_and_the_others_go_on) {
	struct fixture f;
	bool closed;
	setup_with(&f, (struct rpc_config){.max_connections = 1});
	int first = connect_client(&f), second = connect_client(&f);

	struct str line = hear(&f, second, &closed);
	CHECK(str_starts(line, STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":4001,")));
	CHECK(closed);
	say(&f, first, PING);
	CHECK_STR(hear(&f, first, &closed), PONG);
	close(first);
	close(second);
	run(&f);

	int third = connect_client(&f);
	say(&f, third, PING);
	CHECK_STR(hear(&f, third, &closed), PONG);
	close(third);
	teardown(&f);
}

TEST(a_client_that_ends_its_side_still_gets_its_answers) {
	struct fixture f;
	bool closed;
	setup(&f);
	int fd = connect_client(&f);

	say(&f, fd, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"hold\"}"); // no line end
	CHECK_INT(shutdown(fd, SHUT_WR), 0);
	run(&f);
	CHECK(held);
	(void)hear(&f, fd, &closed);
	CHECK(!closed);
	json_bool(call_result(held), true);
	call_reply(held);

	CHECK_STR(hear(&f, fd, &closed), "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":true}\n");
	CHECK(closed);
	close(fd);
	teardown(&f);
}

TEST(a_client_that_vanishes_leaves_an_abandoned_call) {
	struct fixture f;
	struct rpc_stats stats;
	setup(&f);
	int fd = connect_client(&f);
	say(&f, fd, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"hold\"}\n");

	close(fd);
	run(&f);

	CHECK(call_is_abandoned(held));
	rpc_get_stats(f.rpc, &stats);
	CHECK_INT(stats.sessions, 0);
	json_bool(call_result(held), true);
	call_reply(held);
	teardown(&f);
}

TEST(an_idle_connection_is_closed_but_not_one_that_waits) {
	struct fixture f;
	bool closed;
	setup(&f);
	int idle = connect_client(&f), waiting = connect_client(&f);
	say(&f, waiting, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"hold\"}\n");

	loop_advance(f.fake.loop, 65 * NS_PER_SECOND);

	CHECK_INT(hear(&f, idle, &closed).len, 0);
	CHECK(closed);
	(void)hear(&f, waiting, &closed);
	CHECK(!closed);
	json_bool(call_result(held), true);
	call_reply(held);
	close(idle);
	close(waiting);
	teardown(&f);
}

TEST(a_message_that_is_never_finished_ends_with_an_error) {
	struct fixture f;
	bool closed;
	setup(&f);
	int fd = connect_client(&f);

	for (int i = 0; i < 70; i++) { // a byte a second does not help
		(void)!send(fd, "{", 1, MSG_NOSIGNAL);
		loop_advance(f.fake.loop, NS_PER_SECOND);
	}

	struct str line = hear(&f, fd, &closed);
	CHECK(str_starts(line, STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":3003,")));
	CHECK(closed);
	close(fd);
	teardown(&f);
}

TEST(a_client_that_never_reads_is_closed_and_harms_nobody) {
	struct fixture f;
	bool closed;
	struct rpc_stats stats;
	setup(&f);
	int greedy = connect_client(&f), other = connect_client(&f);
	struct buf flood = BUF_INIT;
	for (int i = 0; i < 1000; i++) {
		buf_append_text(&flood, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"large\"}\n");
	}

	CHECK(write(greedy, flood.at, flood.len) > 0);
	run(&f);
	rpc_get_stats(f.rpc, &stats);
	CHECK(stats.calls < 5); // the others wait unread
	say(&f, other, PING);
	CHECK_STR(hear(&f, other, &closed), PONG);
	loop_advance(f.fake.loop, 40 * NS_PER_SECOND);

	rpc_get_stats(f.rpc, &stats);
	CHECK_INT(stats.sessions, 1);
	CHECK_INT(stats.input_bytes, 0);
	buf_finish(&flood);
	close(greedy);
	close(other);
	teardown(&f);
}

TEST(a_slow_reader_gets_every_answer_in_the_end) {
	struct fixture f;
	bool closed;
	size_t total = 0;
	setup(&f);
	int fd = connect_client(&f);
	for (int i = 0; i < 10; i++) {
		say(&f, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"large\"}\n");
	}

	for (size_t n = 1; n > 0;) {
		n = hear(&f, fd, &closed).len;
		total += n;
	}

	CHECK_INT(total,
		10 *
			(1024 * 1024 +
				sizeof("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"
				       "\"\"}\n") -
				1));
	close(fd);
	teardown(&f);
}

TEST(closing_the_server_ends_every_connection) {
	struct fixture f;
	bool closed;
	setup(&f);
	int fd = connect_client(&f);
	say(&f, fd, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"hold\"}\n");

	rpc_server_close(take_ptr(f.server));

	(void)hear(&f, fd, &closed);
	CHECK(closed);
	CHECK(call_is_abandoned(held));
	json_bool(call_result(held), true);
	call_reply(held);
	close(fd);
	teardown(&f);
}

static mode_t mode_of(const char *path) {
	struct stat st;
	CHECK_INT(stat(path, &st), 0);
	return st.st_mode & 07777;
}

TEST(who_may_connect_changes_with_a_restart_and_says_so) {
	struct fixture f;
	struct rpc_config config = {.others = 1, .idle_timeout = NS_PER_SECOND};
	setup_with(&f, config);
	CHECK_INT(mode_of(f.path), 0666);

	config.others = 0;
	rpc_server_configure(f.server, &config);

	CHECK_INT(mode_of(f.path), 0666);
	for (const struct option *row = rpc_section.rows; row->key; row++) {
		bool is_fixed = strcmp(row->key, "group") == 0 || strcmp(row->key, "others") == 0;
		CHECK_INT(row->apply, is_fixed ? APPLY_RESTART : APPLY_LIVE);
	}
	teardown(&f);
}

int main(void) {
	return TESTS(RUN(a_client_is_answered_and_ourselves_are_admin),
		RUN(one_connection_too_many_gets_a_line_and_the_others_go_on),
		RUN(a_client_that_ends_its_side_still_gets_its_answers),
		RUN(a_client_that_vanishes_leaves_an_abandoned_call),
		RUN(an_idle_connection_is_closed_but_not_one_that_waits),
		RUN(a_message_that_is_never_finished_ends_with_an_error),
		RUN(a_client_that_never_reads_is_closed_and_harms_nobody),
		RUN(a_slow_reader_gets_every_answer_in_the_end),
		RUN(closing_the_server_ends_every_connection),
		RUN(who_may_connect_changes_with_a_restart_and_says_so));
}
