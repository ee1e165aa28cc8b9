// SPDX-License-Identifier: Apache-2.0
// Hints that something in some folders has changed, by inotify(7): which name, or that hints were
// lost. For sources that look again at a hint; the source `file` follows paths itself.
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "io/loop.h"

#define FOLDER_WATCH_MAX 8

struct folder_watch {
	int fd; // -1: not open
	struct watch watch;
	int wds[FOLDER_WATCH_MAX];
	size_t n;
	// folder: its number in the order added. name NULL: hints were lost, or the folder itself.
	void (*on_hint)(void *arg, size_t folder, const char *name);
	void *arg;
};

_must_use_ bool folder_watch_open(struct folder_watch *watch, struct loop *loop,
	void (*on_hint)(void *arg, size_t folder, const char *name), void *arg, struct err *err);
// mask: of inotify. A folder that cannot be watched keeps its number and gives no hints; false.
_must_use_ bool folder_watch_add(
	struct folder_watch *watch, const char *path, uint32_t mask, struct err *err);
// Also of zeroed memory.
void folder_watch_close(struct folder_watch *watch);
