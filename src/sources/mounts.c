// SPDX-License-Identifier: Apache-2.0
// The source `mounts`: file systems that are mounted, unmounted, or mounted otherwise. The kernel
// marks the open mount table when it changes (proc(5): POLLPRI and POLLERR); a job then reads it
// and compares.
#include <fcntl.h>

#include "base/alloc.h"
#include "flow/capability.h"
#include "sources/gathering.h"
#include "sources/mountinfo.h"
#include "sources/mounts_read.h"

#define SETTLE (100 * NS_PER_MS) // what is mounted and unmounted in less is not seen
#define SETTLE_MOST NS_PER_SECOND

struct mounts_config {
	bool is_enabled;
	struct strings ignored_types, ignored_mounts;
};

struct mounts {
	const struct services *services;
	struct snapshot *snapshot;
	const struct mounts_config *config;
	struct outbox outbox;
	struct gathering gathering;
	char *path;
	int fd; // watched; -1: not
	struct watch watch;
	struct err complaint;
};

static bool is_any_of(const struct strings *globs, struct str text) {
	for (size_t i = 0; i < globs->n; i++) {
		if (str_glob(globs->items[i], text)) {
			return true;
		}
	}
	return false;
}

static struct event *new_event(const char *kind, const struct mount *mount) {
	struct event *event = event_create(kind, "mounts", STR(""));
	outbox_set_clean(event, "mount", mount->point);
	outbox_set_clean(event, "device", mount->device);
	outbox_set_clean(event, "fstype", mount->type);
	outbox_set_clean(event, "options", mount->options);
	event_set_bool(event, "readonly", str_is(mount->mode, "ro"));
	const struct value *point = event_attribute(event, STR("mount"));
	event->subject = point ? point->string : STR(""); // lives as long as the event
	return event;
}

static bool is_ignored(const struct mounts *mounts, const struct mount *mount) {
	return is_any_of(&mounts->config->ignored_types, mount->type) ||
		is_any_of(&mounts->config->ignored_mounts, mount->point);
}

static void send(struct mounts *mounts, const char *kind, const struct mount *mount) {
	if (!is_ignored(mounts, mount)) {
		outbox_send(&mounts->outbox, new_event(kind, mount));
	}
}

static void on_change(void *arg, const struct fact_change *change) {
	struct mounts *mounts = arg;
	struct mount before, after;
	mount_split(change->before, &before);
	mount_split(change->after, &after);
	bool is_other = !change->before.at || !change->after.at ||
		!str_equal(before.point, after.point) || !str_equal(before.device, after.device);
	if (is_other && change->before.at) { // ids are given anew
		send(mounts, "mount.removed", &before);
	}
	if (is_other && change->after.at) {
		send(mounts, "mount.added", &after);
	}
	if (is_other || is_ignored(mounts, &after)) {
		return;
	}
	bool is_locked = str_is(before.mode, "rw") && str_is(after.mode, "ro");
	struct event *event = new_event(is_locked ? "mount.readonly" : "mount.changed", &after);
	outbox_set_clean(event, "options_before", before.options);
	outbox_send(&mounts->outbox, event);
}

// Polling it takes the mark away: it comes once for each change.
static void on_mark(void *arg, uint32_t events) {
	struct mounts *mounts = arg;
	(void)events;
	gathering_hint(&mounts->gathering);
}

