// SPDX-License-Identifier: Apache-2.0
// Reload by itself when the configuration changes on disk; opt-in. Watches folders, not files, so
// that editors which write a new file and rename it are seen; follows a symlinked config.toml to
// where it points. Waits until 500 ms have passed without a change, reloads at most once per 5 s.
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/capability.h"
#include "io/loop.h"
#include "rpc/anna.h"

#define LOG_FOLDER "reload"
#define DEBOUNCE_NS (500 * NS_PER_MS)
#define INTERVAL_NS (5 * NS_PER_SECOND)
#define CHANGES \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_MOVE_SELF | \
		IN_DELETE_SELF)

struct reload_config {
	bool is_automatic;
};

struct auto_reload {
	const struct services *services;
	char *path; // of config.toml
	int fd;
	int folder_watch, below_watch, policies_watch, target_watch; // inotify's; -1: none
	char target[NAME_MAX + 1]; // the name of the file a symlink leads to
	struct watch watch;
	struct timer due;
	int64_t last_ns; // monotonic; of the last reload asked for
	char problem[200];
};

// The watch, or -1.
static int watch_folder(struct auto_reload *self, const char *folder) {
	// The same folder again only refreshes its watch, which stays the same.
	int watch = inotify_add_watch(self->fd, folder, CHANGES | IN_ONLYDIR);
	if (watch < 0 && errno != ENOENT) {
		(void)snprintf(self->problem, sizeof(self->problem), "cannot watch %.120s: %s",
			folder, strerror(errno));
	}
	return watch;
}

// A symlink that leads nowhere is mended where it led last, or turned elsewhere: both are watched.
static void watch_target(struct auto_reload *self) {
	char resolved[PATH_MAX];
	int before = self->target_watch;
	if (!realpath(self->path, resolved)) {
		return;
	}
	char *slash = strrchr(resolved, '/');
	(void)snprintf(self->target, sizeof(self->target), "%s", slash + 1);
	slash[slash == resolved] = '\0';
	self->target_watch = watch_folder(self, resolved);
	if (before >= 0 && before != self->target_watch && before != self->folder_watch &&
		before != self->below_watch && before != self->policies_watch) {
		(void)inotify_rm_watch(self->fd, before); // may be gone with its folder
	}
}

// The folder of the file, conf.d and policies.d below it, and the folder a symlink leads to.
static void watch_all(struct auto_reload *self) {
	_cleanup_(freep) char *copy = xstrdup(self->path);
	const char *folder = dirname(copy);
	_cleanup_(freep) char *below = xasprintf("%s/conf.d", folder);
	_cleanup_(freep) char *policies = xasprintf("%s/policies.d", folder);
	self->problem[0] = '\0';
	self->folder_watch = watch_folder(self, folder);
	self->below_watch = watch_folder(self, below);
	self->policies_watch = watch_folder(self, policies);
	watch_target(self);
}

static void on_reloaded(void *arg, const struct reload_result *result, const struct err *err) {
	(void)arg;
	(void)result;
	(void)err; // the daemon has said and journaled it
}

static void on_due(void *arg) {
	struct auto_reload *self = arg;
	struct loop *loop = self->services->loop;
	struct err err = ERR_INIT;
	int64_t wait = self->last_ns ? self->last_ns + INTERVAL_NS - loop_now(loop) : 0;
	if (wait > 0) {
		timer_start(&self->due, loop, wait, on_due, self);
		return;
	}
	watch_all(self); // conf.d may be new, the symlink may point elsewhere
	self->last_ns = loop_now(loop);
	if (!anna_reload_changed(self->services->anna, "file change", on_reloaded, NULL, &err)) {
		log_info("the configuration changed; not now: %s", err.message);
		timer_start(&self->due, loop, INTERVAL_NS, on_due, self);
	}
}

static bool is_config_name(const struct auto_reload *self, const struct inotify_event *event) {
	struct str name = str_from(event->len ? event->name : "");
	const char *slash = strrchr(self->path, '/');
	if (event->mask & IN_IGNORED) { // a watch is gone; why was an event before it
		return false;
	}
	return !name.len || str_is(name, slash ? slash + 1 : self->path) ||
		(event->wd == self->target_watch && str_is(name, self->target)) ||
		str_is(name, "conf.d") || str_ends(name, STR(".toml")) ||
		str_is(name, "policies.d") || str_ends(name, STR(".yaml"));
}

static void on_change(void *arg, uint32_t events) {
	struct auto_reload *self = arg;
	_Alignas(struct inotify_event) char bytes[4096];
	bool is_ours = false;
	(void)events;
	ssize_t n;
	while ((n = read(self->fd, bytes, sizeof(bytes))) > 0) {
		for (char *at = bytes; at < bytes + n;) {
			const struct inotify_event *event = (const struct inotify_event *)(void *)
				at;
			// An overflow means: something may have changed.
			is_ours |= (event->mask & IN_Q_OVERFLOW) || is_config_name(self, event);
			at += sizeof(*event) + event->len;
		}
	}
	if (is_ours) {
		timer_start(&self->due, self->services->loop, DEBOUNCE_NS, on_due, self);
	}
}

static void stop(void *arg) {
	struct auto_reload *self = arg;
	timer_stop(&self->due);
	watch_stop(&self->watch);
	close(self->fd);
	free(self->path);
	free(self);
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)config;
	const char *path = anna_config_file(services->anna);
	if (!path) {
		err_set(err, ERR_INVALID, "there is no configuration file to watch");
		return NULL;
	}
	struct auto_reload *self = xcalloc(1, sizeof(*self));
	self->services = services;
	self->path = xstrdup(path);
	self->folder_watch = self->below_watch = self->policies_watch = self->target_watch = -1;
	self->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (self->fd < 0 ||
		!watch_start(&self->watch, services->loop, self->fd, LOOP_READABLE, on_change, self,
			err)) {
		if (self->fd < 0) {
			err_errno(err, "cannot watch for changes of %s (inotify)", path);
		} else {
			close(self->fd);
		}
		free(self->path);
		free(self);
		return NULL;
	}
	watch_all(self);
	return self;
}

static bool is_enabled(const struct capability_config *config) {
	const struct reload_config *reload = config->config;
	return reload->is_automatic;
}

static enum reconfigured reconfigure(void *arg, const struct capability_config *config) {
	struct auto_reload *self = arg;
	(void)config;
	watch_all(self);
	return RECONFIGURE_ADAPTED;
}

static void health(void *arg, struct capability_health *out) {
	const struct auto_reload *self = arg;
	out->state = self->problem[0] ? CAPABILITY_DEGRADED : CAPABILITY_ACTIVE;
	(void)snprintf(out->reason, sizeof(out->reason), "%s", self->problem);
}

static const struct option rows[] = {
	{.key = "auto",
		.type = OPTION_BOOL,
		.offset = offsetof(struct reload_config, is_automatic),
		.fallback = "false",
		.help = "Reload by itself when config.toml or a file in conf.d or policies.d "
			"changes."},
	{0},
};

DEFINE_CAPABILITY(reload) = {
	.name = "reload",
	.summary = "Reloads by itself when the configuration changes on disk.",
	.section = &(const struct section){.name = "reload",
		.summary = "What happens when the configuration changes on disk.",
		.rows = rows,
		.size = sizeof(struct reload_config)},
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
