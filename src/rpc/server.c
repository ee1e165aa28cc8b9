// SPDX-License-Identifier: Apache-2.0
// Sockets around sessions. The invariant: a connection owns its stream and its session and they go
// together; answers that a peer does not read stop its next request, not anybody else's.
#include "rpc/server.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/stream.h"

#define LOG_FOLDER "rpc"

// One answer may have 4 MiB, and may meet a buffer that is nearly at CONGESTED.
#define OUTPUT_MAX (5 * 1024 * 1024)
#define CONGESTED (256 * 1024)
// Over all connections; past it the one that makes it grow is broken off.
#define OUTPUT_TOTAL_MAX (6 * 1024 * 1024)
#define FINISH_NS (1 * NS_PER_SECOND)
// Answers of connections that are over, in the time they are given; what is more is dropped.
#define FINISHING_MAX (2 * 1024 * 1024)
// A peer that has taken nothing for so long, with answers waiting, is gone or hostile.
#define STALLED_NS (30 * NS_PER_SECOND)
#define LOOK_EVERY_NS NS_PER_SECOND
#define SOCKET_MODE 0660

struct rpc_server {
	struct loop *loop;
	struct rpc *rpc;
	struct listener *listener;
	struct list connections;
	struct timer look;
	int64_t idle_timeout_ns;
	gid_t group; // (gid_t)-1: none; fixed like `others`: the socket's owner and mode go by them
	enum role others;
	size_t output_bytes;	// buffered over all connections
	size_t finishing_bytes; // of those that ended since finishing_ns
	int64_t finishing_ns;
};

struct connection {
	struct list node;
	struct rpc_server *server;
	struct stream *stream;
	struct session *session;
	struct task leave; // closes it from the loop
	bool has_ended;	   // the peer's side; closed once nothing is in flight
	bool is_congested;
	size_t counted;	    // of server->output_bytes
	uint64_t seen_sent; // stream_sent when it was last looked at
	int64_t moved_ns;   // when it last grew, or nothing waited
	int64_t settled_ns; // when the session was last between messages, or worked on a call
};

static const char *const others_choices[] = {"none", "read", NULL};

static const struct option rpc_options[] = {
	{.key = "max_connections",
		.type = OPTION_INT,
		.offset = offsetof(struct rpc_config, max_connections),
		.fallback = "128",
		.min = 1,
		.max = 10000,
		.help = "How many clients may be connected at once; one more is refused with a "
			"JSON-RPC error."},
	{.key = "max_calls",
		.type = OPTION_INT,
		.offset = offsetof(struct rpc_config, max_calls),
		.fallback = "64",
		.min = 1,
		.max = 10000,
		.help = "How many calls of one connection may be in flight; more wait unread."},
	{.key = "max_input",
		.type = OPTION_SIZE,
		.offset = offsetof(struct rpc_config, max_input),
		.fallback = "6MiB",
		.min = 2097152,
		.max = 1073741824,
		.unit = "bytes",
		.help = "How much unfinished input of all clients together is kept, and how much "
			"memory their requests in flight may take; past the first the client that "
			"holds most is closed, past the second clients wait."},
	{.key = "idle_timeout",
		.type = OPTION_DURATION,
		.offset = offsetof(struct rpc_config, idle_timeout),
		.fallback = "10m",
		.min = 1e9,
		.max = 864e11,
		.help = "A connection without a call, or with a message begun and not finished, is "
			"closed after this time."},
	{.key = "group",
		.type = OPTION_STRING,
		.offset = offsetof(struct rpc_config, group),
		.fallback = "anna",
		.max = 64,
		.apply = APPLY_RESTART,
		.help = "Members of this group have the role act; empty for none."},
	{.key = "others",
		.type = OPTION_CHOICE,
		.offset = offsetof(struct rpc_config, others),
		.fallback = "none",
		.choices = others_choices,
		.apply = APPLY_RESTART,
		.help = "The role of everybody who is neither root, nor the daemon's user, nor in "
			"the group."},
	{0}};

