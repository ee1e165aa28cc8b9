// SPDX-License-Identifier: Apache-2.0
// The socket client; see connection.h. The descriptor is non-blocking and every wait is a poll with
// the time that is left, so a daemon that hangs at any byte cannot hang us.
#include "ctl/connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define RECEIVE_STEP (64 * 1024)
// A full backlog answers EAGAIN at once on Unix sockets: how often it is tried again.
#define BACKLOG_WAIT_MS 10

void connection_init(struct connection *connection, const char *path, struct clock *clock) {
	*connection = (struct connection){
		.path = path, .clock = clock, .fd = -1, .input = BUF_INIT};
}

void connection_close(struct connection *connection) {
	if (connection->fd >= 0) {
		close(connection->fd);
		connection->fd = -1;
	}
	buf_clear(&connection->input);
	connection->taken = 0;
}

void connection_finish(struct connection *connection) {
	connection_close(connection);
	buf_finish(&connection->input);
}

static bool fail(struct connection *connection, struct failure *failure) {
	snprintf(failure->where, sizeof(failure->where), "socket %s", connection->path);
	failure->peer_pid = (int)connection->peer_pid;
	failure->is_unreachable = failure->err.code != ERR_DENIED;
	connection_close(connection);
	return false;
}

static int remaining_ms(const struct connection *connection, int64_t deadline_ns) {
	int64_t left = deadline_ns - clock_monotonic(connection->clock);
	if (left <= 0) {
		return 0;
	}
	left = (left + NS_PER_MS - 1) / NS_PER_MS;
	return left > 1000000 ? 1000000 : (int)left;
}

// Whether the descriptor is ready before the deadline; EINTR (a window that changed its size, say)
// goes on waiting.
static bool wait_ready(const struct connection *connection, short events, int64_t deadline_ns) {
	for (;;) {
		struct pollfd wait = {.fd = connection->fd, .events = events};
		int ms = remaining_ms(connection, deadline_ns);
		int n = poll(&wait, 1, ms);
		if (n > 0) {
			return true;
		}
		if (ms == 0 || (n < 0 && errno != EINTR)) {
			return false;
		}
	}
}

static bool fail_connect(struct connection *connection, int error, struct failure *failure) {
	if (error == ENOENT || error == ENOTDIR) {
		failure_set(failure, ERR_SOCKET,
			"the daemon is not running: its socket does not exist");
	} else if (error == ECONNREFUSED) {
		failure_set(failure, ERR_REFUSED,
			"the daemon is not running: its socket is there, but nobody listens on it");
	} else if (error == EACCES || error == EPERM) {
		failure_set(failure, ERR_DENIED, "your user may not open the daemon's socket");
	} else {
		struct err err = ERR_INIT;
		errno = error;
		err_errno(&err, "cannot connect to the daemon");
		failure_set(failure, ERR_REFUSED, "%s", err.message);
	}
	return fail(connection, failure);
}

static void read_peer(struct connection *connection) {
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	connection->peer_pid = 0;
	if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0) {
		connection->peer_pid = peer.pid;
	}
}

bool connection_open(struct connection *connection, int64_t deadline_ns, struct failure *failure) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(connection->path);

	connection_close(connection);
	connection->peer_pid = 0;
	if (len == 0 || len >= sizeof(address.sun_path)) {
		failure_set(failure, ERR_INVALID, "a socket path has 1 to %zu bytes, this one %zu",
			sizeof(address.sun_path) - 1, len);
		failure_set_next(failure, "name a shorter path with --socket or ANNA_SOCKET");
		return false;
	}
	memcpy(address.sun_path, connection->path, len);
	connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connection->fd < 0) {
		return fail_connect(connection, errno, failure);
	}
	while (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			return fail_connect(connection, errno, failure);
		}
		if (remaining_ms(connection, deadline_ns) == 0) {
			failure_set(failure, ERR_TIMEOUT,
				"the daemon does not take new connections: it hangs or is overrun");
			return fail(connection, failure);
		}
		(void)poll(NULL, 0, BACKLOG_WAIT_MS);
	}
	read_peer(connection);
	return true;
}

static bool fail_transfer(struct connection *connection, int error, struct failure *failure) {
	struct err err = ERR_INIT;
	if (error == EPIPE || error == ECONNRESET) {
		failure_set(failure, ERR_RESET, "the daemon broke the connection off");
	} else {
		errno = error;
		err_errno(&err, "cannot talk to the daemon");
		failure_set(failure, ERR_IO, "%s", err.message);
	}
	return fail(connection, failure);
}

