// SPDX-License-Identifier: Apache-2.0
// A listening socket on the loop: a Unix socket in a folder nobody else may write to, a TCP socket
// on a loopback address, or one inherited from systemd. Never removes a socket somebody still
// answers on, and never spins when descriptors run out: one is kept in reserve to refuse with.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct listener;
struct loop;

// The other end of a Unix socket as the kernel knows it (SO_PEERCRED); not is_known for TCP.
struct peer {
	bool is_known;
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

struct listener_handlers {
	// A new connection; the descriptor is the callee's (close-on-exec, non-blocking).
	void (*on_accept)(void *arg, int fd, const struct peer *peer);
	// No descriptor is left for it: may send a word without waiting; fd is closed afterwards.
	// May be NULL.
	void (*on_refuse)(void *arg, int fd);
	void *arg;
};

// Binds `path` (at most 107 bytes). Its folder is created with 0750 when missing, and must belong
// to us or root and be writable by nobody else. What stands at path is only ever replaced when it
// is a socket of ours that nobody answers on: a live one is ERR_BUSY, all else ERR_DENIED. The
// socket gets `mode`, and group `group` unless that is (gid_t)-1, before anyone can connect.
_must_use_ struct listener *listener_open_unix(struct loop *loop, const char *path, mode_t mode,
	gid_t group, const struct listener_handlers *handlers, struct err *err);
// address: an IPv4 or IPv6 loopback address; port 0: any free one. ERR_BUSY when it is taken.
_must_use_ struct listener *listener_open_tcp(struct loop *loop, const char *address, uint16_t port,
	const struct listener_handlers *handlers, struct err *err);
// Takes a socket that listens already (socket activation); closed also on failure. Its path is not
// removed at the end.
_must_use_ struct listener *listener_adopt(
	struct loop *loop, int fd, const struct listener_handlers *handlers, struct err *err);
// Stops listening; removes the path if it is still ours. NULL is fine; also inside on_accept.
void listener_close(struct listener *listener);

// "127.0.0.1:2662", "[::1]:2662" or the path; port is 0 for a Unix socket.
const char *listener_address(const struct listener *listener);
uint16_t listener_port(const struct listener *listener);

// Whether the peer of a Unix socket is in a group, its supplementary groups included.
bool peer_is_in_group(int fd, const struct peer *peer, gid_t group);
