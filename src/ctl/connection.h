// SPDX-License-Identifier: Apache-2.0
// One Unix-socket connection to the daemon: whole lines out, whole lines in, everything against a
// deadline. Blocking; a failure says exactly what is wrong and closes the connection.
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "ctl/failure.h"

// A result is at most 16 MiB (rpc/method.h); the rest is the envelope around it.
#define ANSWER_MAX (17 * 1024 * 1024)

struct connection {
	const char *path; // borrowed
	struct clock *clock;
	int fd; // -1: not connected
	pid_t peer_pid;
	struct buf input; // bytes after the line last taken
	size_t taken;	  // length of that line, with its end
};

void connection_init(struct connection *connection, const char *path, struct clock *clock);
void connection_finish(struct connection *connection);
static inline bool connection_is_open(const struct connection *connection) {
	return connection->fd >= 0;
}
void connection_close(struct connection *connection);

// Deadlines are of clock_monotonic.
_must_use_ bool connection_open(
	struct connection *connection, int64_t deadline_ns, struct failure *failure);
// `line` ends with its newline.
_must_use_ bool connection_send(struct connection *connection, struct str line, int64_t deadline_ns,
	struct failure *failure);
// The next line, without its end; valid until the next call.
_must_use_ bool connection_receive(struct connection *connection, int64_t deadline_ns,
	struct str *out, struct failure *failure);

// Which socket: the one asked for, ANNA_SOCKET, the user's if it exists, the system's.
void connection_find_socket(struct buf *out, struct str asked);
#define SYSTEM_SOCKET "/run/anna/annad.sock"
