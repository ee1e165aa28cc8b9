// SPDX-License-Identifier: Apache-2.0
// A root that fills up and holds /tmp or /var.
#include "advice/rule.h"

static void look(struct survey *survey) {
	const struct survey_mount *root = survey_mount_at(survey, "/");
	struct survey_space space;
	if (!root || !survey_space(survey, root, &space)) {
		return;
	}
	uint64_t all = space.used_bytes + space.avail_bytes;
	bool has_tmp = survey_mount_at(survey, "/tmp") != NULL;
	bool has_var = survey_mount_at(survey, "/var") != NULL;
	if (!all || space.used_bytes < all / 10 * 9 || (has_tmp && has_var)) {
		return;
	}
	survey_find(survey, "/ is %.1f %% full and holds %s",
		(double)space.used_bytes * 100 / (double)all,
		has_tmp		  ? "/var"
			: has_var ? "/tmp"
				  : "/tmp and /var");
}

DEFINE_RULE(root_full) = {
	.id = "root-full",
	.level = ADVICE_WARN,
	.category = "storage",
	.title = "The root file system is nearly full and what grows lies on it",
	.reads = "statfs of /, /proc/1/mountinfo",
	.reason = "Logs, packages and temporary files then end what else runs on the root: "
		  "logins, updates, databases.",
	.fix = "du -xh / | sort -h | tail -30",
	.risk = "The command only looks.",
	.references = (const char *const[]){"df(1)", "journalctl(1)", NULL},
	.explain = "Fires at 90 percent of / when /tmp or /var is not a file system of its own. "
		   "The event host.filesystem tells the same at the moment it happens.",
	.look = look,
};
