// SPDX-License-Identifier: Apache-2.0
// The socket of rtnetlink(7): what changes is heard, and on demand all that is there is listed.
// Private to `links`.
#pragma once

#include "base/err.h"
#include "io/loop.h"
#include "sources/links_read.h"

struct links_socket {
	int fd; // -1: not open
	struct watch watch;
	struct loop *loop;
	size_t listing; // which of the lists is being asked for; LINK_LISTS: none
	uint32_t sequence;
	bool is_torn; // the list was changed while it was made
	// is_replaced: it took the place of another that is not named.
	void (*on_message)(void *arg, const struct link_message *message, bool is_replaced);
	// All that is there was told since the socket was opened or list was called.
	void (*on_listed)(void *arg);
	// Messages were lost, or the lists could not be read: open it anew. May be called any time but
	// from links_socket_open.
	void (*on_lost)(void *arg);
	void *arg;
};
#define LINK_LISTS 3

// The caller has set the callbacks and arg. Begins with listing.
_must_use_ bool links_socket_open(struct links_socket *socket, struct loop *loop, struct err *err);
// Lists again; nothing when a listing is under way (its end comes).
void links_socket_list(struct links_socket *socket);
void links_socket_close(struct links_socket *socket);
