// SPDX-License-Identifier: Apache-2.0
// Finds our cgroup v2 folder (cgroups(7): the "0::" line) and moves ourselves one level down, since
// a cgroup that is divided may hold no processes itself.
#include "daemon/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "io/fs.h"

// Beside the v1 hierarchies (systemd calls that hybrid), v2 has a folder of its own.
static const char *mount_point(void) {
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "/sys/fs/cgroup"
								      : "/sys/fs/cgroup/unified";
}

static char *own_folder(void) {
	struct buf text = BUF_INIT;
	char *folder = NULL;
	if (fs_read_file(fs_system(), "/proc/self/cgroup", 65536, &text, NULL)) {
		struct str rest = buf_str(&text), line;
		while (!folder && str_split(&rest, '\n', &line)) {
			if (str_starts(line, STR("0::/"))) {
				struct str path = str_skip(line, 3);
				folder = xasprintf("%s%.*s", mount_point(), STR_ARG(path));
			}
		}
	}
	buf_finish(&text);
	return folder;
}

char *cgroup_delegated(void) {
	// Only what systemd gave us as a unit: a login session's cgroup is not ours to divide.
	if (!getenv("INVOCATION_ID")) {
		return NULL;
	}
	char *folder = own_folder();
	if (!folder) {
		return NULL;
	}
	_cleanup_(freep) char *own = xasprintf("%s/annad", folder);
	_cleanup_(freep) char *procs = xasprintf("%s/annad/cgroup.procs", folder);
	// It may be left from a run that was killed and restarted.
	bool ok = mkdir(own, 0755) == 0 || errno == EEXIST;
	int fd = ok ? open(procs, O_WRONLY | O_CLOEXEC) : -1;
	ok = fd >= 0 && write(fd, "0", 1) == 1;
	if (fd >= 0) {
		close(fd);
	}
	if (!ok) {
		free(folder);
		return NULL;
	}
	return folder;
}
