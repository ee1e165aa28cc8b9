// SPDX-License-Identifier: Apache-2.0
// The source `devices`: devices that come, go and change, as the kernel broadcasts it
// (netlink(7), NETLINK_KOBJECT_UEVENT, group 1). Only messages that the kernel itself sent count.
// When the socket overflowed, /sys is read and what is different is told.
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/map.h"
#include "flow/capability.h"
#include "sources/devices_read.h"
#include "sources/gathering.h"

#define KERNEL_GROUP 1
#define MESSAGE_MAX 8192	   // the kernel's own limit is 2 KiB of fields
#define MESSAGES_A_ROUND 16	   // then others have their turn
#define BUFFER_BYTES (1024 * 1024) // of the socket: a dock with all that hangs on it
#define SETTLE (200 * NS_PER_MS)
#define SETTLE_MOST (5 * NS_PER_SECOND)
#define TOLD_MAX 1024	    // then /sys is read to begin anew
#define CHANGES_A_SECOND 50 // "changed" events; some drivers send one for every measurement

struct devices_config {
	bool is_enabled;
	bool tells_changes;
	struct strings subsystems;
};

// What was last told of a device: /sys is compared with it after an overflow.
struct told {
	char *path, *subsystem;
	bool is_added; // else removed
	int64_t at_ns; // monotonic
};

struct devices {
	const struct services *services;
	struct snapshot *snapshot;
	const struct devices_config *config;
	struct outbox outbox;
	int fd; // -1: not open
	struct watch watch;
	struct err complaint;
	struct gathering
		gathering; // of /sys: what is there, and after an overflow what is different
	char *spec;
	struct map told;       // by path, since the look before the last
	int64_t looked_ns;     // monotonic: the look before
	int64_t heard_wall_ns; // the last message
	int64_t second_ns;
	size_t changes;
};

static bool is_wanted(const struct devices *devices, struct str subsystem) {
	const struct strings *globs = &devices->config->subsystems;
	for (size_t i = 0; i < globs->n; i++) {
		if (str_glob(globs->items[i], subsystem)) {
			return true;
		}
	}
	return false;
}

static struct str last_part(struct str path) {
	size_t at = path.len;
	while (at > 0 && path.at[at - 1] != '/') {
		at--;
	}
	return str_skip(path, at);
}

static void tell(struct devices *devices, const char *kind, const struct uevent *uevent) {
	struct str name = uevent->name.len ? uevent->name : last_part(uevent->path);
	struct event *event = event_create(kind, "devices", STR(""));
	outbox_set_clean(event, "name", name);
	outbox_set_clean(event, "subsystem", uevent->subsystem);
	outbox_set_clean(event, "driver", uevent->driver);
	outbox_set_clean(event, "devtype", uevent->type);
	outbox_set_clean(event, "path", uevent->path);
	const struct value *subject = event_attribute(event, STR("name"));
	event->subject = subject ? subject->string : STR("");
	outbox_send(&devices->outbox, event);
}

static void told_free(struct devices *devices, struct told *told) {
	map_remove(&devices->told, str_from(told->path));
	free(told->path);
	free(told->subsystem);
	free(told);
}

static void remember(struct devices *devices, const struct uevent *uevent, bool is_added) {
	struct told *told = map_get(&devices->told, uevent->path);
	if (!told) {
		told = xcalloc(1, sizeof(*told));
		told->path = xstrndup(uevent->path.at, uevent->path.len);
		told->subsystem = xstrndup(uevent->subsystem.at, uevent->subsystem.len);
		map_put(&devices->told, str_from(told->path), told);
	}
	told->is_added = is_added;
	told->at_ns = loop_now(devices->services->loop);
	if (map_count(&devices->told) >= TOLD_MAX) {
		gathering_hint(&devices->gathering);
	}
}

// A device of which nothing was told, and that is, or is not, in /sys now.
static void on_difference(void *arg, const struct fact_change *change) {
	struct devices *devices = arg;
	struct str fields = change->after.at ? change->after : change->before;
	struct uevent found = {.path = change->key};
	(void)str_split(&fields, '\n', &found.subsystem);
	(void)str_split(&fields, '\n', &found.driver);
	bool is_other = !change->before.at || !change->after.at;
	if (is_other && !map_get(&devices->told, change->key)) {
		tell(devices, change->after.at ? "device.added" : "device.removed", &found);
	}
}

