// SPDX-License-Identifier: Apache-2.0
// Reading device messages and /sys; see devices_read.h. In sysfs every subsystem is a folder of
// links to its devices: /sys/class/NAME and /sys/bus/NAME/devices (Documentation/filesystems/
// sysfs.rst, Documentation/admin-guide/sysfs-rules.rst).
#include "sources/devices_read.h"

#include <limits.h>

#include "base/alloc.h"
#include "io/fs.h"

bool uevent_parse(struct str message, struct uevent *out) {
	struct str head, field, key;
	*out = (struct uevent){0};
	if (!message.len || !str_split(&message, '\0', &head)) {
		return false;
	}
	ptrdiff_t at = str_find_char(head, '@');
	if (at <= 0 || str_skip(head, (size_t)at + 1).len == 0) {
		return false; // "libudev" begins udev's own messages
	}
	while (message.len && str_split(&message, '\0', &field)) {
		struct str value = field;
		if (!str_split(&value, '=', &key) || !value.at) {
			continue;
		}
		if (str_is(key, "ACTION")) {
			out->action = value;
		} else if (str_is(key, "DEVPATH")) {
			out->path = value;
		} else if (str_is(key, "SUBSYSTEM")) {
			out->subsystem = value;
		} else if (str_is(key, "DEVNAME")) {
			out->name = value;
		} else if (str_is(key, "DRIVER")) {
			out->driver = value;
		} else if (str_is(key, "DEVTYPE")) {
			out->type = value;
		}
	}
	return out->action.len && out->path.len && out->subsystem.len;
}

struct reading {
	const char *root;
	struct str globs; // joined by '\n'
	struct facts *out;
	const char *folder; // of subsystems, then of one subsystem's devices
	struct str subsystem;
	bool is_bus;
};

static bool is_wanted(struct str globs, struct str subsystem) {
	struct str glob;
	while (globs.len && str_split(&globs, '\n', &glob)) {
		if (str_glob(glob, subsystem)) {
			return true;
		}
	}
	return false;
}

// DEVTYPE stands in the device's uevent file; reading those of all devices would cost more than it
// tells, so a device found here has none.
static void on_device(void *arg, const char *name) {
	const struct reading *reading = arg;
	_cleanup_(freep) char *link = xasprintf("%s/%s", reading->folder, name);
	char path[PATH_MAX], driver[PATH_MAX];
	struct buf value = BUF_INIT;
	if (!realpath(link, path)) {
		return; // gone since it was listed
	}
	_cleanup_(freep) char *driver_link = xasprintf("%s/driver", path);
	_cleanup_(freep) char *sys = xasprintf("%s/sys", reading->root);
	ssize_t n = readlink(driver_link, driver, sizeof(driver) - 1);
	driver[n > 0 ? n : 0] = '\0';
	const char *slash = strrchr(driver, '/');
	buf_appendf(
		&value, "%" STR_FMT "\n%s\n", STR_ARG(reading->subsystem), slash ? slash + 1 : "");
	if (str_starts(str_from(path), str_from(sys))) {
		facts_add(reading->out, str_from(path + strlen(sys)), buf_str(&value));
	}
	buf_finish(&value);
}

static void on_subsystem(void *arg, const char *name) {
	struct reading *reading = arg;
	if (!is_wanted(reading->globs, str_from(name))) {
		return;
	}
	_cleanup_(freep) char *folder = xasprintf(
		"%s/%s%s", reading->folder, name, reading->is_bus ? "/devices" : "");
	struct reading inner = *reading;
	inner.folder = folder;
	inner.subsystem = str_from(name);
	(void)fs_system()->list(fs_system(), folder, on_device, &inner);
}

void devices_read(const char *spec, struct facts *out, struct buf *trouble) {
	static const char *const folders[] = {"class", "bus"};
	struct str rest = str_from(spec), root;
	(void)str_split(&rest, '\n', &root);
	_cleanup_(freep) char *given = xstrndup(root.at, root.len);
	_cleanup_(freep) char *resolved = given[0] ? realpath(given, NULL) : xstrdup("");
	int status = 0;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *folder = xasprintf(
			"%s/sys/%s", resolved ? resolved : given, folders[i]);
		struct reading reading = {.root = resolved ? resolved : given,
			.globs = rest,
			.out = out,
			.folder = folder,
			.is_bus = i == 1};
		status = fs_system()->list(fs_system(), folder, on_subsystem, &reading);
		if (status < 0) {
			buf_clear(trouble);
			buf_appendf(trouble, "cannot list %s: %s", folder, strerror(-status));
			return;
		}
	}
}
