// SPDX-License-Identifier: Apache-2.0
// Swap on a disk that turns.
#include "advice/rule.h"

static bool disk_of_swap(struct survey *survey, struct str name, struct str type, struct str *out) {
	if (str_is(type, "partition")) {
		return survey_disk_of(survey, name, out);
	}
	// A file lies on the mount whose point is the longest beginning of its path.
	const struct survey_mount *mounts, *best = NULL;
	size_t n = survey_mounts(survey, &mounts);
	for (size_t i = 0; i < n; i++) {
		bool is_above = str_starts(name, mounts[i].point) &&
			(mounts[i].point.len == 1 || name.at[mounts[i].point.len] == '/');
		if (is_above && (!best || mounts[i].point.len >= best->point.len)) {
			best = &mounts[i];
		}
	}
	return best && survey_disk_of(survey, best->device, out);
}

static void look(struct survey *survey) {
	struct str text, line, name, type, disk;
	bool is_rotational;
	if (survey_is_virtual(survey) || survey_is_container(survey) ||
		!root_read(&survey->root, &text, "/proc/swaps")) {
		return; // what a virtual disk says of itself is not the disk below
	}
	(void)str_split(&text, '\n', &line); // the titles
	while (str_split(&text, '\n', &line)) {
		if (str_word(&line, &name) && str_word(&line, &type) &&
			disk_of_swap(survey, name, type, &disk) &&
			survey_is_rotational(survey, disk, &is_rotational) && is_rotational) {
			survey_find(survey, "swap %" STR_FMT " lies on %" STR_FMT ", which rotates",
				STR_ARG(name), STR_ARG(disk));
		}
	}
}

DEFINE_RULE(swap_slow) = {
	.id = "swap-slow",
	.level = ADVICE_INFO,
	.category = "memory",
	.title = "Swap lies on a rotating disk",
	.reads = "/proc/swaps, /sys/block/*/queue/rotational",
	.reason = "A page read back takes ten milliseconds: a machine short of memory does not "
		  "answer for minutes.",
	.fix = "apt install zram-tools",
	.risk = "zram takes CPU time to compress and a part of the memory itself.",
	.references =
		(const char *const[]){"https://docs.kernel.org/admin-guide/blockdev/zram.html",
			"swapon(8)", NULL},
	.explain = "Fires for each swap partition or file whose disk says that it rotates; virtual "
		   "machines are left out, whose disks say so whatever is below.",
	.look = look,
};