// What was told before this look began must agree with it; what was told before the last one is
// in the facts by now.
static bool on_looked(void *arg, const struct fact_changes *changes) {
	struct devices *devices = arg;
	size_t cursor = 0;
	struct map_entry *entry;
	(void)changes;
	while ((entry = map_next(&devices->told, &cursor))) {
		struct told *told = entry->value;
		bool is_there = facts_find(&devices->gathering.known, str_from(told->path)).at;
		if (told->at_ns < devices->looked_ns) {
			told_free(devices, told);
		} else if (told->at_ns < devices->gathering.looked_ns &&
			is_there != told->is_added) {
			const struct uevent found = {.path = str_from(told->path),
				.subsystem = str_from(told->subsystem)};
			tell(devices, is_there ? "device.added" : "device.removed", &found);
			told->is_added = is_there;
		}
	}
	devices->looked_ns = devices->gathering.looked_ns;
	return false;
}

static bool may_tell_change(struct devices *devices) {
	int64_t now = loop_now(devices->services->loop);
	if (now - devices->second_ns >= NS_PER_SECOND) {
		devices->second_ns = now;
		devices->changes = 0;
	}
	return devices->config->tells_changes && devices->changes++ < CHANGES_A_SECOND;
}

static void take_message(struct devices *devices, struct str message) {
	struct uevent uevent;
	if (!uevent_parse(message, &uevent) || !is_wanted(devices, uevent.subsystem)) {
		return;
	}
	if (str_is(uevent.action, "add")) {
		remember(devices, &uevent, true);
		tell(devices, "device.added", &uevent);
	} else if (str_is(uevent.action, "remove")) {
		remember(devices, &uevent, false);
		tell(devices, "device.removed", &uevent);
	} else if (str_is(uevent.action, "change") && may_tell_change(devices)) {
		tell(devices, "device.changed", &uevent);
	}
}

// The kernel has port 0 and, where credentials are passed, process 0 and user 0.
static bool is_from_kernel(const struct msghdr *message, const struct sockaddr_nl *sender) {
	if (message->msg_namelen != sizeof(*sender) || sender->nl_pid != 0 ||
		sender->nl_groups != KERNEL_GROUP) {
		return false;
	}
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
		part = CMSG_NXTHDR((struct msghdr *)(uintptr_t)message, part)) {
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS) {
			struct ucred sender_process;
			memcpy(&sender_process, CMSG_DATA(part), sizeof(sender_process));
			return sender_process.pid == 0 && sender_process.uid == 0;
		}
	}
	return false;
}

static void on_overflow(struct devices *devices) {
	outbox_gap(&devices->outbox, "overflow", devices->heard_wall_ns, 0);
	gathering_hint(&devices->gathering);
}

