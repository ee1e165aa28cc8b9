// SPDX-License-Identifier: Apache-2.0
// The way a path takes through the file system, and watches on the places where it may turn: every
// symbolic link on it, the folder that holds the file at its end, or the deepest folder that
// exists of a path that does not. Private to the source `file`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>

// What to watch a folder for: that names in it turn elsewhere; and that files in it change.
#define ROUTE_NAMES \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)
#define ROUTE_FILES (ROUTE_NAMES | IN_CLOSE_WRITE | IN_ATTRIB | IN_EXCL_UNLINK)

enum route_form {
	ROUTE_MISSING, // not even its folder is there
	ROUTE_FILE,    // a file, or nothing yet in a folder that is there
	ROUTE_FOLDER
};

struct turn {
	int wd;
	char *folder, *name; // a hint about this name in this folder
};

struct route {
	enum route_form form;
	char *target;		// the path without links, also of a file that is not there yet
	int error;		// errno of a place on it that may not be looked at, or 0
	uint64_t device, inode; // of the target's folder, or of the target when it is a folder
	struct turn *turns;
	size_t n;
};

// Walks the path and watches its turns. 0, or the errno of a watch that could not be added.
int route_find(struct route *route, int inotify_fd, const char *path);
bool route_has(const struct route *route, int wd);
bool route_is_hint(const struct route *route, int wd, const char *name);
// Whether the path still leads where it did, also when a folder far above was moved.
bool route_stands(const struct route *route, const char *path);
void route_finish(struct route *route);
