// SPDX-License-Identifier: Apache-2.0
// The way out of a source that cannot ask again: events wait here while the bus refuses them, in
// order and with the time at which they happened. Bounded: beyond OUTBOX_MAX they are counted, and a
// `source.gap` event tells of it as soon as there is room. A source that may have missed
// something for another reason says so with outbox_gap.
//
// Embedded in its owner: outbox_init, then outbox_send, outbox_finish before the owner goes.
#pragma once

#include "flow/capability.h"
#include "io/loop.h"

#define OUTBOX_MAX 1024

struct outbox {
	const struct services *services;
	const char *source;	// of gaps: "packages"
	struct event **waiting; // a ring, made when first needed
	size_t first, n;
	size_t sent; // in this turn of the loop
	struct timer retry;
	const char *gap_reason;	  // owed, or NULL
	int64_t gap_from, gap_to; // wall
	int64_t gap_count;	  // 0: how many is not known
	int64_t gap_told_ns;	  // monotonic: the last; 0: never
};

void outbox_init(struct outbox *outbox, const struct services *services, const char *source);
// Drops what waits.
void outbox_finish(struct outbox *outbox);
// Takes the event.
void outbox_send(struct outbox *outbox, struct event *event);
// Something may have been missed since from_ns (wall). The reason is a literal; count 0: not known.
// At most one event a second tells of it.
void outbox_gap(struct outbox *outbox, const char *reason, int64_t from_ns, int64_t count);
// Sets an attribute from bytes that need not be clean text; empty ones are left out.
void outbox_set_clean(struct event *event, const char *name, struct str bytes);