static bool fail_timeout(struct connection *connection, struct failure *failure) {
	if (connection->input.len > connection->taken) {
		failure_set(failure, ERR_TIMEOUT,
			"the daemon stopped in the middle of its answer and did not go on in time");
	} else {
		failure_set(failure, ERR_TIMEOUT,
			"the daemon took the connection, but did not answer in time");
	}
	return fail(connection, failure);
}

bool connection_send(struct connection *connection, struct str line, int64_t deadline_ns,
	struct failure *failure) {
	while (line.len > 0) {
		ssize_t n = send(connection->fd, line.at, line.len, MSG_NOSIGNAL);
		if (n >= 0) {
			line = str_skip(line, (size_t)n);
		} else if (errno == EAGAIN) {
			if (!wait_ready(connection, POLLOUT, deadline_ns)) {
				return fail_timeout(connection, failure);
			}
		} else if (errno == EPIPE || errno == ECONNRESET) {
			// What it said before it closed (too many connections, say) is still to be
			// read, and is the better reason.
			return true;
		} else if (errno != EINTR) {
			return fail_transfer(connection, errno, failure);
		}
	}
	return true;
}

static bool fail_closed(struct connection *connection, struct failure *failure) {
	failure_set(failure, ERR_CLOSED,
		connection->input.len > 0
			? "the daemon closed the connection in the middle of its answer"
			: "the daemon closed the connection before it answered");
	return fail(connection, failure);
}

bool connection_receive(struct connection *connection, int64_t deadline_ns, struct str *out,
	struct failure *failure) {
	size_t searched = 0;
	buf_consume(&connection->input, connection->taken);
	connection->taken = 0;
	for (;;) {
		ptrdiff_t end = str_find_char(
			str_skip(buf_str(&connection->input), searched), '\n');
		ssize_t n;
		if (end >= 0) {
			connection->taken = searched + (size_t)end + 1;
			*out = str_head(buf_str(&connection->input), connection->taken - 1);
			return true;
		}
		searched = connection->input.len;
		if (searched > ANSWER_MAX) {
			failure_set(failure, ERR_LIMIT,
				"the answer is larger than %d MiB: this is not an answer of annad",
				ANSWER_MAX / 1024 / 1024);
			failure_set_next(failure,
				"ask for less at once (--limit), or see who listens "
				"on that socket");
			return fail(connection, failure);
		}
		n = recv(connection->fd, buf_reserve(&connection->input, RECEIVE_STEP),
			RECEIVE_STEP, 0);
		if (n > 0) {
			connection->input.len += (size_t)n;
		} else if (n == 0) {
			return fail_closed(connection, failure);
		} else if (errno == EAGAIN) {
			if (!wait_ready(connection, POLLIN, deadline_ns)) {
				return fail_timeout(connection, failure);
			}
		} else if (errno != EINTR) {
			return fail_transfer(connection, errno, failure);
		}
	}
}

static bool exists(const char *path) {
	struct stat stat_buf;
	return lstat(path, &stat_buf) == 0;
}

// "$NAME/rest" when the variable is an absolute path (XDG basedir: others are ignored).
static bool append_from(struct buf *out, const char *variable, const char *rest) {
	const char *folder = getenv(variable);
	if (!folder || folder[0] != '/') {
		return false;
	}
	buf_clear(out);
	buf_append_text(out, folder);
	buf_append_text(out, rest);
	return true;
}

void connection_find_socket(struct buf *out, struct str asked) {
	const char *wanted = getenv("ANNA_SOCKET");
	buf_clear(out);
	if (asked.len > 0) {
		buf_append_str(out, asked);
		return;
	}
	if (wanted && wanted[0]) {
		buf_append_text(out, wanted);
		return;
	}
	if (append_from(out, "XDG_RUNTIME_DIR", "/anna/annad.sock") && exists(buf_text(out))) {
		return;
	}
	if ((append_from(out, "XDG_STATE_HOME", "/anna/annad.sock") ||
		    append_from(out, "HOME", "/.local/state/anna/annad.sock")) &&
		exists(buf_text(out))) {
		return;
	}
	buf_clear(out);
	buf_append_text(out, SYSTEM_SOCKET);
}