const struct section rpc_section = {
	.name = "rpc",
	.summary = "The Unix socket that annactl and other programs talk to.",
	.rows = rpc_options,
	.size = sizeof(struct rpc_config),
	.example = "[rpc]\nmax_connections = 128\ngroup = \"anna\"\n",
};

// --- connections ---

static void count_output(struct connection *connection, size_t pending) {
	struct rpc_server *server = connection->server;
	server->output_bytes += pending - connection->counted;
	connection->counted = pending;
	rpc_note_output(server->rpc, server->output_bytes, OUTPUT_TOTAL_MAX, false);
}

static void forget(struct connection *connection) {
	count_output(connection, 0);
	task_cancel(&connection->leave);
	session_close(connection->session);
	list_remove(&connection->node);
	if (list_is_empty(&connection->server->connections)) {
		timer_stop(&connection->server->look);
	}
	free(connection);
}

// At once: what is buffered is lost.
static void drop(struct connection *connection) {
	stream_close(connection->stream);
	forget(connection);
}

static void finish(void *arg) {
	struct connection *connection = arg;
	struct rpc_server *server = connection->server;
	int64_t now = loop_now(server->loop);
	if (now - server->finishing_ns >= FINISH_NS) {
		server->finishing_ns = now;
		server->finishing_bytes = 0;
	}
	server->finishing_bytes += stream_pending(connection->stream);
	if (server->finishing_bytes > FINISHING_MAX) {
		stream_close(connection->stream);
	} else {
		stream_finish(connection->stream, FINISH_NS);
	}
	forget(connection);
}

static bool is_done(const struct connection *connection) {
	return connection->has_ended && !connection->is_congested &&
		session_calls(connection->session) == 0;
}

static void finish_if_done(void *arg) {
	struct connection *connection = arg;
	if (is_done(connection)) {
		finish(connection);
	}
}

static void note_settled(struct connection *connection) {
	if (session_is_idle(connection->session) || session_calls(connection->session) > 0) {
		connection->settled_ns = loop_now(connection->server->loop);
	}
}

// The session's answers. Runs inside session_feed, so it leaves closing to the loop.
static void on_send(void *arg, struct str bytes) {
	struct connection *connection = arg;
	struct rpc_server *server = connection->server;
	stream_write(connection->stream, bytes);
	size_t pending = stream_pending(connection->stream);
	if (pending || connection->counted) {
		count_output(connection, pending);
	}
	if (pending > CONGESTED && !connection->is_congested) {
		connection->is_congested = true;
		session_set_congested(connection->session, true);
	}
	if (server->output_bytes > OUTPUT_TOTAL_MAX) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_LIMIT, "answers of %zu bytes wait for clients that do not read",
			server->output_bytes);
		stream_break(connection->stream, &err);
		rpc_note_output(server->rpc, server->output_bytes, OUTPUT_TOTAL_MAX, true);
	}
	if (connection->has_ended) {
		task_post(&connection->leave, server->loop, finish_if_done, connection);
	}
	note_settled(connection);
}

static void on_pause(void *arg, bool is_paused) {
	struct connection *connection = arg;
	stream_pause(connection->stream, is_paused);
}

// A limit was broken; the session has sent its last words.
static void on_session_end(void *arg) {
	struct connection *connection = arg;
	task_post(&connection->leave, connection->server->loop, finish, connection);
}

static void on_data(void *arg, struct str bytes) {
	struct connection *connection = arg;
	session_feed(connection->session, bytes);
	note_settled(connection);
}

static void on_end(void *arg, const struct err *err) {
	struct connection *connection = arg;
	if (err) {
		log_debug("a connection ends: %s", err->message);
		drop(connection);
		return;
	}
	connection->has_ended = true;
	session_feed(connection->session, STR("\n")); // a last line may lack its end
	task_post(&connection->leave, connection->server->loop, finish_if_done, connection);
}

