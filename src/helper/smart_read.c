// SPDX-License-Identifier: Apache-2.0
// smart.read: what a disk says of its own health, by smartctl(8), as JSON. Reads only, and needs no
// grant: it tells nothing but the disk's condition.
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "helper/verb.h"

#define LIMIT_NS (30 * NS_PER_SECOND)
#define OUTPUT_LIMIT (256 * 1024)

struct smart_params {
	struct str device;
};

static const struct option rows[] = {
	{"device", OPTION_STRING, offsetof(struct smart_params, device), .min = 1, .max = 31,
		.is_required = true, .help = "Its name in /dev: sda, nvme0."},
	{NULL},
};

static bool is_device_name(struct str name) {
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
			return false;
		}
	}
	return str_starts(name, STR("sd")) || str_starts(name, STR("nvme")) ||
		str_starts(name, STR("hd")) || str_starts(name, STR("vd"));
}

static bool prepare(const struct verb *verb, const void *filled, const struct grants *grants,
	struct arena *arena, struct helper_command *out, struct err *err) {
	const struct smart_params *params = filled;
	struct stat stat_now;
	(void)verb;
	(void)grants;
	const char *path = arena_printf(arena, "/dev/%" STR_FMT, STR_ARG(params->device));
	if (!is_device_name(params->device)) {
		return err_set(err, ERR_INVALID, "\"%" STR_FMT "\" is no disk like sda or nvme0",
			STR_ARG(params->device));
	}
	if (lstat(path, &stat_now) != 0 ||
		(!S_ISBLK(stat_now.st_mode) && !S_ISCHR(stat_now.st_mode))) {
		return err_set(err, ERR_NOT_FOUND, "there is no disk %s", path);
	}
	const char **argv = arena_array(arena, 6, sizeof(*argv));
	argv[0] = "/usr/sbin/smartctl";
	argv[1] = "--json=c";
	argv[2] = "--all";
	argv[3] = "--nocheck=standby"; // a sleeping disk is not woken
	argv[4] = path;
	*out = (struct helper_command){argv, NULL, "/", LIMIT_NS, OUTPUT_LIMIT};
	return true;
}

DEFINE_VERB(smart_read) = {
	.name = "smart.read",
	.summary = "Reads a disk's own report of its health.",
	.params = rows,
	.params_size = sizeof(struct smart_params),
	.prepare = prepare,
};
