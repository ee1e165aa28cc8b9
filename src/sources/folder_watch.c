// SPDX-License-Identifier: Apache-2.0
// One inotify descriptor for a few folders; see folder_watch.h.
#include "sources/folder_watch.h"

#include <errno.h>
#include <sys/inotify.h>

#define READS_A_ROUND 4

static void take(struct folder_watch *watch, const char *bytes, size_t n) {
	struct inotify_event event;
	for (size_t at = 0; at + sizeof(event) <= n; at += sizeof(event) + event.len) {
		memcpy(&event, bytes + at, sizeof(event));
		if (event.mask & IN_IGNORED) {
			continue; // the watch is gone; why was told before
		}
		if (event.mask & IN_Q_OVERFLOW) {
			for (size_t i = 0; i < watch->n; i++) {
				watch->on_hint(watch->arg, i, NULL);
			}
			continue;
		}
		for (size_t i = 0; i < watch->n; i++) {
			if (watch->wds[i] == event.wd) {
				watch->on_hint(watch->arg, i,
					event.len ? bytes + at + sizeof(event) : NULL);
			}
		}
	}
}

static void on_ready(void *arg, uint32_t events) {
	struct folder_watch *watch = arg;
	char bytes[4096];
	(void)events;
	for (int i = 0; i < READS_A_ROUND && watch->fd >= 0; i++) {
		ssize_t n = read(watch->fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return;
		}
		take(watch, bytes, (size_t)n);
	}
}

bool folder_watch_open(struct folder_watch *watch, struct loop *loop,
	void (*on_hint)(void *arg, size_t folder, const char *name), void *arg, struct err *err) {
	*watch = (struct folder_watch){
		.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .on_hint = on_hint, .arg = arg};
	if (watch->fd < 0) {
		return err_errno(err, "cannot use inotify%s",
			errno == EMFILE ? ": raise fs.inotify.max_user_instances" : "");
	}
	if (!watch_start(&watch->watch, loop, watch->fd, LOOP_READABLE, on_ready, watch, err)) {
		close(watch->fd);
		watch->fd = -1;
		return false;
	}
	return true;
}

bool folder_watch_add(
	struct folder_watch *watch, const char *path, uint32_t mask, struct err *err) {
	assert(watch->n < FOLDER_WATCH_MAX);
	int wd = inotify_add_watch(watch->fd, path, mask | IN_ONLYDIR);
	watch->wds[watch->n++] = wd;
	return wd >= 0 || err_errno(err, "cannot watch %s", path);
}

void folder_watch_close(struct folder_watch *watch) {
	if (!watch->on_hint || watch->fd < 0) {
		return;
	}
	watch_stop(&watch->watch);
	close(watch->fd);
	watch->fd = -1;
}