static void on_drain(void *arg) {
	struct connection *connection = arg;
	count_output(connection, 0);
	if (connection->is_congested) {
		connection->is_congested = false;
		session_set_congested(connection->session, false);
	}
	if (connection->has_ended) {
		task_post(&connection->leave, connection->server->loop, finish_if_done, connection);
	}
}

static void end_with_timeout(struct connection *connection, const char *what, int64_t after_ns) {
	struct err err = ERR_INIT;
	struct buf line = BUF_INIT, text = BUF_INIT;
	duration_format(&text, after_ns);
	err_set(&err, ERR_SLOW, "%s for %s; the connection is closed (idle_timeout in [rpc])", what,
		buf_text(&text));
	session_format_refusal(&err, &line);
	stream_write(connection->stream, buf_str(&line));
	buf_finish(&line);
	buf_finish(&text);
	finish(connection);
}

// Once a second: is it idle, stuck or stalled?
static void look_at(struct connection *connection, int64_t now) {
	struct rpc_server *server = connection->server;
	size_t pending = stream_pending(connection->stream);
	uint64_t sent = stream_sent(connection->stream);
	if (pending == 0 || sent != connection->seen_sent) {
		connection->seen_sent = sent;
		connection->moved_ns = now;
		count_output(connection, pending);
	}
	if (now - connection->moved_ns >= STALLED_NS) {
		log_debug("a client has not read %zu bytes for 30 s; its connection is closed",
			pending);
		drop(connection);
	} else if (is_done(connection)) {
		finish(connection);
	} else if (session_calls(connection->session) == 0 &&
		now - connection->settled_ns >= server->idle_timeout_ns) {
		if (session_is_idle(connection->session)) {
			finish(connection);
		} else {
			end_with_timeout(connection, "a message was begun and not finished",
				server->idle_timeout_ns);
		}
	}
}

static void on_look(void *arg) {
	struct rpc_server *server = arg;
	int64_t now = loop_now(server->loop);
	timer_start(&server->look, server->loop, LOOK_EVERY_NS, on_look, server);
	list_for_each (node, &server->connections) {
		look_at(list_item(node, struct connection, node), now);
	}
}

// --- accepting ---

static enum role find_role(const struct rpc_server *server, int fd, const struct peer *peer) {
	if (!peer->is_known) {
		return ROLE_NONE;
	}
	if (peer->uid == 0 || peer->uid == geteuid()) {
		return ROLE_ADMIN;
	}
	if (server->group != (gid_t)-1 && peer_is_in_group(fd, peer, server->group)) {
		return ROLE_ACT;
	}
	return server->others;
}

