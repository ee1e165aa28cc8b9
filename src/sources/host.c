// SPDX-License-Identifier: Apache-2.0
// The source `host`: what the kernel says about this machine, read every interval and kept for
// /metrics under node_exporter's names, and the event `host.filesystem` when a file system crosses
// its threshold. One timer drives everything; nothing here waits for a disk or a network.
#include <errno.h>
#include <poll.h>

#include "base/alloc.h"
#include "flow/capability.h"
#include "formats/exposition.h"
#include "io/loop.h"
#include "sources/host.h"
#include "sources/host_filesystem.h"
#include "sources/host_statfs.h"
#include "sources/text.h"

struct host_override {
	struct str mount;
	double used_percent;
};

struct host_config {
	int64_t interval_ns;
	double used_percent;
	double hysteresis_percent;
	int64_t answer_limit_ns;
	struct strings ignored_types;
	struct strings ignored_mounts;
	struct strings ignored_devices;
	struct item_list overrides;
};

enum proc_name {
	PROC_STAT,
	PROC_LOAD,
	PROC_MEMORY,
	PROC_NETWORK,
	PROC_MOUNTS,
	PROC_FILES
};

struct host {
	const struct services *services;
	struct snapshot *snapshot;
	const struct host_config *config;
	struct timer tick;
	struct meter meter;
	struct proc_file files[PROC_FILES];
	bool is_unreadable[PROC_FILES];
	struct err complaint; // about the first that cannot be read
	struct buf text;      // of the file being read
	struct host_cpu cpu;
	struct host_load load;
	struct host_memory memory;
	struct host_network network;
	struct host_kernel kernel;
	struct filesystems filesystems;
	struct statfs statfs;
	bool has_mounts;
};

static double limit_of(const struct host_config *config, const char *mount) {
	const struct host_override *overrides = config->overrides.items;
	for (size_t i = 0; i < config->overrides.n; i++) {
		if (str_is(overrides[i].mount, mount)) {
			return overrides[i].used_percent;
		}
	}
	return config->used_percent;
}

static bool is_overridden(const struct host_config *config, const char *mount) {
	const struct host_override *overrides = config->overrides.items;
	for (size_t i = 0; i < config->overrides.n; i++) {
		if (str_is(overrides[i].mount, mount)) {
			return true;
		}
	}
	return false;
}

// Mount points and devices are bytes; attributes are text.
static void set_clean(struct event *event, const char *name, const char *bytes) {
	struct buf text = BUF_INIT;
	clean_text(&text, str_from(bytes));
	event_set_str(event, name, buf_str(&text));
	buf_finish(&text);
}

static bool publish(struct host *host, const struct filesystem *filesystem, double used,
	double limit, bool is_above) {
	struct buf subject = BUF_INIT;
	clean_text(&subject, str_from(filesystem->point));
	struct event *event = event_create("host.filesystem", "host", buf_str(&subject));
	buf_finish(&subject);
	set_clean(event, "mount", filesystem->point);
	set_clean(event, "device", filesystem->device);
	set_clean(event, "fstype", filesystem->type);
	event_set_double(event, "used_percent", used);
	event_set_int(event, "avail_bytes", clamp_int(filesystem->space.avail_bytes));
	event_set_int(event, "size_bytes", clamp_int(filesystem->space.size_bytes));
	event_set_text(event, "state", is_above ? "above" : "below");
	event_set_double(event, "threshold", limit);
	return bus_publish(host->services->bus, event, NULL, NULL, NULL) != 0;
}

