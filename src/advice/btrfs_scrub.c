// SPDX-License-Identifier: Apache-2.0
// A btrfs whose data nobody has checked for long.
#include "advice/rule.h"

#define OVERDUE_DAYS 40 // a monthly scrub, and some

static bool has_btrfs(struct survey *survey) {
	const struct survey_mount *mounts;
	size_t n = survey_mounts(survey, &mounts);
	for (size_t i = 0; i < n; i++) {
		if (str_is(mounts[i].type, "btrfs")) {
			return true;
		}
	}
	return false;
}

// "UUID:1|…|t_start:1700000000|…|finished:1": one line a device.
static bool newest_start(struct str text, int64_t *out_seconds) {
	struct str line, part, begin = STR("t_start:");
	bool is_found = false;
	while (str_split(&text, '\n', &line)) {
		while (str_split(&line, '|', &part)) {
			int64_t seconds;
			if (str_starts(part, begin) &&
				str_to_int64(str_skip(part, begin.len), &seconds) && seconds > 0 &&
				(!is_found || seconds > *out_seconds)) {
				*out_seconds = seconds;
				is_found = true;
			}
		}
	}
	return is_found;
}

static void look(struct survey *survey) {
	struct root *root = &survey->root;
	char **names;
	if (!has_btrfs(survey)) {
		return;
	}
	size_t n = root_list(root, &names, "/var/lib/btrfs");
	if (root->err.code == ERR_DENIED) {
		survey_unread(survey, "what btrfs wrote down of scrubs");
	}
	for (size_t i = 0; i < n; i++) {
		struct str text;
		int64_t started = 0;
		if (!str_starts(str_from(names[i]), STR("scrub.status."))) {
			continue;
		}
		if (!root_read(root, &text, "/var/lib/btrfs/%s", names[i])) {
			survey_unread(survey, names[i]);
			continue;
		}
		if (!newest_start(text, &started)) {
			continue;
		}
		int64_t days = (survey->now_wall_ns / INT64_C(1000000000) - started) / 86400;
		if (days > OVERDUE_DAYS) {
			survey_find(survey, "%s: the last scrub began %lld days ago", names[i],
				(long long)days);
		}
	}
}

DEFINE_RULE(btrfs_scrub) = {
	.id = "btrfs-scrub-overdue",
	.level = ADVICE_WARN,
	.category = "storage",
	.title = "A btrfs file system was not scrubbed for long",
	.reads = "/var/lib/btrfs/scrub.status.*, /proc/1/mountinfo",
	.reason = "Only a scrub finds data that a disk has changed silently, and only while a "
		  "good copy is left can it be mended.",
	.fix = "btrfs scrub start MOUNT",
	.risk = "It reads everything once: hours of I/O at low priority.",
	.references = (const char *const[]){"btrfs-scrub(8)", NULL},
	.explain = "Fires when the last scrub that btrfs wrote down began more than 40 days ago. "
		   "When nothing was ever written down, nothing is said: it is not known.",
	.look = look,
};
