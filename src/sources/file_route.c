// SPDX-License-Identifier: Apache-2.0
// The way of a path; see file_route.h. Links are followed by hand, so that each can be watched.
#include "sources/file_route.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/alloc.h"

#define LINKS_MAX 40 // as the kernel
#define WALKS_MAX 4  // a path that turns faster than it is walked is walked again by its hints

struct walk {
	struct route *route;
	char at[PATH_MAX];	 // where it has got to, without links; "" is "/"
	char rest[2 * PATH_MAX]; // what is still to go
	int links;
};

static const char *top(const char *path) {
	return path[0] ? path : "/";
}

static void add_turn(struct walk *walk, const char *name) {
	struct route *route = walk->route;
	route->turns = xreallocarray(route->turns, route->n + 1, sizeof(*route->turns));
	route->turns[route->n++] = (struct turn){
		.wd = -1, .folder = xstrdup(top(walk->at)), .name = xstrdup(name)};
}

// Cuts the next component off the rest; false at its end.
static bool take_component(struct walk *walk, char out[NAME_MAX + 1]) {
	char *from = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(from, "/");
	if (!len || len > NAME_MAX) {
		return false;
	}
	memcpy(out, from, len);
	out[len] = '\0';
	memmove(walk->rest, from + len, strlen(from + len) + 1);
	return true;
}

static bool is_at_end(const struct walk *walk) {
	return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static bool follow_link(struct walk *walk, const char *link) {
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0 || ++walk->links > LINKS_MAX) {
		return false;
	}
	target[n] = '\0';
	_cleanup_(freep) char *rest = xasprintf("%s/%s", target, walk->rest);
	if (strlen(rest) >= sizeof(walk->rest)) {
		return false;
	}
	memcpy(walk->rest, rest, strlen(rest) + 1);
	if (target[0] == '/') {
		walk->at[0] = '\0';
	}
	return true;
}

static void go_up(struct walk *walk) {
	char *slash = strrchr(walk->at, '/');
	if (slash) {
		*slash = '\0';
	}
}

static bool go_down(struct walk *walk, const char *name) {
	size_t len = strlen(walk->at), more = strlen(name) + 1;
	if (len + more >= sizeof(walk->at)) {
		return false;
	}
	walk->at[len] = '/';
	memcpy(walk->at + len + 1, name, more);
	return true;
}

// One step along the path. True while there is more to go.
static bool step(struct walk *walk) {
	char name[NAME_MAX + 1];
	struct stat stat;
	struct route *route = walk->route;
	if (!take_component(walk, name)) {
		route->form = is_at_end(walk) ? ROUTE_FOLDER : ROUTE_MISSING;
		return false;
	}
	if (strcmp(name, ".") == 0) {
		return true;
	}
	if (strcmp(name, "..") == 0) {
		go_up(walk);
		return true;
	}
	_cleanup_(freep) char *next = xasprintf("%s/%s", walk->at, name);
	errno = ENAMETOOLONG;
	bool is_there = strlen(next) < PATH_MAX && lstat(next, &stat) == 0;
	if (!is_there && errno != ENOENT && errno != ENOTDIR) {
		route->error = errno;
	}
	if (is_there && S_ISDIR(stat.st_mode)) {
		return go_down(walk, name);
	}
	add_turn(walk, name);
	if (is_there && S_ISLNK(stat.st_mode)) {
		return follow_link(walk, next);
	}
	if (is_at_end(walk)) {
		route->form = ROUTE_FILE;
		(void)go_down(walk, name); // a path too long was not there
	}
	return false;
}

static void note_target(struct route *route, const struct walk *walk) {
	struct stat stat;
	_cleanup_(freep) char *folder = xstrdup(walk->at);
	char *slash = strrchr(folder, '/');
	if (route->form == ROUTE_FILE && slash) {
		*slash = '\0';
	}
	free(route->target);
	route->target = xstrdup(top(walk->at));
	bool is_there = lstat(top(folder), &stat) == 0;
	route->device = is_there ? stat.st_dev : 0;
	route->inode = is_there ? stat.st_ino : 0;
}

static void walk_path(struct route *route, const char *path) {
	struct walk *walk = xcalloc(1, sizeof(*walk));
	walk->route = route;
	route->form = ROUTE_MISSING;
	if (strlen(path) < PATH_MAX) {
		memcpy(walk->rest, path, strlen(path) + 1);
		while (step(walk)) {
		}
	}
	note_target(route, walk);
	free(walk);
}

static bool is_same_way(const struct route *a, const struct route *b) {
	bool is_same = a->form == b->form && a->n == b->n && a->inode == b->inode &&
		a->device == b->device && strcmp(a->target, b->target) == 0;
	for (size_t i = 0; is_same && i < a->n; i++) {
		is_same = strcmp(a->turns[i].folder, b->turns[i].folder) == 0 &&
			strcmp(a->turns[i].name, b->turns[i].name) == 0;
	}
	return is_same;
}

// Masks are added to, for the same folder may be watched for its content.
static int watch_turns(struct route *route, int fd) {
	int error = 0;
	for (size_t i = 0; i < route->n; i++) {
		struct turn *turn = &route->turns[i];
		bool is_file = route->form == ROUTE_FILE && i + 1 == route->n;
		turn->wd = inotify_add_watch(fd, turn->folder,
			(is_file ? ROUTE_FILES : ROUTE_NAMES) | IN_ONLYDIR | IN_MASK_ADD);
		if (turn->wd < 0 && errno != ENOENT && errno != ENOTDIR) {
			error = errno;
		}
	}
	return error;
}

static void unwatch_old(const struct route *old, const struct route *route, int fd) {
	for (size_t i = 0; i < old->n; i++) {
		if (old->turns[i].wd >= 0 && !route_has(route, old->turns[i].wd)) {
			(void)inotify_rm_watch(fd, old->turns[i].wd); // it may be gone already
		}
	}
}

int route_find(struct route *route, int inotify_fd, const char *path) {
	struct route old = *route;
	int error = 0;
	*route = (struct route){0};
	walk_path(route, path);
	// Watched, then walked again: a way that is still the same cannot turn unseen any more.
	for (int i = 0; i < WALKS_MAX; i++) {
		struct route again = {0};
		error = watch_turns(route, inotify_fd);
		walk_path(&again, path);
		if (is_same_way(route, &again)) {
			route_finish(&again);
			break;
		}
		unwatch_old(route, &again, inotify_fd);
		route_finish(route);
		*route = again;
	}
	unwatch_old(&old, route, inotify_fd);
	route_finish(&old);
	return error;
}

bool route_has(const struct route *route, int wd) {
	for (size_t i = 0; i < route->n; i++) {
		if (route->turns[i].wd == wd) {
			return true;
		}
	}
	return false;
}

bool route_is_hint(const struct route *route, int wd, const char *name) {
	for (size_t i = 0; i < route->n; i++) {
		if (route->turns[i].wd == wd && strcmp(route->turns[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

bool route_stands(const struct route *route, const char *path) {
	struct route again = {0};
	walk_path(&again, path);
	bool is_same = is_same_way(route, &again);
	route_finish(&again);
	return is_same;
}

void route_finish(struct route *route) {
	for (size_t i = 0; i < route->n; i++) {
		free(route->turns[i].folder);
		free(route->turns[i].name);
	}
	free(route->turns);
	free(route->target);
	*route = (struct route){0};
}