// Decides on the figure that is shown, so that an event never says 89.9 >= 90.
static void judge(struct host *host, struct filesystem *filesystem) {
	const struct host_config *config = host->config;
	double limit = limit_of(config, filesystem->point);
	double used = space_used_percent(&filesystem->space);
	bool is_watched = filesystem->is_first || is_overridden(config, filesystem->point);
	if (used < 0 || limit <= 0 || !is_watched) {
		return;
	}
	used = (double)(int64_t)(used * 10 + 0.5) / 10;
	enum crossing crossing = threshold_judge(
		filesystem->is_above, used, limit, config->hysteresis_percent);
	// When the bus refuses, the state stays and the next answer tries again.
	if (crossing != CROSSING_NONE &&
		publish(host, filesystem, used, limit, crossing == CROSSING_UP)) {
		filesystem->is_above = crossing == CROSSING_UP;
	}
}

static void on_answer(void *arg, struct filesystem *filesystem) {
	if (filesystem->verdict == SPACE_KNOWN) {
		judge(arg, filesystem);
	}
}

static void on_gone(void *arg, struct filesystem *filesystem) {
	struct host *host = arg;
	statfs_forget(&host->statfs, filesystem);
}

static bool read_proc(struct host *host, enum proc_name name) {
	struct err err = ERR_INIT;
	bool was_unreadable = host->is_unreadable[name];
	host->is_unreadable[name] = !proc_file_read(&host->files[name], &host->text, &err);
	if (host->is_unreadable[name]) {
		buf_clear(&host->text); // what cannot be read is absent
		if (!was_unreadable) {
			host->complaint = err;
		}
	}
	return !host->is_unreadable[name];
}

// The kernel marks the open mount table when it changes, so it is read only then.
static bool has_new_mounts(const struct host *host) {
	const struct proc_file *file = &host->files[PROC_MOUNTS];
	struct pollfd ask = {.fd = file->fd, .events = POLLPRI};
	if (!host->has_mounts || file->fd < 0) {
		return true;
	}
	return poll(&ask, 1, 0) > 0 && (ask.revents & (POLLPRI | POLLERR));
}

static void read_mounts(struct host *host) {
	if (!has_new_mounts(host) || !read_proc(host, PROC_MOUNTS)) {
		return; // the last table known stands
	}
	const struct host_config *config = host->config;
	const struct mount_filter filter = {.types = config->ignored_types.items,
		.type_count = config->ignored_types.n,
		.points = config->ignored_mounts.items,
		.point_count = config->ignored_mounts.n};
	filesystems_update(&host->filesystems, buf_str(&host->text), &filter, on_gone, host);
	host->has_mounts = true;
}

static void read_all(struct host *host) {
	const struct strings *ignored = &host->config->ignored_devices;
	(void)read_proc(host, PROC_STAT);
	host_cpu_parse(&host->cpu, buf_str(&host->text));
	(void)read_proc(host, PROC_LOAD);
	host_load_parse(&host->load, buf_str(&host->text));
	(void)read_proc(host, PROC_MEMORY);
	host_memory_parse(&host->memory, buf_str(&host->text));
	(void)read_proc(host, PROC_NETWORK);
	host_network_parse(&host->network, buf_str(&host->text), ignored->items, ignored->n);
	read_mounts(host);
	statfs_tick(&host->statfs);
}

// Ticks stand on multiples of the interval, so a late one does not push the others.
static void on_tick(void *arg) {
	struct host *host = arg;
	struct loop *loop = host->services->loop;
	int64_t interval = host->config->interval_ns;
	read_all(host);
	timer_start_at(
		&host->tick, loop, (loop_now(loop) / interval + 1) * interval, on_tick, host);
}

static void collect(void *arg, struct exposition *out) {
	const struct host *host = arg;
	struct clock *clock = loop_clock(host->services->loop);
	host_cpu_collect(&host->cpu, out);
	filesystems_collect(&host->filesystems, out);
	host_load_collect(&host->load, out);
	host_memory_collect(&host->memory, out);
	host_network_collect(&host->network, out);
	exposition_family(
		out, "node_time_seconds", "gauge", "System time in seconds since epoch (1970).");
	exposition_sample(out, (double)clock_wall(clock) / (double)NS_PER_SECOND, NULL);
	host_kernel_collect(&host->kernel, out);
}

