// SPDX-License-Identifier: Apache-2.0
#include "web/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "rpc/anna.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"

// --- the program behind the routes ---

static struct services services;
static enum anna_state state;
static enum anna_health health;

const struct services *anna_services(struct anna *anna) {
	(void)anna;
	return &services;
}

enum anna_state anna_get_state(const struct anna *anna) {
	(void)anna;
	return state;
}

const char *anna_state_name(enum anna_state value) {
	return value == ANNA_RUNNING ? "running" : "starting";
}

const char *anna_health_name(enum anna_health value) {
	return value == HEALTH_OK ? "ok" : "critical";
}

const char *anna_socket(const struct anna *anna) {
	(void)anna;
	return "/run/<anna>&co";
}

enum anna_health anna_get_health(
	const struct anna *anna, struct health_reason *out, size_t n, size_t *out_count) {
	(void)anna;
	*out_count = health == HEALTH_OK ? 0 : 1;
	if (n && *out_count) {
		*out = (struct health_reason){health, "journal", "the disk is full", "free space"};
	}
	return health;
}

// --- the server and a client ---

struct fixture {
	struct fake_loop fake;
	struct http_server *server;
	struct meters *meters;
	struct meter meter;
	uint16_t port;
	struct buf got;
	bool is_closed;
};

static void collect(void *arg, struct exposition *out) {
	(void)arg;
	exposition_family(out, "anna_test", "gauge", "A number.");
	exposition_sample(out, 42, NULL);
}

