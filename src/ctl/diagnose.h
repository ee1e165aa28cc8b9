// SPDX-License-Identifier: Apache-2.0
// What is wrong with a daemon that cannot be asked, seen from outside: what is at its socket path,
// who holds its lock, whether that process lives, and the last the journal says. Reads only, and
// guesses nothing: what cannot be read is said to be unreadable.
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "ctl/failure.h"
#include "formats/json.h"

#define DIAGNOSIS_RECORDS 5

struct diagnosis;

// `state_folder`: as asked for; empty: ANNA_STATE_DIR, else what belongs to the socket's path.
_must_use_ struct diagnosis *diagnose(struct arena *arena, const char *socket,
	struct str state_folder, int peer_pid, struct clock *clock);
// The state folder of the daemon that would listen on this socket: as asked for, ANNA_STATE_DIR, beside
// the socket, else where such a daemon has it.
const char *diagnosis_find_state(struct arena *arena, const char *socket, struct str asked);
// Replaces the failure's next step by the one that fits what was found.
void diagnosis_advise(const struct diagnosis *diagnosis, struct failure *failure);
void diagnosis_format(const struct diagnosis *diagnosis, struct output *output);
void diagnosis_format_json(const struct diagnosis *diagnosis, struct json_writer *writer);