static void send_refusal(int fd, const struct err *err) {
	struct buf line = BUF_INIT;
	session_format_refusal(err, &line);
	// One try: the buffer of a new socket is empty, and a peer that is gone needs no word.
	(void)!send(fd, line.at, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_finish(&line);
}

static void refuse(int fd, const struct err *err) {
	send_refusal(fd, err);
	close(fd);
}

static void on_no_descriptor(void *arg, int fd) {
	(void)arg;
	struct err err = ERR_INIT;
	err_set(&err, ERR_BUSY, "Anna has no file descriptor left for another connection");
	send_refusal(fd, &err);
}

static struct connection *connection_create(
	struct rpc_server *server, int fd, const struct caller *caller, struct err *err) {
	struct connection *connection = xcalloc(1, sizeof(*connection));
	struct session_peer peer = {.caller = *caller,
		.send = on_send,
		.pause = on_pause,
		.end = on_session_end,
		.arg = connection};
	connection->server = server;
	connection->session = session_open(server->rpc, &peer, err);
	if (!connection->session) {
		refuse(fd, err);
		free(connection);
		return NULL;
	}
	struct stream_handlers handlers = {
		.on_data = on_data, .on_end = on_end, .on_drain = on_drain, .arg = connection};
	connection->stream = stream_open(server->loop, fd, &handlers, OUTPUT_MAX, err);
	if (!connection->stream) {
		session_close(connection->session);
		free(connection);
		return NULL;
	}
	return connection;
}

static void on_accept(void *arg, int fd, const struct peer *peer) {
	struct rpc_server *server = arg;
	struct err err = ERR_INIT;
	struct caller caller = {find_role(server, fd, peer), peer->uid, peer->gid, peer->pid};
	if (caller.role == ROLE_NONE) {
		err_set(&err, ERR_DENIED, "uid %u may not talk to Anna", (unsigned)peer->uid);
		refuse(fd, &err);
		return;
	}
	struct connection *connection = connection_create(server, fd, &caller, &err);
	if (!connection) {
		log_debug("a connection was refused: %s", err.message);
		return;
	}
	connection->settled_ns = connection->moved_ns = loop_now(server->loop);
	list_add_last(&server->connections, &connection->node);
	if (!timer_is_set(&server->look)) {
		timer_start(&server->look, server->loop, LOOK_EVERY_NS, on_look, server);
	}
}

// --- life cycle ---

// The number of a group; (gid_t)-1 when there is none of that name, which is usual on a machine
// where Anna was not installed as a service.
static gid_t find_group(struct str name) {
	char text[65], room[16384];
	struct group group, *found = NULL;
	if (name.len == 0 || name.len >= sizeof(text)) {
		return (gid_t)-1;
	}
	(void)snprintf(text, sizeof(text), "%" STR_FMT, STR_ARG(name));
	if (getgrnam_r(text, &group, room, sizeof(room), &found) != 0 || !found) {
		log_debug("there is no group %s; nobody has the role act by it", text);
		return (gid_t)-1;
	}
	return group.gr_gid;
}

static mode_t socket_mode(const struct rpc_server *server) {
	return server->others == ROLE_READ ? 0666 : SOCKET_MODE;
}

void rpc_server_configure(struct rpc_server *server, const struct rpc_config *config) {
	server->idle_timeout_ns = config->idle_timeout;
	rpc_set_limits(server->rpc, (size_t)config->max_connections, (size_t)config->max_calls,
		(size_t)config->max_input);
}

// A group we are not a member of cannot be given to the socket; only root could.
static gid_t socket_group(const struct rpc_server *server) {
	gid_t groups[256];
	int n = getgroups(256, groups);
	bool is_ours = geteuid() == 0 || server->group == getegid();
	for (int i = 0; i < n; i++) {
		is_ours |= groups[i] == server->group;
	}
	return is_ours ? server->group : (gid_t)-1;
}

struct rpc_server *rpc_server_open(struct loop *loop, struct rpc *rpc,
	const struct rpc_config *config, const char *path, int inherited_fd, struct err *err) {
	struct rpc_server *server = xcalloc(1, sizeof(*server));
	server->loop = loop;
	server->rpc = rpc;
	rpc_note_output(rpc, 0, OUTPUT_TOTAL_MAX, false);
	list_init(&server->connections);
	server->group = find_group(config->group); // may ask the network: once, never on a reload
	server->others = config->others == 1 ? ROLE_READ : ROLE_NONE;
	rpc_server_configure(server, config);
	struct listener_handlers handlers = {
		.on_accept = on_accept, .on_refuse = on_no_descriptor, .arg = server};
	server->listener = inherited_fd >= 0 ? listener_adopt(loop, inherited_fd, &handlers, err)
					     : listener_open_unix(loop, path, socket_mode(server),
						       socket_group(server), &handlers, err);
	if (!server->listener) {
		free(server);
		return NULL;
	}
	return server;
}

void rpc_server_close(struct rpc_server *server) {
	if (!server) {
		return;
	}
	listener_close(server->listener);
	list_for_each (node, &server->connections) {
		finish(list_item(node, struct connection, node));
	}
	timer_stop(&server->look);
	free(server);
}
