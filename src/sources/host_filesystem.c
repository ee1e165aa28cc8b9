// SPDX-License-Identifier: Apache-2.0
// The collector of file systems: which are mounted, how full each is, and the event
// `host.filesystem` when one crosses its threshold. It stays on the loop and never waits: asking
// is host_statfs.h's part.
#include <errno.h>
#include <poll.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "flow/capability.h"
#include "sources/host_collector.h"
#include "sources/host_config.h"
#include "sources/host_statfs.h"
#include "sources/mountinfo.h"
#include "sources/text.h"

// A file system that turned read-only by an error does not mark the mount table.
#define MOUNTS_PERIOD (10 * NS_PER_SECOND)

struct host_filesystem {
	const struct host_world *world;
	struct proc_file mounts;
	struct filesystems set;
	struct statfs statfs;
	uint64_t config_number; // the filters the set was made with
	bool has_mounts;
	int64_t read_ns; // when the mount table was read
};

static const struct kind_attribute attributes[] = {
	{"mount", "string", NULL, "the mount point"},
	{"device", "string", NULL, "what is mounted there"},
	{"fstype", "string", NULL, "its type"},
	{"used_percent", "number", "percent", "used of used and available, as df counts"},
	{"avail_bytes", "integer", "bytes", "free for users who are not root"},
	{"size_bytes", "integer", "bytes", "its size"},
	{"state", "string", NULL, "above or below"},
	{"threshold", "number", "percent", "the threshold in force"},
	{NULL},
};

const struct kind host_kinds[] = {
	{"host.filesystem", STREAM_NORMAL,
		"A file system filled up to its threshold, or fell below it again.", attributes},
	{NULL},
};

static const struct host_override *find_override(
	const struct host_config *config, const char *mount) {
	const struct host_override *overrides = config->overrides.items;
	for (size_t i = 0; i < config->overrides.n; i++) {
		if (str_is(overrides[i].mount, mount)) {
			return &overrides[i];
		}
	}
	return NULL;
}

static bool publish(const struct host_filesystem *self, const struct filesystem *filesystem,
	double used, double limit, bool is_above) {
	struct event *event = event_create(
		"host.filesystem", "host", str_from(filesystem->labels.point));
	event_set_text(event, "mount", filesystem->labels.point);
	event_set_text(event, "device", filesystem->labels.device);
	event_set_text(event, "fstype", filesystem->labels.type);
	event_set_double(event, "used_percent", used);
	event_set_int(event, "avail_bytes", clamp_int(filesystem->space.avail_bytes));
	event_set_int(event, "size_bytes", clamp_int(filesystem->space.size_bytes));
	event_set_text(event, "state", is_above ? "above" : "below");
	event_set_double(event, "threshold", limit);
	return bus_publish(self->world->services->bus, event, NULL, NULL, NULL) != 0;
}

// Decides on the figure that is shown, so that an event never says 89.9 >= 90.
static void judge(const struct host_filesystem *self, struct filesystem *filesystem) {
	const struct host_config *config = self->world->config;
	const struct host_override *own = find_override(config, filesystem->point);
	double limit = own ? own->used_percent : config->used_percent;
	double used = space_used_percent(&filesystem->space);
	if (used < 0 || limit <= 0 || !(filesystem->is_first || own)) {
		return;
	}
	used = (double)(int64_t)(used * 10 + 0.5) / 10;
	enum crossing crossing = threshold_judge(
		filesystem->is_above, used, limit, config->hysteresis_percent);
	// When the bus refuses, the state stays and the next answer tries again.
	if (crossing != CROSSING_NONE &&
		publish(self, filesystem, used, limit, crossing == CROSSING_UP)) {
		filesystem->is_above = crossing == CROSSING_UP;
	}
}

static void on_answer(void *arg, struct filesystem *filesystem) {
	if (filesystem->verdict == SPACE_KNOWN) {
		judge(arg, filesystem);
	}
}

static void on_gone(void *arg, struct filesystem *filesystem) {
	struct host_filesystem *self = arg;
	statfs_forget(&self->statfs, filesystem);
}

