// SPDX-License-Identifier: Apache-2.0
// Listeners. The invariant: a path is removed only after lstat(2) showed a socket of our own and
// connect(2) showed that nobody answers on it.
#include "io/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "io/loop.h"

#define BACKLOG 1024
// Other descriptors get their turn after so many connections.
#define ACCEPT_AT_ONCE 64
// How long to leave the socket alone when the kernel cannot give us a connection at all.
#define REST_NS (100 * NS_PER_MS)

struct listener {
	struct loop *loop;
	struct listener_handlers handlers;
	struct watch watch;
	struct timer rest;
	int fd;
	int reserve_fd; // given up to accept and refuse one more
	bool is_local;
	uint16_t port;
	char address[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];
	char *path; // to be removed at the end, or NULL
	dev_t device;
	ino_t inode;
	unsigned depth;
	bool is_closed;
};

static int open_reserve(void) {
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void release(struct listener *listener) {
	if (listener->is_closed && listener->depth == 0) {
		free(listener->path);
		free(listener);
	}
}

static void remove_path(const struct listener *listener) {
	struct stat st;
	if (listener->path && lstat(listener->path, &st) == 0 && S_ISSOCK(st.st_mode) &&
		st.st_dev == listener->device && st.st_ino == listener->inode) {
		(void)unlink(listener->path); // a stale socket is recognised at the next start
	}
}

void listener_close(struct listener *listener) {
	if (!listener || listener->is_closed) {
		return;
	}
	listener->is_closed = true;
	watch_stop(&listener->watch);
	timer_stop(&listener->rest);
	remove_path(listener);
	close(listener->fd);
	if (listener->reserve_fd >= 0) {
		close(listener->reserve_fd);
	}
	release(listener);
}

const char *listener_address(const struct listener *listener) {
	return listener->address;
}

uint16_t listener_port(const struct listener *listener) {
	return listener->port;
}

// --- accepting ---

static void on_rested(void *arg) {
	struct listener *listener = arg;
	watch_change(&listener->watch, LOOP_READABLE);
}

static void rest(struct listener *listener) {
	watch_change(&listener->watch, 0);
	timer_start(&listener->rest, listener->loop, REST_NS, on_rested, listener);
}

// No descriptor is free: give up the reserve, accept one connection with it, and refuse it, else
// the socket would stay readable for ever. False: there was none (accept(2) looks for a
// descriptor before it looks for a connection).
static bool refuse_one(struct listener *listener) {
	bool was_one = false;
	if (listener->reserve_fd >= 0) {
		close(listener->reserve_fd);
		listener->reserve_fd = -1;
		int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			was_one = true;
			if (listener->handlers.on_refuse) {
				listener->handlers.on_refuse(listener->handlers.arg, fd);
			}
			close(fd);
		}
	}
	if (!listener->is_closed) {
		listener->reserve_fd = open_reserve();
		if (listener->reserve_fd < 0) {
			rest(listener);
		}
	}
	return was_one;
}

static void hand_on(struct listener *listener, int fd) {
	struct peer peer = {0};
	if (listener->is_local) {
		struct ucred credentials;
		socklen_t len = sizeof(credentials);
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0) {
			peer = (struct peer){
				true, credentials.uid, credentials.gid, credentials.pid};
		}
	} else {
		int on = 1;
		// Answers are whole when they are written; a failure costs 40 ms, no more.
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	listener->handlers.on_accept(listener->handlers.arg, fd, &peer);
}

// False: nothing more to accept now.
static bool accept_one(struct listener *listener) {
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		hand_on(listener, fd);
		return true;
	}
	switch (errno) {
	case EAGAIN:
		return false;
	case EMFILE:
		return refuse_one(listener);
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EBADF:
	case EINVAL:
		rest(listener);
		return false;
	default: // this one connection went wrong (ECONNABORTED, EINTR, accept(2) "Error handling")
		return true;
	}
}

static void on_ready(void *arg, uint32_t events) {
	struct listener *listener = arg;
	(void)events;
	listener->depth++;
	for (int i = 0; i < ACCEPT_AT_ONCE && !listener->is_closed; i++) {
		if (timer_is_set(&listener->rest) || !accept_one(listener)) {
			break;
		}
	}
	listener->depth--;
	release(listener);
}

bool peer_is_in_group(int fd, const struct peer *peer, gid_t group) {
	if (!peer->is_known) {
		return false;
	}
	if (peer->gid == group) {
		return true;
	}
	gid_t few[64];
	gid_t *groups = few;
	socklen_t len = sizeof(few);
	int rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);
	if (rc < 0 && errno == ERANGE) { // len now says how much it needs; NGROUPS_MAX is 65,536
		groups = xmalloc(len);
		rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);
	}
	bool is_member = false;
	for (size_t i = 0; rc == 0 && i < len / sizeof(gid_t); i++) {
		is_member |= groups[i] == group;
	}
	if (groups != few) {
		free(groups);
	}
	return is_member;
}

// --- opening ---

