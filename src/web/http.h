// SPDX-License-Identifier: Apache-2.0
// The HTTP listener: HTTP/1.1 on a loopback address, reading only. Bounds: connections, size and
// time of a head, idle time, answers a peer does not read; requests with a body are refused. Counts what it does on /metrics.
#pragma once

#include "base/err.h"
#include "config/schema.h"
#include "web/route.h"

struct anna;
struct http_server;
struct loop;

#define HTTP_DEFAULT_PORT 2662
#define HTTP_DEFAULT_TRIES 20

// The section [http].
struct http_config {
	struct str listen;
	struct strings hosts;
	int64_t max_connections;
	int64_t idle_timeout;
};
extern const struct section http_section;

// listen NULL: the config's. "auto": 127.0.0.1:2662, or the next free of the 20 ports after it;
// "off": a server that does nothing; else ADDRESS:PORT, which must be free (ERR_BUSY). The config
// is borrowed during the call; anna and loop for the server's life.
_must_use_ struct http_server *http_server_open(struct loop *loop, struct anna *anna,
	const struct http_config *config, const char *listen, struct err *err);
// Takes on limits and host names; `listen` needs a restart.
void http_server_configure(struct http_server *server, const struct http_config *config);
// Serves a connected socket as if it had been accepted; takes it. For sockets handed over, and tests.
void http_server_serve(struct http_server *server, int fd);
void http_server_close(struct http_server *server); // NULL is fine
// "127.0.0.1:2662", or "off".
const char *http_server_address(const struct http_server *server);
