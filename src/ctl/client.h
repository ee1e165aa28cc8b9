// SPDX-License-Identifier: Apache-2.0
// JSON-RPC calls over a connection that is opened when needed and kept. A transient failure is
// tried again after 100, 200 and 400 ms (+-10 %), but only where that cannot do a thing twice: the
// method is idempotent, the call carries a client key, or nothing was sent yet. One time limit
// spans all tries.
#pragma once

#include "base/arena.h"
#include "base/random.h"
#include "ctl/connection.h"

struct client {
	struct connection connection;
	struct random random;
	int64_t timeout_ns;
	uint64_t next_id;
	bool wants_no_retry; // a watch or a follow retries in its own way
	// Waits; a test supplies one that advances its clock.
	void (*wait_ms)(struct client *client, int ms);
};

struct request {
	const char *method;
	struct str params;    // JSON object; empty: none
	bool is_repeatable;   // idempotent, or with a client key
	int64_t long_poll_ns; // how much longer than usual the answer may take
};

void client_init(struct client *client, const char *path, int64_t timeout_ns, struct clock *clock);
void client_finish(struct client *client);
// The result, in the arena; NULL with *failure.
_must_use_ const struct value *client_call(struct client *client, const struct request *request,
	struct arena *arena, struct failure *failure);
// For methods without parameters that only read.
_must_use_ const struct value *client_ask(
	struct client *client, const char *method, struct arena *arena, struct failure *failure);

// The wait before try number `attempt` (from 1): 100, 200, 400 ms, +-10 %; longer when the daemon
// asked for it, but at most a second; 0: no more tries.
int client_backoff_ms(struct random *random, int attempt, int retry_after_ms);
