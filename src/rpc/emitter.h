// SPDX-License-Identifier: Apache-2.0
// What events.emit remembers between calls: the keys clients gave lately, so that an emit repeated
// after a time-out is the same event, and the causes lately seen, so that one need not be looked
// up in the journal. Keys are kept for 10 minutes, at most 10,000 of them, apart for each uid, and
// read back from the journal after a restart (until that worked, emits with a key are refused).
#pragma once

#include "flow/capability.h"

struct emitter;

// Once per emit: id of the durable event, or err.
typedef void emitter_done_fn(void *arg, uint64_t id, const struct err *err);

_must_use_ struct emitter *emitter_create(
	const struct services *services, const char *journal_folder);
// Waiting emits are failed. The bus must still be there. NULL is fine.
void emitter_destroy(struct emitter *emitter);

// Takes the event (its key set, or empty) and publishes it, unless its key is known: then the
// earlier event's id is answered, once that is durable. cause 0: none; one that does not exist is
// ERR_INVALID. on_done may come before this returns.
void emitter_emit(struct emitter *emitter, struct event *event, uint64_t cause,
	emitter_done_fn *on_done, void *arg);
// An emitter_done_fn for methods that only emit: arg is the call, answered with {id} or the error.
void emitter_answer(void *arg, uint64_t id, const struct err *err);