static void setup_with(struct fixture *f, struct http_config config, const char *listen) {
	struct err err = ERR_INIT;
	*f = (struct fixture){.got = BUF_INIT, .meters = meters_create()};
	fake_loop_init(&f->fake, 1);
	services.meters = f->meters;
	meters_add(services.meters, &f->meter, collect, NULL);
	state = ANNA_RUNNING;
	health = HEALTH_OK;
	config.max_connections = config.max_connections ? config.max_connections : 4;
	config.idle_timeout = 60 * NS_PER_SECOND;
	f->server = http_server_open(f->fake.loop, NULL, &config, listen, &err);
	CHECK(f->server);
	const char *colon = strrchr(http_server_address(f->server), ':');
	f->port = colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

static void setup(struct fixture *f) {
	setup_with(f, (struct http_config){0}, "127.0.0.1:0");
}

static void run(struct fixture *f) {
	for (int i = 0; i < 5; i++) {
		loop_step(f->fake.loop, 0);
	}
}

static void teardown(struct fixture *f) {
	http_server_close(f->server);
	run(f);
	meters_remove(&f->meter);
	meters_destroy(f->meters);
	buf_finish(&f->got);
	fake_loop_finish(&f->fake);
}

static int connect_client(struct fixture *f) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(f->port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	int on = 1; // single bytes leave at once
	CHECK_INT(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	run(f);
	return fd;
}

static double metric(struct fixture *f, const char *name) {
	struct buf text = BUF_INIT;
	_cleanup_(freep) char *line = xasprintf("\n%s ", name);
	meters_format(f->meters, &text);
	const char *at = strstr(buf_text(&text), line);
	CHECK(at);
	double value = strtod(at + strlen(line), NULL);
	buf_finish(&text);
	return value;
}

static void hear(struct fixture *f, int fd) {
	char bytes[4096];
	ssize_t n;
	buf_clear(&f->got);
	run(f);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		buf_append(&f->got, bytes, (size_t)n);
		run(f);
	}
	f->is_closed = n == 0 || errno != EAGAIN;
}

static void say(struct fixture *f, int fd, const char *text) {
	CHECK_INT(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	hear(f, fd);
}

static void ask(struct fixture *f, int fd, const char *method, const char *path) {
	char text[512];
	(void)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", method,
		path, f->port);
	say(f, fd, text);
}

static bool got(const struct fixture *f, const char *text) {
	return str_find(buf_str(&f->got), str_from(text)) >= 0;
}

TEST(metrics_are_served_with_the_headers_they_need) {
	struct fixture f;
	setup(&f);
	int fd = connect_client(&f);

	ask(&f, fd, "GET", "/metrics");

	CHECK(str_starts(buf_str(&f.got), STR("HTTP/1.1 200 OK\r\n")));
	CHECK(got(&f, "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"));
	CHECK(got(&f, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	CHECK(got(&f, "X-Content-Type-Options: nosniff\r\n"));
	CHECK(got(&f, "Cache-Control: no-store\r\n"));
	CHECK(got(&f, "Connection: keep-alive\r\n\r\n# HELP anna_test"));
	CHECK(got(&f, "anna_test 42\n"));
	CHECK(!f.is_closed);
	close(fd);
	teardown(&f);
}

TEST(head_has_the_length_and_no_body) {
	struct fixture f;
	setup(&f);
	int fd = connect_client(&f);

	ask(&f, fd, "HEAD", "/readyz");

	CHECK(got(&f, "Content-Length: 20\r\n"));
	CHECK(str_ends(buf_str(&f.got), STR("\r\n\r\n")));
	close(fd);
	teardown(&f);
}

TEST(health_and_readiness_have_their_status) {
	struct fixture f;
	setup(&f);
	int fd = connect_client(&f);

	ask(&f, fd, "GET", "/healthz");
	CHECK(got(&f, " 200 OK\r\n"));
	ask(&f, fd, "GET", "/readyz");
	CHECK(got(&f, " 200 OK\r\n"));
	health = HEALTH_CRITICAL;
	state = ANNA_STARTING;
	ask(&f, fd, "GET", "/healthz");
	CHECK(got(&f, " 503 Service Unavailable\r\n"));
	CHECK(got(&f, "\"reasons\":[{\"level\":\"critical\",\"part\":\"journal\"}]"));
	CHECK(!got(&f, "the disk is full")); // that text is for those with a role
	ask(&f, fd, "GET", "/readyz");

	CHECK(got(&f, " 503 Service Unavailable\r\n"));
	close(fd);
	teardown(&f);
}

TEST(the_first_page_names_what_there_is_and_escapes) {
	struct fixture f;
	setup(&f);
	int fd = connect_client(&f);

	ask(&f, fd, "GET", "/");

	CHECK(got(&f, "Content-Security-Policy: default-src 'none';"));
	CHECK(got(&f, "<a href=\"/metrics\">/metrics</a>"));
	CHECK(got(&f, "/run/&lt;anna&gt;&amp;co"));
	close(fd);
	teardown(&f);
}

struct row {
	const char *request; // %u is the port
	const char *status;
	bool closes;
};

static const struct row rows[] = {
	{"GET /nothing HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", " 404 ", false},
	{"GET /metrics/ HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", " 404 ", false},
	{"GET /../metrics HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", " 404 ", false},
	{"GET /readyz?x=1 HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", " 200 ", false},
	{"GET /readyz HTTP/1.0\r\nHost: localhost:%u\r\n\r\n", " 200 ", true},
	{"GET /readyz HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n", " 200 ", true},
	{"POST /readyz HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", " 405 ", false},
	{"DELETE /readyz HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", " 405 ", false},
	{"POST /readyz HTTP/1.1\r\nHost: localhost:%u\r\nContent-Length: 3\r\n\r\nabc", " 413 ",
		true},
	// DNS rebinding and other sites' pages
	{"GET /readyz HTTP/1.1\r\nHost: evil.example:%u\r\n\r\n", " 421 ", true},
	{"GET /readyz HTTP/1.0\r\n\r\n", " 400 ", true},
	{"GET /readyz HTTP/1.1\r\nHost: localhost:%u\r\nOrigin: http://evil.example\r\n\r\n",
		" 403 ", true},
	// Smuggling
	{"GET /readyz HTTP/1.1\r\nHost: localhost:%u\r\nContent-Length: 5\r\nTransfer-Encoding: "
	 "chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n",
		" 501 ", true},
	{"GET /readyz HTTP/1.1\r\nHost: localhost:%u\r\nContent-Length: 0\r\nContent-Length: "
	 "5\r\n\r\n",
		" 400 ", true},
	{"GET /readyz HTTP/1.1\r\nHost: localhost:%u\rX: y\r\n\r\n", " 400 ", true},
	{"GET /readyz HTTP/1.1\nHost: localhost:%u\n\n", " 400 ", true},
	{"GET http://localhost/readyz HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", " 400 ", true},
};

// The request with the port in place of its %u, if it has one.
static char *with_port(const char *request, unsigned port) {
	const char *mark = strstr(request, "%u");
	struct buf text = BUF_INIT;
	buf_append(&text, request, mark ? (size_t)(mark - request) : strlen(request));
	if (mark) {
		buf_appendf(&text, "%u%s", port, mark + 2);
	}
	return buf_take(&text);
}

TEST(each_request_gets_its_status) {
	struct fixture f;
	setup(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int fd = connect_client(&f);
		char *text = with_port(rows[i].request, f.port);
		say(&f, fd, text);
		struct str line = str_head(buf_str(&f.got), 40);
		if (str_find(line, str_from(rows[i].status)) < 0 || f.is_closed != rows[i].closes ||
			str_find(str_skip(buf_str(&f.got), 1), STR("HTTP/1.1 ")) >= 0) {
			print_error("%s\ngives %.*s\n", text, STR_ARG(buf_str(&f.got)));
			fail();
		}
		free(text);
		close(fd);
		run(&f);
	}
	teardown(&f);
}

TEST(pipelined_requests_are_answered_in_order) {
	struct fixture f;
	char text[512];
	setup(&f);
	int fd = connect_client(&f);
	(void)snprintf(text, sizeof(text),
		"GET /readyz HTTP/1.1\r\nHost: localhost:%u\r\n\r\n"
		"GET /healthz HTTP/1.1\r\nHost: localhost:%u\r\n\r\n"
		"GET /no HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n"
		"GET /metrics HTTP/1.1\r\nHost: localhost:%u\r\n\r\n",
		f.port, f.port, f.port, f.port);

	for (size_t i = 0; i < strlen(text); i++) { // and byte by byte
		(void)!send(fd, text + i, 1, MSG_NOSIGNAL);
		loop_step(f.fake.loop, 0);
	}
	hear(&f, fd);

	ptrdiff_t first = str_find(buf_str(&f.got), STR("\"state\"")),
		  second = str_find(buf_str(&f.got), STR("\"health\"")),
		  third = str_find(buf_str(&f.got), STR(" 404 "));
	CHECK(first > 0 && second > first && third > second);
	CHECK(!got(&f, "anna_test"));
	CHECK(f.is_closed);
	close(fd);
	teardown(&f);
}

TEST(a_flood_of_requests_that_are_not_read_is_bounded) {
	struct fixture f;
	char text[128];
	setup(&f);
	int fd = connect_client(&f);
	(void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", f.port);

	for (int i = 0; i < 200000; i++) {
		if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
			break;
		}
		loop_step(f.fake.loop, 0);
	}
	CHECK(metric(&f, "anna_http_requests_total") > 0);
	CHECK(metric(&f, "anna_http_requests_total") < 20000);
	loop_advance(f.fake.loop, 40 * NS_PER_SECOND);

	CHECK_INT((int)metric(&f, "anna_http_connections"), 0);
	close(fd);
	teardown(&f);
}

TEST(a_slow_head_is_given_up_and_an_idle_connection_closed) {
	struct fixture f;
	setup(&f);
	int slow = connect_client(&f), idle = connect_client(&f);

	for (int i = 0; i < 12; i++) {
		(void)!send(slow, "G", 1, MSG_NOSIGNAL);
		loop_advance(f.fake.loop, NS_PER_SECOND);
	}
	hear(&f, slow);
	CHECK(got(&f, " 408 "));
	hear(&f, idle);
	CHECK(!f.is_closed);
	loop_advance(f.fake.loop, 60 * NS_PER_SECOND);

	hear(&f, idle);
	CHECK(f.is_closed);
	CHECK_INT(f.got.len, 0);
	close(slow);
	close(idle);
	teardown(&f);
}

TEST(one_connection_too_many_gets_503) {
	struct fixture f;
	setup_with(&f, (struct http_config){.max_connections = 1}, "127.0.0.1:0");
	int first = connect_client(&f), second = connect_client(&f);

	hear(&f, second);

	CHECK(got(&f, "HTTP/1.1 503 "));
	CHECK_INT((int)metric(&f, "anna_http_connections_refused_total"), 1);
	ptrdiff_t body = str_find(buf_str(&f.got), STR("\r\n\r\n"));
	CHECK_INT(f.got.len - (size_t)body - 4, 52);
	CHECK(f.is_closed);
	ask(&f, first, "GET", "/readyz");
	CHECK(got(&f, " 200 "));
	close(first);
	close(second);
	teardown(&f);
}

TEST(a_busy_port_is_an_error_when_named_and_the_next_is_taken_when_not) {
	struct fixture f, second;
	struct err err = ERR_INIT;
	struct http_config config = {.max_connections = 1, .idle_timeout = NS_PER_SECOND};
	setup_with(&f, (struct http_config){0}, "auto");
	setup_with(&second, (struct http_config){0}, "auto");
	CHECK(f.port != second.port);
	CHECK(f.port >= 2662 && f.port <= 2682);

	CHECK(!http_server_open(f.fake.loop, NULL, &config, http_server_address(f.server), &err));
	CHECK_INT(err.code, ERR_BUSY);
	CHECK(!http_server_open(f.fake.loop, NULL, &config, "0.0.0.0:80", &err));
	CHECK_INT(err.code, ERR_INVALID);
	CHECK(!http_server_open(f.fake.loop, NULL, &config, "localhost", &err));
	CHECK_INT(err.code, ERR_INVALID);
	teardown(&second);
	teardown(&f);
}

TEST(off_listens_nowhere) {
	struct fixture f;
	setup_with(&f, (struct http_config){0}, "off");

	CHECK_TEXT(http_server_address(f.server), "off");
	teardown(&f);
}

int main(void) {
	return TESTS(RUN(metrics_are_served_with_the_headers_they_need),
		RUN(head_has_the_length_and_no_body), RUN(health_and_readiness_have_their_status),
		RUN(the_first_page_names_what_there_is_and_escapes),
		RUN(each_request_gets_its_status), RUN(pipelined_requests_are_answered_in_order),
		RUN(a_flood_of_requests_that_are_not_read_is_bounded),
		RUN(a_slow_head_is_given_up_and_an_idle_connection_closed),
		RUN(one_connection_too_many_gets_503),
		RUN(a_busy_port_is_an_error_when_named_and_the_next_is_taken_when_not),
		RUN(off_listens_nowhere));
}