static void on_ready(void *arg, uint32_t events) {
	struct devices *devices = arg;
	(void)events;
	for (int i = 0; i < MESSAGES_A_ROUND; i++) {
		char bytes[MESSAGE_MAX];
		_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
		struct sockaddr_nl sender;
		struct iovec part = {bytes, sizeof(bytes)};
		struct msghdr message = {.msg_name = &sender,
			.msg_namelen = sizeof(sender),
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(devices->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == ENOBUFS) {
			on_overflow(devices);
			continue;
		}
		if (n <= 0) {
			break; // EAGAIN: that was all
		}
		if (!(message.msg_flags & MSG_TRUNC) && is_from_kernel(&message, &sender)) {
			take_message(devices, str_range(bytes, (size_t)n));
		}
	}
	devices->heard_wall_ns = clock_wall(loop_clock(devices->services->loop));
}

static bool open_socket(struct devices *devices, struct err *err) {
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	const int on = 1, size = BUFFER_BYTES;
	devices->fd = socket(
		AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (devices->fd < 0) {
		return err_errno(err, "cannot open the kernel's device messages");
	}
	// Beyond the system's limit only with CAP_NET_ADMIN; else as much as is allowed.
	if (setsockopt(devices->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0) {
		(void)setsockopt(devices->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	if (setsockopt(devices->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
		bind(devices->fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		return err_errno(err, "cannot listen to the kernel's device messages");
	}
	return watch_start(&devices->watch, devices->services->loop, devices->fd, LOOP_READABLE,
		on_ready, devices, err);
}

static void close_socket(struct devices *devices) {
	if (devices->fd >= 0) {
		watch_stop(&devices->watch);
		close(devices->fd);
		devices->fd = -1;
	}
}

static char *make_spec(const struct devices *devices) {
	struct buf spec = BUF_INIT;
	buf_append_text(&spec, devices->services->sysroot ? devices->services->sysroot : "");
	for (size_t i = 0; i < devices->config->subsystems.n; i++) {
		buf_append_char(&spec, '\n');
		buf_append_str(&spec, devices->config->subsystems.items[i]);
	}
	return buf_take(&spec);
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // what cannot be heard degrades
	struct devices *devices = xcalloc(1, sizeof(*devices));
	devices->services = services;
	devices->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	devices->config = config->config;
	devices->watch.fd = -1;
	devices->heard_wall_ns = clock_wall(loop_clock(services->loop));
	devices->spec = make_spec(devices);
	outbox_init(&devices->outbox, services, "devices");
	if (!open_socket(devices, &devices->complaint)) {
		close_socket(devices);
	}
	// The socket first: what comes while /sys is read is heard.
	devices->gathering = (struct gathering){.services = services,
		.outbox = &devices->outbox,
		.settle_ns = SETTLE,
		.most_ns = SETTLE_MOST,
		.spec = devices->spec,
		.gather = devices_read,
		.on_changes = on_looked,
		.on_change = on_difference,
		.arg = devices};
	gathering_start(&devices->gathering);
	return devices;
}

static void stop(void *self) {
	struct devices *devices = self;
	close_socket(devices);
	gathering_stop(&devices->gathering);
	outbox_finish(&devices->outbox);
	size_t cursor = 0;
	struct map_entry *entry;
	while ((entry = map_next(&devices->told, &cursor))) {
		told_free(devices, entry->value);
	}
	map_finish(&devices->told);
	if (devices->snapshot) {
		snapshot_unref(devices->snapshot);
	}
	free(devices->spec);
	free(devices);
}

static bool is_enabled(const struct capability_config *config) {
	return ((const struct devices_config *)config->config)->is_enabled;
}

static void health(void *self, struct capability_health *out) {
	const struct devices *devices = self;
	const char *reason = devices->fd < 0 ? devices->complaint.message
					     : buf_text(&devices->gathering.trouble);
	out->state = reason[0] ? CAPABILITY_DEGRADED : CAPABILITY_ACTIVE;
	snprintf(out->reason, sizeof(out->reason), "%.255s", reason);
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct devices_config, is_enabled), "true",
		.help = "Tell of devices that come and go."},
	{"changes", OPTION_BOOL, offsetof(struct devices_config, tells_changes), "false",
		.help = "Tell also when one changes (a medium put in, a battery that charges); at "
			"most 50 a second."},
	{"subsystems", OPTION_STRINGS, offsetof(struct devices_config, subsystems),
		"[\"block\", \"bluetooth\", \"drm\", \"mmc\", \"net\", \"nvme\", \"pci\", "
		"\"power_supply\", \"sound\", \"thunderbolt\", \"usb\", \"video4linux\"]",
		.max = 100, .help = "Subsystems of the kernel that count (globs)."},
	{NULL},
};

static const struct kind_attribute attributes[] = {
	{"name", "string", NULL, "the device's name: sda, ttyUSB0, bus/usb/001/004"},
	{"subsystem", "string", NULL, "block, usb, net …"},
	{"driver", "string", NULL, "its driver, where there is one"},
	{"devtype", "string", NULL, "disk, partition, usb_device …"},
	{"path", "string", NULL, "below /sys"},
	{NULL},
};

static const struct kind kinds[] = {
	{"device.added", STREAM_NORMAL, "A device is new.", attributes},
	{"device.removed", STREAM_NORMAL, "A device is gone.", attributes},
	{"device.changed", STREAM_NORMAL, "A device has changed.", attributes},
	{NULL},
};

DEFINE_SOURCE(devices) = {
	.name = "devices",
	.summary = "Devices that come, go and change.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "devices",
			.summary = "Events of the kernel's devices.",
			.rows = rows,
			.size = sizeof(struct devices_config),
			.example = "[devices]\nsubsystems = [\"block\", \"usb\"]\nchanges = true\n",
		},
	.kinds = kinds,
	.is_enabled = is_enabled,
	.start = start,
	.stop = stop,
	.health = health,
};