static void watch_table(struct mounts *mounts) {
	mounts->fd = open(mounts->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (mounts->fd < 0) {
		err_errno(&mounts->complaint, "cannot open %s", mounts->path);
		return;
	}
	// No event is asked for: the mark comes as an error, which is always told. A recorded
	// table cannot be watched and does not change.
	bool is_watched = watch_start(&mounts->watch, mounts->services->loop, mounts->fd, 0,
		on_mark, mounts, &mounts->complaint);
	if (!is_watched) {
		close(mounts->fd);
		mounts->fd = -1;
	}
}

static void take_config(struct mounts *mounts, const struct capability_config *config) {
	struct snapshot *old = mounts->snapshot;
	mounts->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	mounts->config = config->config;
	if (old) {
		snapshot_unref(old);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // what cannot be watched degrades
	struct mounts *mounts = xcalloc(1, sizeof(*mounts));
	const char *root = services->sysroot ? services->sysroot : "";
	mounts->services = services;
	mounts->path = xasprintf("%s%s", root, mountinfo_path(root));
	outbox_init(&mounts->outbox, services, "mounts");
	take_config(mounts, config);
	watch_table(mounts);
	mounts->gathering = (struct gathering){.services = services,
		.outbox = &mounts->outbox,
		.settle_ns = SETTLE,
		.most_ns = SETTLE_MOST,
		.spec = mounts->path,
		.gather = mounts_read,
		.on_change = on_change,
		.arg = mounts};
	gathering_start(&mounts->gathering);
	return mounts;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	take_config(self, config);
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct mounts *mounts = self;
	if (mounts->fd >= 0) {
		watch_stop(&mounts->watch);
		close(mounts->fd);
	}
	gathering_stop(&mounts->gathering);
	outbox_finish(&mounts->outbox);
	if (mounts->snapshot) {
		snapshot_unref(mounts->snapshot);
	}
	free(mounts->path);
	free(mounts);
}

static bool is_enabled(const struct capability_config *config) {
	return ((const struct mounts_config *)config->config)->is_enabled;
}

static void health(void *self, struct capability_health *out) {
	const struct mounts *mounts = self;
	const char *reason = mounts->fd < 0 ? mounts->complaint.message
					    : buf_text(&mounts->gathering.trouble);
	out->state = reason[0] ? CAPABILITY_DEGRADED : CAPABILITY_ACTIVE;
	snprintf(out->reason, sizeof(out->reason), "%.255s", reason);
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct mounts_config, is_enabled), "true",
		.help = "Tell of file systems that are mounted, unmounted or mounted otherwise."},
	{"ignored_types", OPTION_STRINGS, offsetof(struct mounts_config, ignored_types),
		"[\"autofs\", \"binfmt_misc\", \"bpf\", \"cgroup\", \"cgroup2\", \"configfs\", "
		"\"debugfs\", \"devpts\", \"devtmpfs\", \"fusectl\", \"hugetlbfs\", \"mqueue\", "
		"\"nsfs\", \"overlay\", \"proc\", \"pstore\", \"ramfs\", \"rpc_pipefs\", "
		"\"securityfs\", \"sysfs\", \"tracefs\"]",
		.max = 1000, .help = "Types of file system to leave out (globs)."},
	{"ignored_mounts", OPTION_STRINGS, offsetof(struct mounts_config, ignored_mounts),
		"[\"/run/user/*\", \"/run/credentials/*\", \"/run/containerd/*\", "
		"\"/run/docker/*\", \"/run/netns*\", \"/var/lib/docker/*\", "
		"\"/var/lib/containers/*\", \"/var/lib/kubelet/*\", \"/snap/*\"]",
		.max = 1000, .help = "Mount points to leave out (globs)."},
	{NULL},
};

static const struct kind_attribute attributes[] = {
	{"mount", "string", NULL, "the mount point"},
	{"device", "string", NULL, "what is mounted there"},
	{"fstype", "string", NULL, "its type"},
	{"options", "string", NULL, "the options of the mount and of the file system"},
	{"options_before", "string", NULL, "those before, when they changed"},
	{"readonly", "boolean", NULL, "nothing can be written to it"},
	{NULL},
};

static const struct kind kinds[] = {
	{"mount.added", STREAM_NORMAL, "A file system was mounted.", attributes},
	{"mount.removed", STREAM_NORMAL, "A file system was unmounted.", attributes},
	{"mount.changed", STREAM_NORMAL, "A file system is mounted with other options.",
		attributes},
	{"mount.readonly", STREAM_NORMAL,
		"A file system that could be written to is read-only now: by hand, or by the "
		"kernel after an error.",
		attributes},
	{NULL},
};

DEFINE_SOURCE(mounts) = {
	.name = "mounts",
	.summary = "File systems that are mounted, unmounted or turn read-only.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "mounts",
			.summary = "Events of the mount table.",
			.rows = rows,
			.size = sizeof(struct mounts_config),
			.example =
				"[mounts]\nignored_mounts = [\"/run/user/*\", \"/mnt/scratch*\"]\n",
		},
	.kinds = kinds,
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
