// SPDX-License-Identifier: Apache-2.0
// An SSD that is never told what is free.
#include "advice/rule.h"

static bool can_discard(struct survey *survey, struct str disk) {
	int64_t bytes;
	return root_read_number(&survey->root, &bytes,
		       "/sys/block/%" STR_FMT "/queue/discard_max_bytes", STR_ARG(disk)) &&
		bytes > 0;
}

static bool is_trimmed_type(struct str type) {
	return str_is(type, "ext4") || str_is(type, "xfs") || str_is(type, "btrfs") ||
		str_is(type, "f2fs");
}

static void look(struct survey *survey) {
	const struct survey_mount *mounts;
	size_t n = survey_mounts(survey, &mounts);
	if (survey_is_container(survey) || !survey_runs_systemd(survey) ||
		survey_is_unit_enabled(survey, "fstrim.timer")) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct survey_mount *mount = &mounts[i];
		struct str disk;
		bool is_rotational;
		if (is_trimmed_type(mount->type) &&
			!survey_has_option(mount->options, "discard", NULL) &&
			survey_disk_of(survey, mount->device, &disk) &&
			survey_is_rotational(survey, disk, &is_rotational) && !is_rotational &&
			can_discard(survey, disk)) {
			survey_find(survey,
				"%" STR_FMT " on %" STR_FMT " is mounted without discard, and "
				"fstrim.timer is not enabled",
				STR_ARG(mount->point), STR_ARG(disk));
			return; // one is enough: the timer serves all
		}
	}
}

DEFINE_RULE(trim) = {
	.id = "trim-missing",
	.level = ADVICE_INFO,
	.category = "storage",
	.title = "An SSD is never told which blocks are free",
	.reads = "/proc/1/mountinfo, /sys/block/*/queue, /etc/systemd/system/*.wants",
	.reason = "The disk then moves deleted data about, which makes it slower and wears it.",
	.fix = "systemctl enable --now fstrim.timer",
	.risk = "Deleted files cannot be recovered after a trim; below dm-crypt a trim shows "
		"which blocks are used.",
	.references = (const char *const[]){"fstrim(8)", "ext4(5)", NULL},
	.explain = "Fires when a disk that does not rotate and can discard holds a mounted ext4, "
		   "xfs, btrfs or f2fs without the option discard, and the weekly timer is not "
		   "enabled. It says so once, of the first.",
	.look = look,
};
