// SPDX-License-Identifier: Apache-2.0
// Any bytes on an HTTP connection: what comes back is a sequence of whole answers, nothing is served
// to a request that did not name this host, and the connection ends when the bytes do.
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/anna.h"
#include "tests/fakes/fake_loop.h"
#include "web/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct services services;

const struct services *anna_services(struct anna *anna) {
	(void)anna;
	return &services;
}

enum anna_state anna_get_state(const struct anna *anna) {
	(void)anna;
	return ANNA_RUNNING;
}

const char *anna_state_name(enum anna_state state) {
	(void)state;
	return "running";
}

const char *anna_health_name(enum anna_health health) {
	(void)health;
	return "ok";
}

const char *anna_socket(const struct anna *anna) {
	(void)anna;
	return "/run/anna/annad.sock";
}

enum anna_health anna_get_health(
	const struct anna *anna, struct health_reason *out, size_t n, size_t *out_count) {
	(void)anna;
	(void)out;
	(void)n;
	*out_count = 0;
	return HEALTH_OK;
}

static void step(struct loop *loop) {
	for (int i = 0; i < 3; i++) {
		loop_step(loop, 0);
	}
}

static void receive(int fd, struct buf *out) {
	ssize_t n;
	while ((n = read(fd, buf_reserve(out, 65536), 65536)) > 0) {
		out->len += (size_t)n;
	}
}

static void converse(struct loop *loop, int fd, struct str bytes, struct buf *out) {
	size_t portion = bytes.len ? 1 + (unsigned char)bytes.at[0] * 7u : 1;
	while (bytes.len) {
		struct str part = str_head(bytes, portion);
		ssize_t n = send(fd, part.at, part.len, MSG_NOSIGNAL);
		step(loop);
		receive(fd, out);
		if (n < 0) {
			break; // closed
		}
		bytes = str_skip(bytes, (size_t)n);
	}
	(void)shutdown(fd, SHUT_WR);
	step(loop);
	receive(fd, out);
}

static bool names_this_host(struct str bytes) {
	return str_find(bytes, STR(":2662")) >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct fake_loop fake;
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;
	struct http_config config = {.max_connections = 2, .idle_timeout = NS_PER_SECOND};
	int fds[2];
	struct str text = str_range((const char *)bytes, n);
	fake_loop_init(&fake, 1);
	services.meters = meters_create();
	struct http_server *server = http_server_open(fake.loop, NULL, &config, "off", &err);
	assert(server);
	int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
	assert(rc == 0);
	http_server_serve(server, fds[0]);
	converse(fake.loop, fds[1], text, &out);
	assert(out.len == 0 || str_starts(buf_str(&out), STR("HTTP/1.1 ")));
	assert(names_this_host(text) || str_find(buf_str(&out), STR(" 200 OK\r\n")) < 0);
	close(fds[1]);
	step(fake.loop);
	buf_clear(&out);
	meters_format(services.meters, &out);
	assert(str_find(buf_str(&out), STR("\nanna_http_connections 0\n")) >= 0);
	http_server_close(server);
	meters_destroy(services.meters);
	buf_finish(&out);
	fake_loop_finish(&fake);
	return 0;
}
