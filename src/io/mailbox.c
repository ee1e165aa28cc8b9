// SPDX-License-Identifier: Apache-2.0
// A ring under a mutex, and an eventfd that is written only when the reader may be asleep.
#include "io/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"

struct mailbox {
	pthread_mutex_t lock;
	void **ring;
	size_t cap;
	size_t first;
	size_t count;
	size_t deepest;
	uint64_t posted, refused;
	bool is_rung; // the eventfd holds a wake-up the reader has not taken
	int fd;
};

struct mailbox *mailbox_create(size_t capacity) {
	struct mailbox *mailbox = xcalloc(1, sizeof(*mailbox));
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->cap = capacity;
	mailbox->ring = xcalloc(capacity, sizeof(void *));
	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(mailbox->fd >= 0);
	return mailbox;
}

void mailbox_destroy(struct mailbox *mailbox) {
	if (mailbox) {
		close(mailbox->fd);
		pthread_mutex_destroy(&mailbox->lock);
		free(mailbox->ring);
		free(mailbox);
	}
}

bool mailbox_put(struct mailbox *mailbox, void *message, bool *out_must_ring) {
	pthread_mutex_lock(&mailbox->lock);
	bool fits = mailbox->count < mailbox->cap;
	*out_must_ring = fits && !mailbox->is_rung;
	mailbox->posted += fits;
	mailbox->refused += !fits;
	if (fits) {
		mailbox->ring[(mailbox->first + mailbox->count++) % mailbox->cap] = message;
		mailbox->deepest = mailbox->count > mailbox->deepest ? mailbox->count
								     : mailbox->deepest;
		mailbox->is_rung = true;
	}
	pthread_mutex_unlock(&mailbox->lock);
	return fits;
}

static void ring(struct mailbox *mailbox) {
	uint64_t one = 1;
	(void)!write(mailbox->fd, &one, sizeof(one)); // far from full
}

bool mailbox_post(struct mailbox *mailbox, void *message) {
	bool must_ring;
	bool fits = mailbox_put(mailbox, message, &must_ring);
	if (must_ring) {
		ring(mailbox);
	}
	return fits;
}

size_t mailbox_take(struct mailbox *mailbox, void **out, size_t n) {
	pthread_mutex_lock(&mailbox->lock);
	n = n < mailbox->count ? n : mailbox->count;
	for (size_t i = 0; i < n; i++) {
		out[i] = mailbox->ring[mailbox->first];
		mailbox->first = (mailbox->first + 1) % mailbox->cap;
	}
	mailbox->count -= n;
	pthread_mutex_unlock(&mailbox->lock);
	return n;
}

void mailbox_rest(struct mailbox *mailbox) {
	// In this order: a poster that comes in between sees the bell still rung, writes nothing, and
	// its message is found by the take that follows. The other way round its ring could be eaten.
	uint64_t rung;
	(void)!read(
		mailbox->fd, &rung, sizeof(rung)); // EAGAIN is fine: it has not been written yet
	pthread_mutex_lock(&mailbox->lock);
	mailbox->is_rung = false;
	pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_wait(struct mailbox *mailbox, int ms) {
	if (mailbox_depth(mailbox)) {
		return;
	}
	struct pollfd wake = {.fd = mailbox->fd, .events = POLLIN};
	(void)poll(&wake, 1, ms); // EINTR and time-out: the caller looks again
	mailbox_rest(mailbox);
}

void mailbox_ring(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->lock);
	mailbox->is_rung = true;
	pthread_mutex_unlock(&mailbox->lock);
	ring(mailbox);
}

int mailbox_fd(const struct mailbox *mailbox) {
	return mailbox->fd;
}

size_t mailbox_depth(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->lock);
	size_t depth = mailbox->count;
	pthread_mutex_unlock(&mailbox->lock);
	return depth;
}

size_t mailbox_deepest(struct mailbox *mailbox) {
	pthread_mutex_lock(&mailbox->lock);
	size_t deepest = mailbox->deepest;
	pthread_mutex_unlock(&mailbox->lock);
	return deepest;
}

void mailbox_get_stats(struct mailbox *mailbox, struct mailbox_stats *out) {
	pthread_mutex_lock(&mailbox->lock);
	*out = (struct mailbox_stats){
		mailbox->count, mailbox->deepest, mailbox->cap, mailbox->posted, mailbox->refused};
	pthread_mutex_unlock(&mailbox->lock);
}