// Takes fd, which listens already; closes it on failure.
static struct listener *listener_create(
	struct loop *loop, int fd, const struct listener_handlers *handlers, struct err *err) {
	struct listener *listener = xcalloc(1, sizeof(*listener));
	listener->loop = loop;
	listener->handlers = *handlers;
	listener->fd = fd;
	listener->reserve_fd = open_reserve();
	if (!watch_start(&listener->watch, loop, fd, LOOP_READABLE, on_ready, listener, err)) {
		if (listener->reserve_fd >= 0) {
			close(listener->reserve_fd);
		}
		close(fd);
		free(listener);
		return NULL;
	}
	return listener;
}

// The folder that holds the socket: nobody but us and root may put anything into it.
static bool check_folder(const char *folder, struct err *err) {
	struct stat st;
	if (lstat(folder, &st) < 0) {
		if (errno != ENOENT) {
			return err_errno(err, "cannot look at the socket's folder %s", folder);
		}
		if (mkdir(folder, 0750) < 0 && errno != EEXIST) {
			return err_errno(err, "cannot create the socket's folder %s", folder);
		}
		if (lstat(folder, &st) < 0) {
			return err_errno(err, "cannot look at the socket's folder %s", folder);
		}
	}
	if (!S_ISDIR(st.st_mode)) {
		return err_set(err, ERR_DENIED, "the socket's folder %s is not a directory%s",
			folder,
			S_ISLNK(st.st_mode) ? " but a symbolic link; name the folder itself" : "");
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		return err_set(err, ERR_DENIED,
			"the socket's folder %s belongs to uid %u, neither us (uid %u) nor root",
			folder, (unsigned)st.st_uid, (unsigned)geteuid());
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		return err_set(err, ERR_DENIED,
			"others may write to the socket's folder %s (mode %04o), and so replace "
			"the "
			"socket: chmod 0750 %s",
			folder, (unsigned)(st.st_mode & 07777), folder);
	}
	return true;
}

// Whether somebody answers at the path: 1 yes, 0 no, -1 with *err when that cannot be known.
static int is_answered(const struct sockaddr_un *address, struct err *err) {
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		err_errno(err, "cannot create a socket");
		return -1;
	}
	int rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	int failure = rc < 0 ? errno : 0;
	close(fd);
	if (failure == 0 || failure == EAGAIN || failure == EINPROGRESS) {
		return 1; // EAGAIN: its queue is full, so there is one
	}
	if (failure == ECONNREFUSED || failure == ENOENT) {
		return 0;
	}
	errno = failure;
	err_errno(err, "cannot find out whether somebody answers on %s", address->sun_path);
	return -1;
}

static bool clear_path(const struct sockaddr_un *address, struct err *err) {
	const char *path = address->sun_path;
	struct stat st;
	if (lstat(path, &st) < 0) {
		return errno == ENOENT ? true : err_errno(err, "cannot look at %s", path);
	}
	if (!S_ISSOCK(st.st_mode)) {
		return err_set(err, ERR_DENIED,
			"%s is %s, not a socket; it is left alone: remove it, or name another "
			"socket "
			"with --socket",
			path, S_ISLNK(st.st_mode) ? "a symbolic link" : "something else");
	}
	if (st.st_uid != geteuid()) {
		return err_set(err, ERR_DENIED, "the socket %s belongs to uid %u; it is left alone",
			path, (unsigned)st.st_uid);
	}
	int answered = is_answered(address, err);
	if (answered < 0) {
		return false;
	}
	if (answered) {
		return err_set(err, ERR_BUSY,
			"another daemon answers on %s; stop it first (annactl --socket %s stop), "
			"or "
			"name another socket with --socket",
			path, path);
	}
	if (unlink(path) < 0 && errno != ENOENT) {
		return err_errno(err, "cannot remove the stale socket %s", path);
	}
	return true;
}

// Binds and listens. fchmod before bind decides the mode the path is born with (less the umask);
// chmod afterwards can only widen it to what was asked. Nobody can connect before listen.
static bool bind_path(int fd, const struct sockaddr_un *address, mode_t mode, gid_t group,
	struct stat *out, struct err *err) {
	const char *path = address->sun_path;
	if (fchmod(fd, mode) < 0) {
		return err_errno(err, "cannot set the mode of the socket %s", path);
	}
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		return err_errno(err, "cannot bind the socket %s", path);
	}
	// Born with our group, it needs no chown, which the sandbox of the unit would refuse.
	bool is_set = lstat(path, out) == 0 &&
		(group == (gid_t)-1 || out->st_gid == group || lchown(path, (uid_t)-1, group) == 0);
	if (!is_set || chmod(path, mode) < 0 || lstat(path, out) < 0 || listen(fd, BACKLOG) < 0) {
		err_errno(err, "cannot set up the socket %s", path);
		(void)unlink(path); // ours, bound a moment ago
		return false;
	}
	return true;
}

