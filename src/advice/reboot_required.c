// SPDX-License-Identifier: Apache-2.0
// Packages that asked for a reboot.
#include "advice/rule.h"

static void look(struct survey *survey) {
	struct root *root = &survey->root;
	struct str packages;
	static const char *const folders[] = {"/run", "/var/run"};
	for (size_t i = 0; i < 2; i++) {
		if (!root_has(root, "%s/reboot-required", folders[i])) {
			continue;
		}
		if (root_read(root, &packages, "%s/reboot-required.pkgs", folders[i]) &&
			packages.len) {
			struct str first;
			(void)str_split(&packages, '\n', &first);
			survey_find(survey, "%s/reboot-required is there, for %" STR_FMT "%s",
				folders[i], STR_ARG(first), packages.len ? " and others" : "");
		} else {
			survey_find(survey, "%s/reboot-required is there", folders[i]);
		}
		return;
	}
}

DEFINE_RULE(reboot_required) = {
	.id = "reboot-required",
	.level = ADVICE_INFO,
	.category = "packages",
	.title = "An update waits for a reboot",
	.reads = "/run/reboot-required, /run/reboot-required.pkgs",
	.reason = "Until then the old code runs, with the faults that the update mends.",
	.fix = "systemctl reboot",
	.risk = "Everything that runs is interrupted.",
	.references = (const char *const[]){"https://www.debian.org/doc/debian-policy/", NULL},
	.explain = "Fires when a package left the file that Debian and Ubuntu use for it.",
	.look = look,
};
