// SPDX-License-Identifier: Apache-2.0
// A newer kernel is installed than the one that runs.
#include "advice/rule.h"

// "6.1.0-40-amd64" is flavour "-amd64"; kernels of other flavours are another choice, not newer.
static struct str flavour_of(const char *release) {
	struct str text = str_from(release);
	size_t at = text.len;
	while (at > 0 && text.at[at - 1] != '-') {
		at--;
	}
	struct str last = str_skip(text, at);
	bool is_word = last.len && !(last.at[0] >= '0' && last.at[0] <= '9');
	return at && is_word ? str_skip(text, at - 1) : (struct str){NULL, 0};
}

static void look(struct survey *survey) {
	struct root *root = &survey->root;
	struct str running;
	char **names;
	if (survey_is_container(survey)) {
		return;
	}
	if (!root_read(root, &running, "/proc/sys/kernel/osrelease")) {
		survey_unread(survey, "the kernel that runs");
		return;
	}
	const char *release = arena_copy(root->arena, running), *newest = release;
	size_t n = root_list(root, &names, "/usr/lib/modules");
	if (!n) {
		n = root_list(root, &names, "/lib/modules");
	}
	bool is_there = n == 0;
	for (size_t i = 0; i < n; i++) {
		is_there |= strcmp(names[i], release) == 0;
		// Modules that another package left behind alone are no kernel.
		bool is_kernel = root_has(root, "/boot/vmlinuz-%s", names[i]) ||
			root_has(root, "/usr/lib/modules/%s/vmlinuz", names[i]);
		if (is_kernel && str_equal(flavour_of(names[i]), flavour_of(release)) &&
			survey_compare_versions(names[i], newest) > 0) {
			newest = names[i];
		}
	}
	if (newest != release) {
		survey_find(survey, "%s runs, %s is installed", release, newest);
	} else if (!is_there) {
		survey_find_fix(survey, ADVICE_WARN, NULL,
			"%s runs, and its modules are not in /usr/lib/modules any more", release);
	}
}

DEFINE_RULE(kernel_old) = {
	.id = "kernel-old",
	.level = ADVICE_INFO,
	.category = "system",
	.title = "The kernel that runs is not the newest installed",
	.reads = "/proc/sys/kernel/osrelease, /usr/lib/modules, /boot",
	.reason = "The faults that the newer one mends are still there; when the modules of the "
		  "running one are gone, no new device or file system can be used.",
	.fix = "systemctl reboot",
	.risk = "Everything that runs is interrupted.",
	.references = (const char *const[]){"uname(1)", NULL},
	.explain = "Compares release numbers within one flavour (-amd64, -arch1-1, -lts). When the "
		   "modules of the running kernel were removed with the update, as pacman does, "
		   "the level is warn.",
	.look = look,
};