static bool make_address(const char *path, struct sockaddr_un *out, struct err *err) {
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	size_t len = strlen(path);
	if (len == 0) {
		return err_set(err, ERR_INVALID, "the socket path is empty");
	}
	if (len >= sizeof(out->sun_path)) {
		return err_set(err, ERR_INVALID,
			"a socket path of %zu bytes is too long; at most %zu are possible: %.200s",
			len, sizeof(out->sun_path) - 1, path);
	}
	memcpy(out->sun_path, path, len);
	return true;
}

static bool prepare_folder(const char *path, struct err *err) {
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *folder = !slash ? xstrdup(".")
		: slash == path		       ? xstrdup("/")
					       : xstrndup(path, (size_t)(slash - path));
	return check_folder(folder, err);
}

struct listener *listener_open_unix(struct loop *loop, const char *path, mode_t mode, gid_t group,
	const struct listener_handlers *handlers, struct err *err) {
	struct sockaddr_un address;
	struct stat st;
	if (!make_address(path, &address, err) || !prepare_folder(path, err) ||
		!clear_path(&address, err)) {
		return NULL;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		err_errno(err, "cannot create a socket");
		return NULL;
	}
	if (!bind_path(fd, &address, mode, group, &st, err)) {
		close(fd);
		return NULL;
	}
	struct listener *listener = listener_create(loop, fd, handlers, err);
	if (!listener) {
		(void)unlink(path); // ours, bound a moment ago
		return NULL;
	}
	listener->is_local = true;
	listener->path = xstrdup(path);
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
	(void)snprintf(listener->address, sizeof(listener->address), "%s", path);
	return listener;
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static bool parse_loopback(
	const char *text, uint16_t port, union address *out, socklen_t *out_len, struct err *err) {
	*out = (union address){0};
	if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1 &&
		ntohl(out->v4.sin_addr.s_addr) >> 24 == 127) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		*out_len = sizeof(out->v4);
		return true;
	}
	*out = (union address){0};
	if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1 &&
		IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr)) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(port);
		*out_len = sizeof(out->v6);
		return true;
	}
	return err_set(err, ERR_INVALID,
		"%s is not a loopback address; only 127.0.0.1 (127.0.0.0/8) and ::1 are listened "
		"on",
		text);
}

// Fills in what the socket is bound to.
static bool read_address(struct listener *listener, struct err *err) {
	union address address = {0};
	socklen_t len = sizeof(address);
	if (getsockname(listener->fd, &address.any, &len) < 0) {
		return err_errno(err, "cannot read a listening socket's address");
	}
	char text[INET6_ADDRSTRLEN] = "";
	if (address.any.sa_family == AF_INET) {
		listener->port = ntohs(address.v4.sin_port);
		(void)inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
		(void)snprintf(listener->address, sizeof(listener->address), "%s:%u", text,
			listener->port);
	} else if (address.any.sa_family == AF_INET6) {
		listener->port = ntohs(address.v6.sin6_port);
		(void)inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
		(void)snprintf(listener->address, sizeof(listener->address), "[%s]:%u", text,
			listener->port);
	} else if (address.any.sa_family == AF_UNIX) {
		listener->is_local = true;
		(void)snprintf(listener->address, sizeof(listener->address), "%.*s",
			(int)sizeof(address.local.sun_path), address.local.sun_path);
	} else {
		return err_set(err, ERR_INVALID, "the inherited socket is neither Unix nor TCP");
	}
	return true;
}

static int open_tcp_socket(
	const union address *address, socklen_t len, const char *text, struct err *err) {
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		err_errno(err, "cannot create a socket");
		return -1;
	}
	int on = 1;
	// A restart must not wait for the connections of the last run to time out.
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address->any, len) < 0 || listen(fd, BACKLOG) < 0) {
		int failure = errno;
		err_errno(err, "cannot listen on %s port %u", text, ntohs(address->v4.sin_port));
		if (failure == EADDRINUSE && err) {
			err->code = ERR_BUSY;
		}
		close(fd);
		return -1;
	}
	return fd;
}

struct listener *listener_open_tcp(struct loop *loop, const char *text, uint16_t port,
	const struct listener_handlers *handlers, struct err *err) {
	union address address;
	socklen_t len = 0;
	if (!parse_loopback(text, port, &address, &len, err)) {
		return NULL;
	}
	int fd = open_tcp_socket(&address, len, text, err);
	return fd < 0 ? NULL : listener_adopt(loop, fd, handlers, err);
}

struct listener *listener_adopt(
	struct loop *loop, int fd, const struct listener_handlers *handlers, struct err *err) {
	int listens = 0;
	socklen_t len = sizeof(listens);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 || !listens) {
		err_set(err, ERR_INVALID, "descriptor %d is not a listening socket", fd);
		close(fd);
		return NULL;
	}
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		err_errno(err, "cannot set up the listening descriptor %d", fd);
		close(fd);
		return NULL;
	}
	struct listener *listener = listener_create(loop, fd, handlers, err);
	if (listener && !read_address(listener, err)) {
		listener_close(listener);
		return NULL;
	}
	return listener;
}
