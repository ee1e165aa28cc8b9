// SPDX-License-Identifier: Apache-2.0
#include "io/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"

struct fixture {
	struct fake_loop fake;
	char folder[64];
	char path[96];
	struct listener *listener;
	int accepted[32];
	size_t accepted_count;
	int refusals;
	struct peer peer;
	struct err err;
	bool closes;
};

static void on_accept(void *arg, int fd, const struct peer *peer) {
	struct fixture *f = arg;
	f->accepted[f->accepted_count++] = fd;
	f->peer = *peer;
	if (f->closes) {
		listener_close(take_ptr(f->listener));
	}
}

static void on_refuse(void *arg, int fd) {
	((struct fixture *)arg)->refusals++;
	CHECK_INT(write(fd, "no", 2), 2);
}

static struct listener_handlers handlers_of(struct fixture *f) {
	return (struct listener_handlers){on_accept, on_refuse, f};
}

static void setup(struct fixture *f) {
	*f = (struct fixture){0};
	fake_loop_init(&f->fake, 1);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/anna-listener-XXXXXX");
	CHECK(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/sock", f->folder);
}

static void open_listener(struct fixture *f) {
	struct listener_handlers handlers = handlers_of(f);
	f->err = (struct err)ERR_INIT;
	f->listener = listener_open_unix(
		f->fake.loop, f->path, 0660, (gid_t)-1, &handlers, &f->err);
}

static void teardown(struct fixture *f) {
	listener_close(f->listener);
	for (size_t i = 0; i < f->accepted_count; i++) {
		close(f->accepted[i]);
	}
	(void)unlink(f->path);
	CHECK_INT(rmdir(f->folder), 0);
	fake_loop_finish(&f->fake);
}

static int connect_to(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void run(struct fixture *f) {
	for (int i = 0; i < 3; i++) {
		loop_step(f->fake.loop, 0);
	}
}

TEST(a_connection_is_accepted_with_the_peers_credentials) {
	struct fixture f;
	setup(&f);
	open_listener(&f);
	CHECK(f.listener);

	int fd = connect_to(f.path);
	run(&f);

	CHECK_INT(f.accepted_count, 1);
	CHECK(f.peer.is_known);
	CHECK_INT(f.peer.uid, geteuid());
	CHECK_INT(f.peer.pid, getpid());
	CHECK(peer_is_in_group(f.accepted[0], &f.peer, getegid()));
	CHECK(!peer_is_in_group(f.accepted[0], &f.peer, 4000000000u));
	CHECK_INT(fcntl(f.accepted[0], F_GETFD), FD_CLOEXEC);
	close(fd);
	teardown(&f);
}

TEST(the_socket_has_its_mode_whatever_the_umask) {
	struct fixture f;
	struct stat st;
	setup(&f);
	mode_t old = umask(0777);
	open_listener(&f);
	umask(old);

	CHECK(f.listener);
	CHECK_INT(lstat(f.path, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0660);
	teardown(&f);
}

TEST(a_missing_folder_is_created_for_us_and_our_group) {
	struct fixture f;
	struct stat st;
	setup(&f);
	CHECK_INT(rmdir(f.folder), 0);
	open_listener(&f);

	CHECK(f.listener);
	CHECK_INT(stat(f.folder, &st), 0);
	CHECK_INT(st.st_mode & 07027, 0);
	teardown(&f);
}

TEST(a_folder_others_may_write_to_is_refused) {
	struct fixture f;
	setup(&f);
	CHECK_INT(chmod(f.folder, 0770), 0);

	open_listener(&f);

	CHECK(!f.listener);
	CHECK_INT(f.err.code, ERR_DENIED);
	CHECK(str_find(str_from(f.err.message), STR("chmod 0750")) > 0);
	teardown(&f);
}

TEST(a_folder_that_is_a_symbolic_link_is_refused) {
	struct fixture f;
	setup(&f);
	char link[80];
	(void)snprintf(link, sizeof(link), "%s.link", f.folder);
	CHECK_INT(symlink(f.folder, link), 0);
	(void)snprintf(f.path, sizeof(f.path), "%s/sock", link);

	open_listener(&f);

	CHECK(!f.listener);
	CHECK_INT(f.err.code, ERR_DENIED);
	CHECK_INT(unlink(link), 0);
	teardown(&f);
}

TEST(a_live_socket_is_never_taken_over) {
	struct fixture f, second;
	setup(&f);
	open_listener(&f);
	setup(&second);
	memcpy(second.path, f.path, sizeof(f.path));

	open_listener(&second);

	CHECK(!second.listener);
	CHECK_INT(second.err.code, ERR_BUSY);
	int fd = connect_to(f.path);
	CHECK(fd >= 0);
	close(fd);
	run(&f);
	teardown(&second);
	teardown(&f);
}

TEST(a_stale_socket_of_ours_is_replaced) {
	struct fixture f;
	setup(&f);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, f.path, strlen(f.path));
	int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
	close(stale);

	open_listener(&f);

	CHECK(f.listener);
	teardown(&f);
}

TEST(what_is_not_a_socket_is_left_alone) {
	struct fixture f;
	struct stat st;
	setup(&f);
	int file = open(f.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(file >= 0);
	close(file);
	open_listener(&f);
	CHECK(!f.listener);
	CHECK_INT(f.err.code, ERR_DENIED);
	CHECK_INT(lstat(f.path, &st), 0);

	CHECK_INT(unlink(f.path), 0);
	CHECK_INT(symlink("/nowhere", f.path), 0);
	open_listener(&f);
	CHECK(!f.listener);
	CHECK_INT(f.err.code, ERR_DENIED);
	CHECK(str_find(str_from(f.err.message), STR("symbolic link")) > 0);
	teardown(&f);
}

TEST(a_path_that_does_not_fit_is_refused) {
	struct fixture f;
	setup(&f);
	struct listener_handlers handlers = handlers_of(&f);
	char path[200];
	memset(path, 'a', sizeof(path));
	path[199] = '\0';

	CHECK(!listener_open_unix(f.fake.loop, path, 0660, (gid_t)-1, &handlers, &f.err));

	CHECK_INT(f.err.code, ERR_INVALID);
	teardown(&f);
}

TEST(closing_removes_the_path_only_if_it_is_still_ours) {
	struct fixture f;
	struct stat st;
	setup(&f);
	open_listener(&f);
	listener_close(take_ptr(f.listener));
	CHECK(lstat(f.path, &st) < 0);

	open_listener(&f);
	CHECK_INT(unlink(f.path), 0);
	int file = open(f.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(file);
	listener_close(take_ptr(f.listener));

	CHECK_INT(lstat(f.path, &st), 0);
	teardown(&f);
}

TEST(a_listener_may_be_closed_while_it_accepts) {
	struct fixture f;
	setup(&f);
	open_listener(&f);
	f.closes = true;
	int one = connect_to(f.path), two = connect_to(f.path);

	run(&f);

	CHECK_INT(f.accepted_count, 1);
	close(one);
	close(two);
	teardown(&f);
}

TEST(without_descriptors_connections_are_refused_and_others_go_on) {
	struct fixture f;
	struct rlimit limit;
	char bytes[8];
	setup(&f);
	open_listener(&f);
	int one = connect_to(f.path), two = connect_to(f.path);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	struct rlimit tight = {.rlim_cur = 3, .rlim_max = limit.rlim_max};
	int highest = dup(two); // all numbers up to here are in use
	close(highest);
	tight.rlim_cur = (rlim_t)highest;

	CHECK_INT(setrlimit(RLIMIT_NOFILE, &tight), 0);
	run(&f);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);

	CHECK_INT(f.accepted_count, 0);
	CHECK_INT(f.refusals, 2);
	CHECK_INT(read(one, bytes, sizeof(bytes)), 2);
	int three = connect_to(f.path);
	loop_advance(f.fake.loop, NS_PER_SECOND);
	CHECK_INT(f.accepted_count, 1);
	close(one);
	close(two);
	close(three);
	teardown(&f);
}

TEST(a_tcp_listener_takes_a_free_port_and_says_which) {
	struct fixture f;
	setup(&f);
	struct listener_handlers handlers = handlers_of(&f);
	f.listener = listener_open_tcp(f.fake.loop, "127.0.0.1", 0, &handlers, &f.err);
	CHECK(f.listener);
	uint16_t port = listener_port(f.listener);
	char expected[32];
	(void)snprintf(expected, sizeof(expected), "127.0.0.1:%u", port);
	CHECK_TEXT(listener_address(f.listener), expected);

	CHECK(!listener_open_tcp(f.fake.loop, "127.0.0.1", port, &handlers, &f.err));
	CHECK_INT(f.err.code, ERR_BUSY);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	run(&f);

	CHECK_INT(f.accepted_count, 1);
	CHECK(!f.peer.is_known);
	close(fd);
	teardown(&f);
}

TEST(addresses_that_are_not_loopback_are_refused) {
	static const char *const addresses[] = {
		"0.0.0.0", "192.168.0.1", "::", "localhost", "", "128.0.0.1"};
	struct fixture f;
	setup(&f);
	struct listener_handlers handlers = handlers_of(&f);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		CHECK(!listener_open_tcp(f.fake.loop, addresses[i], 0, &handlers, &f.err));
		CHECK_INT(f.err.code, ERR_INVALID);
	}
	teardown(&f);
}

TEST(an_inherited_socket_is_adopted_and_its_path_left_behind) {
	struct fixture f;
	struct stat st;
	setup(&f);
	struct listener_handlers handlers = handlers_of(&f);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, f.path, strlen(f.path));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_INT(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(listen(fd, 5), 0);

	f.listener = listener_adopt(f.fake.loop, fd, &handlers, &f.err);
	CHECK(f.listener);
	CHECK_TEXT(listener_address(f.listener), f.path);
	int client = connect_to(f.path);
	run(&f);
	CHECK_INT(f.accepted_count, 1);
	CHECK(f.peer.is_known);
	listener_close(take_ptr(f.listener));

	CHECK_INT(lstat(f.path, &st), 0);
	CHECK(!listener_adopt(f.fake.loop, dup(client), &handlers, &f.err));
	close(client);
	teardown(&f);
}

int main(void) {
	return TESTS(RUN(a_connection_is_accepted_with_the_peers_credentials),
		RUN(the_socket_has_its_mode_whatever_the_umask),
		RUN(a_missing_folder_is_created_for_us_and_our_group),
		RUN(a_folder_others_may_write_to_is_refused),
		RUN(a_folder_that_is_a_symbolic_link_is_refused),
		RUN(a_live_socket_is_never_taken_over), RUN(a_stale_socket_of_ours_is_replaced),
		RUN(what_is_not_a_socket_is_left_alone), RUN(a_path_that_does_not_fit_is_refused),
		RUN(closing_removes_the_path_only_if_it_is_still_ours),
		RUN(a_listener_may_be_closed_while_it_accepts),
		RUN(without_descriptors_connections_are_refused_and_others_go_on),
		RUN(a_tcp_listener_takes_a_free_port_and_says_which),
		RUN(addresses_that_are_not_loopback_are_refused),
		RUN(an_inherited_socket_is_adopted_and_its_path_left_behind));
}
