// SPDX-License-Identifier: Apache-2.0
// A vm.swappiness that is far from what fits the swap there is.
#include "advice/rule.h"

static bool has_disk_swap(struct survey *survey, bool *out_has_any) {
	struct str text, line, name;
	bool has_disk = false;
	*out_has_any = false;
	if (!root_read(&survey->root, &text, "/proc/swaps")) {
		return false;
	}
	(void)str_split(&text, '\n', &line); // the titles
	while (str_split(&text, '\n', &line)) {
		if (str_word(&line, &name)) {
			*out_has_any = true;
			has_disk |= !str_starts(name, STR("/dev/zram"));
		}
	}
	return has_disk;
}

static void look(struct survey *survey) {
	int64_t value;
	bool has_any, has_disk = has_disk_swap(survey, &has_any);
	if (!root_read_number(&survey->root, &value, "/proc/sys/vm/swappiness")) {
		survey_unread(survey, "/proc/sys/vm/swappiness");
		return;
	}
	if (has_any && value == 0) {
		survey_find(survey, "vm.swappiness is 0 and there is swap");
	} else if (has_disk && value > 100) {
		survey_find(
			survey, "vm.swappiness is %lld and swap is on a disk", (long long)value);
	}
}

DEFINE_RULE(swappiness) = {
	.id = "swappiness-extreme",
	.level = ADVICE_INFO,
	.category = "memory",
	.title = "vm.swappiness is extreme",
	.reads = "/proc/sys/vm/swappiness, /proc/swaps",
	.reason = "With 0 swap is used only when it is too late; above 100 the kernel prefers "
		  "swapping to dropping cached files, which pays only when swap is faster than "
		  "the disk, as zram is.",
	.fix = "sysctl vm.swappiness=60",
	.risk = "Programs may be swapped out earlier, or later, than now. It holds until the "
		"next boot; /etc/sysctl.d keeps it.",
	.references =
		(const char *const[]){
			"https://docs.kernel.org/admin-guide/sysctl/vm.html#swappiness", NULL},
	.explain = "Fires for 0 with any swap, and for more than 100 with swap on a disk. More "
		   "than 100 with zram alone is right.",
	.look = look,
};