static void init(void *arg, const struct host_world *world) {
	struct host_filesystem *self = arg;
	self->world = world;
	filesystems_init(&self->set);
	self->statfs = (struct statfs){.loop = world->services->loop,
		.jobs = world->services->slow_jobs,
		.children = world->services->children,
		.set = &self->set,
		.recorded = world->sysroot[0] ? xasprintf("%s/statfs", world->sysroot) : NULL,
		.on_answer = on_answer,
		.arg = self};
}

// The kernel marks the open mount table when it changes, so it is read then and now and then.
static bool has_new_mounts(const struct host_filesystem *self, int64_t now_ns) {
	struct pollfd ask = {.fd = self->mounts.fd, .events = POLLPRI};
	if (!self->has_mounts || !self->mounts.is_open || now_ns - self->read_ns >= MOUNTS_PERIOD ||
		self->config_number != self->world->config_number) {
		return true;
	}
	return poll(&ask, 1, 0) > 0 && (ask.revents & (POLLPRI | POLLERR));
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_filesystem *self = arg;
	const struct host_config *config = turn->config;
	self->statfs.limit_ns = config->answer_limit_ns;
	// When it cannot be read, the last table known stands.
	if (has_new_mounts(self, turn->now_ns) &&
		turn_read(turn, &self->mounts, mountinfo_path(turn->sysroot))) {
		const struct mount_filter filter = {.types = config->ignored_types.items,
			.type_count = config->ignored_types.n,
			.points = config->ignored_mounts.items,
			.point_count = config->ignored_mounts.n};
		filesystems_update(&self->set, buf_str(&turn->text), &filter, on_gone, self);
		self->has_mounts = true;
		self->read_ns = turn->now_ns;
		self->config_number = self->world->config_number;
	}
	statfs_tick(&self->statfs);
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_filesystem *self = arg;
	filesystems_collect(&self->set, out);
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_filesystem *self = arg;
	filesystems_figures(&self->set, on_figure, on_figure_arg);
}

// Not allowed to look, or hidden by another mount: nothing is wrong with the file system.
static bool is_ill(const struct filesystem *filesystem) {
	return filesystem->verdict == SPACE_SILENT ||
		(filesystem->verdict == SPACE_FAILED && filesystem->error != EACCES &&
			filesystem->error != EPERM && filesystem->error != ENOENT);
}

static void describe(const void *arg, struct buf *out) {
	const struct host_filesystem *self = arg;
	size_t ill = 0;
	list_for_each (node, &self->set.list) {
		const struct filesystem *filesystem = list_item(
			node, const struct filesystem, node);
		if (!is_ill(filesystem) || ill++) {
			continue;
		}
		buf_append_str(out, str_head(str_from(filesystem->labels.point), 120));
		if (filesystem->verdict == SPACE_SILENT) {
			buf_appendf(out, " (%s) does not answer; asked again every minute",
				filesystem->labels.type);
		} else {
			buf_appendf(out, " (%s) cannot be read: %s", filesystem->labels.type,
				strerror(filesystem->error));
		}
	}
	if (ill > 1) {
		buf_appendf(out, "; %zu more are not well", ill - 1);
	}
	if (!out->len && self->statfs.is_refused) {
		buf_append_text(out,
			"file systems are not asked: too many wait for paths that do not answer");
	}
	if (!out->len && self->set.is_cut) {
		buf_appendf(out, "more than %d file systems are mounted; the rest is left out",
			FILESYSTEMS_MAX);
	}
}

static void finish(void *arg) {
	struct host_filesystem *self = arg;
	statfs_finish(&self->statfs);
	filesystems_finish(&self->set);
	proc_file_finish(&self->mounts);
}

DEFINE_HOST_COLLECTOR(filesystem) = {
	.name = "filesystem",
	.summary = "Space, inodes and state of the file systems that are mounted.",
	.place = COLLECTOR_RESIDENT,
	.size = sizeof(struct host_filesystem),
	.init = init,
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.describe = describe,
	.finish = finish,
};