static void take_config(struct host *host, const struct capability_config *config) {
	struct snapshot *old = host->snapshot;
	host->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	host->config = config->config;
	host->statfs.limit_ns = host->config->answer_limit_ns;
	host->has_mounts = false; // the filters may be others
	if (old) {
		snapshot_unref(old);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	static const char *const paths[PROC_FILES] = {"/proc/stat", "/proc/loadavg",
		"/proc/meminfo", "/proc/net/dev", "/proc/self/mountinfo"};
	(void)err; // what cannot be read is a degraded host, not a failed one
	const char *sysroot = services->sysroot ? services->sysroot : "";
	struct host *host = xcalloc(1, sizeof(*host));
	host->services = services;
	for (size_t i = 0; i < PROC_FILES; i++) {
		proc_file_init(&host->files[i], sysroot, paths[i]);
	}
	host_kernel_read(&host->kernel, sysroot);
	filesystems_init(&host->filesystems);
	host->statfs = (struct statfs){.loop = services->loop,
		.jobs = services->slow_jobs,
		.children = services->children,
		.set = &host->filesystems,
		.recorded = sysroot[0] ? xasprintf("%s/statfs", sysroot) : NULL,
		.on_answer = on_answer,
		.arg = host};
	take_config(host, config);
	meters_add(services->meters, &host->meter, collect, host);
	on_tick(host);
	return host;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	struct host *host = self;
	take_config(host, config);
	on_tick(host);
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct host *host = self;
	timer_stop(&host->tick);
	meters_remove(&host->meter);
	statfs_finish(&host->statfs);
	filesystems_finish(&host->filesystems);
	host_cpu_finish(&host->cpu);
	host_network_finish(&host->network);
	host_kernel_finish(&host->kernel);
	for (size_t i = 0; i < PROC_FILES; i++) {
		proc_file_finish(&host->files[i]);
	}
	buf_finish(&host->text);
	if (host->snapshot) {
		snapshot_unref(host->snapshot);
	}
	free(host);
}

// Not allowed to look, or hidden by another mount: nothing is wrong with the file system.
static bool is_ill(const struct filesystem *filesystem) {
	return filesystem->verdict == SPACE_SILENT ||
		(filesystem->verdict == SPACE_FAILED && filesystem->error != EACCES &&
			filesystem->error != EPERM && filesystem->error != ENOENT);
}

static void describe_ill(const struct host *host, struct buf *out) {
	size_t ill = 0;
	list_for_each (node, &host->filesystems.list) {
		struct filesystem *filesystem = list_item(node, struct filesystem, node);
		if (!is_ill(filesystem) || ill++) {
			continue;
		}
		clean_text(out, str_head(str_from(filesystem->point), 120));
		if (filesystem->verdict == SPACE_SILENT) {
			buf_appendf(out, " (%s) does not answer; asked again every minute",
				filesystem->type);
		} else {
			buf_appendf(out, " (%s) cannot be read: %s", filesystem->type,
				strerror(filesystem->error));
		}
	}
	if (ill > 1) {
		buf_appendf(out, "; %zu more are not well", ill - 1);
	}
}

static void health(void *self, struct capability_health *out) {
	struct host *host = self;
	struct buf reason = BUF_INIT;
	describe_ill(host, &reason);
	for (size_t i = 0; i < PROC_FILES && !reason.len; i++) {
		if (host->is_unreadable[i]) {
			buf_append_text(&reason, host->complaint.message);
		}
	}
	if (!reason.len && host->statfs.is_refused) {
		buf_append_text(&reason,
			"file systems are not asked: too many wait for paths that do not answer");
	}
	if (!reason.len && host->filesystems.is_cut) {
		buf_appendf(&reason, "more than %d file systems are mounted; the rest is left out",
			FILESYSTEMS_MAX);
	}
	out->state = reason.len ? CAPABILITY_DEGRADED : CAPABILITY_ACTIVE;
	snprintf(out->reason, sizeof(out->reason), "%s", buf_text(&reason));
	buf_finish(&reason);
}

static const struct option override_rows[] = {
	{"mount", OPTION_STRING, offsetof(struct host_override, mount), .min = 1, .max = 4096,
		.is_required = true, .help = "The mount point."},
	{"used_percent", OPTION_NUMBER, offsetof(struct host_override, used_percent), .min = 0,
		.max = 100, .unit = "percent", .is_required = true,
		.help = "Threshold of this one; 0 publishes nothing about it."},
	{NULL},
};

static const struct option rows[] = {
	{"interval", OPTION_DURATION, offsetof(struct host_config, interval_ns), "1s",
		.min = 0.1 * NS_PER_SECOND, .max = 3600.0 * NS_PER_SECOND,
		.help = "How often the kernel is asked."},
	{"filesystem_used_percent", OPTION_NUMBER, offsetof(struct host_config, used_percent), "90",
		.min = 0, .max = 100, .unit = "percent",
		.help = "A file system at least this full is an event; 0 switches these off."},
	{"filesystem_hysteresis_percent", OPTION_NUMBER,
		offsetof(struct host_config, hysteresis_percent), "5", .min = 0, .max = 100,
		.unit = "percent",
		.help = "How far below the threshold it must fall to count as below again."},
	{"filesystem_answer_limit", OPTION_DURATION, offsetof(struct host_config, answer_limit_ns),
		"5s", .min = 0.1 * NS_PER_SECOND, .max = 600.0 * NS_PER_SECOND,
		.help = "A file system that has not answered after this time is reported."},
	{"ignored_filesystem_types", OPTION_STRINGS, offsetof(struct host_config, ignored_types),
		"[\"autofs\", \"binfmt_misc\", \"bpf\", \"cgroup\", \"cgroup2\", \"configfs\", "
		"\"debugfs\", \"devpts\", \"devtmpfs\", \"fusectl\", \"hugetlbfs\", \"iso9660\", "
		"\"mqueue\", \"nsfs\", \"overlay\", \"proc\", \"procfs\", \"pstore\", "
		"\"rpc_pipefs\", \"securityfs\", \"selinuxfs\", \"squashfs\", \"sysfs\", "
		"\"tracefs\"]",
		.help = "Types of file system to leave out (globs); node_exporter's defaults."},
	{"ignored_mounts", OPTION_STRINGS, offsetof(struct host_config, ignored_mounts),
		"[\"/dev\", \"/dev/*\", \"/proc\", \"/proc/*\", \"/sys\", \"/sys/*\", "
		"\"/run/credentials/*\", \"/var/lib/docker/*\", "
		"\"/var/lib/containers/storage/*\"]",
		.help = "Mount points to leave out (globs); node_exporter's defaults."},
	{"ignored_network_devices", OPTION_STRINGS, offsetof(struct host_config, ignored_devices),
		.help = "Network devices to leave out (globs)."},
	{"filesystems", OPTION_LIST, offsetof(struct host_config, overrides), .rows = override_rows,
		.item_size = sizeof(struct host_override), .help = "Thresholds of single mounts."},
	{NULL},
};

static const struct kind_attribute filesystem_attributes[] = {
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

static const struct kind kinds[] = {
	{"host.filesystem", STREAM_NORMAL,
		"A file system filled up to its threshold, or fell below it again.",
		filesystem_attributes},
	{NULL},
};

DEFINE_SOURCE(host) = {
	.name = "host",
	.summary = "CPU, load, memory, file systems and network of this machine.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "host",
			.summary = "What is measured of this machine, and from when on a file "
				   "system is too full.",
			.rows = rows,
			.size = sizeof(struct host_config),
			.example = "[host]\nfilesystem_used_percent = 85\n\n[[host.filesystems]]\n"
				   "mount = \"/var\"\nused_percent = 80\n",
		},
	.kinds = kinds,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
