// SPDX-License-Identifier: Apache-2.0
// A bounded queue of pointers from any thread to one reader, in order. Posting never blocks: a
// full box says so. The reader is woken by an eventfd, and only when it may be asleep.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct mailbox;

// Room for `capacity` messages. Aborts only when the machine is out of memory or descriptors.
_must_use_ struct mailbox *mailbox_create(size_t capacity);
// The box must be empty or its messages owned elsewhere.
void mailbox_destroy(struct mailbox *mailbox);
// False when full: the caller keeps the message.
_must_use_ bool mailbox_post(struct mailbox *mailbox, void *message);
// The same without waking the reader; *out_must_ring says whether mailbox_ring has to follow.
_must_use_ bool mailbox_put(struct mailbox *mailbox, void *message, bool *out_must_ring);
// Takes up to n messages without waiting; how many.
size_t mailbox_take(struct mailbox *mailbox, void **out, size_t n);
// Waits (the reader's thread only) until there is a message or ms have passed (-1: for ever).
void mailbox_wait(struct mailbox *mailbox, int ms);
// Readable while messages may be waiting; for the reader's loop. After a wake-up call
// mailbox_rest once, then take until empty.
int mailbox_fd(const struct mailbox *mailbox);
void mailbox_rest(struct mailbox *mailbox);
// Wakes the reader without a message.
void mailbox_ring(struct mailbox *mailbox);
size_t mailbox_depth(struct mailbox *mailbox);
size_t mailbox_deepest(struct mailbox *mailbox);

struct mailbox_stats {
	size_t depth, deepest, capacity;
	uint64_t posted, refused; // refused: it was full
};
void mailbox_get_stats(struct mailbox *mailbox, struct mailbox_stats *out);
