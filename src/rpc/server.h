// SPDX-License-Identifier: Apache-2.0
// The RPC server: a Unix socket, a session for each connection, and the role of each peer by what
// the kernel says of it: our own uid and root are admin, the group acts, others get what is
// configured. Closes what is idle, what never finishes a message and what does not read.
#pragma once

#include <sys/types.h>

#include "config/schema.h"
#include "rpc/session.h"

struct loop;
struct rpc_server;

// The section [rpc].
struct rpc_config {
	int64_t max_connections;
	int64_t max_calls;
	int64_t max_input;
	int64_t idle_timeout;
	struct str group;
	int others; // 0 none, 1 read
};
extern const struct section rpc_section;

// Listens on `path`, or on `inherited_fd` (taken) when that is not -1. Sets the limits of `rpc`
// (borrowed) from the config.
_must_use_ struct rpc_server *rpc_server_open(struct loop *loop, struct rpc *rpc,
	const struct rpc_config *config, const char *path, int inherited_fd, struct err *err);
// Takes on the limits; they count for connections made from now on. Who may talk to the socket
// (group, others) stays until it is opened anew.
void rpc_server_configure(struct rpc_server *server, const struct rpc_config *config);
// Ends every session (what could not be sent yet gets 1 s) and removes the socket. NULL is fine.
void rpc_server_close(struct rpc_server *server);
